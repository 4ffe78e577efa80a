"""Which Java to run. Standard library only: infra/install.py calls this before anything is downloaded."""

import os
import re
import shutil
import subprocess

from jobs.errors import SetupError

LEAST = 17
LATE_C2 = (
    "-XX:Tier4InvocationThreshold=100000",
    "-XX:Tier4MinInvocationThreshold=12000",
    "-XX:Tier4CompileThreshold=300000",
    "-XX:Tier4BackEdgeThreshold=800000",
)
"""The second compiler begins twenty times later: in the first minutes it took a third of a server's processor time, for methods
that were hardly called again. What runs over millions of rows still reaches it within a second."""

REMEDY = (
    "Install it, e.g.: apt-get install openjdk-17-jre-headless"
    " / 需要 Java 17 或更高版本，请先安装，例如：apt-get install openjdk-17-jre-headless"
)


def find_java() -> str:
    """Path of a Java that is new enough: JAVA_HOME first, then PATH."""
    home = os.environ.get("JAVA_HOME", "")
    java = shutil.which("java", path=os.path.join(home, "bin")) if home else None
    java = java or shutil.which("java")
    if java is None:
        raise SetupError(f"Java {LEAST} or newer is needed, and no java was found. {REMEDY}")
    version = _version(java)
    if version < LEAST:
        raise SetupError(f"Java {LEAST} or newer is needed; {java} is version {version or 'unknown'}. {REMEDY}")
    return java


def _version(java: str) -> int:
    """Major version, 0 when unknown; Java 8 reports itself as 1.8."""
    try:
        version_output = subprocess.run(
            [java, "-version"], capture_output=True, text=True, check=False, timeout=60
        ).stderr
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r'version "(?:1\.)?(\d+)', version_output)
    return int(match.group(1)) if match else 0
