"""Ivy, which pyspark ships: resolves what infra/ivy.xml asks for, and downloads jars that are known already."""

import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jobs.embedded.jar_lock import CONFIGURATIONS, Jar, sha256
from jobs.embedded.java import find_java
from jobs.errors import SetupError
from jobs.settings import PROJECT

WANTED = PROJECT / "infra" / "ivy.xml"
KNOWN = PROJECT / "infra" / "ivysettings.xml"
FILE_NAME = "[artifact]-[revision].[ext]"
DOCUMENT = """<ivy-module version="2.0">
  <info organisation="city" module="known-jars"/>
  <configurations>{configurations}</configurations>
  <dependencies>{dependencies}</dependencies>
</ivy-module>
"""


@dataclass(frozen=True)
class Ivy:
    """Ivy's own jar, the folder where it keeps what it downloaded, and its log."""

    program: Path
    cache: Path
    log: Path

    def download(self, jars: Iterable[Jar], target: Path) -> bool:
        """Whether it put these jars into `target`, a folder for each configuration; it asks for nothing but jars."""
        with tempfile.NamedTemporaryFile("w", suffix=".xml", encoding="utf-8") as file:
            file.write(document(jars))
            file.flush()
            return self._run(Path(file.name), target, f"[conf]/{FILE_NAME}", "-settings", str(KNOWN))

    def resolve(self, target: Path) -> tuple[Jar, ...]:
        """The jars that infra/ivy.xml asks for and those that they need; downloaded into `target`."""
        pattern = f"[conf]/[organisation]/[module]/[revision]/{FILE_NAME}"
        if not self._run(WANTED, target, pattern):
            raise SetupError(f"{WANTED.name} cannot be resolved / 无法解析 {WANTED.name}: {self.log}")
        return tuple(_resolved(file, target) for file in sorted(target.glob("*/*/*/*/*")))

    def _run(self, document: Path, target: Path, pattern: str, *options: str) -> bool:
        command = [find_java(), "-jar", str(self.program), "-cache", str(self.cache), *options]
        command += ["-ivy", str(document), "-confs", *CONFIGURATIONS, "-types", "jar", "bundle"]
        command += ["-retrieve", str(target / pattern)]
        with self.log.open("wb") as file:
            return subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False).returncode == 0


def _resolved(file: Path, target: Path) -> Jar:
    configuration, organisation, module, revision, name = file.relative_to(target).parts
    if name != f"{module}-{revision}.jar":
        raise SetupError(f"{name} is not the main jar of {module} / {name} 不是 {module} 的主要文件")
    return Jar(configuration, organisation, module, revision, sha256(file))


def document(jars: Iterable[Jar]) -> str:
    """An Ivy file that asks for exactly these jars."""
    dependencies = [
        f'<dependency org="{jar.organisation}" name="{jar.module}" rev="{jar.revision}" '
        f'conf="{jar.configuration}->default" transitive="false"/>'
        for jar in jars
    ]
    configurations = (f'<conf name="{name}"/>' for name in CONFIGURATIONS)
    return DOCUMENT.format(configurations="".join(configurations), dependencies="\n".join(dependencies))
