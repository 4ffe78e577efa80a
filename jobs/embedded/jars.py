"""The Java libraries that pyspark does not include, downloaded by its Ivy into the cache, outside the checkout."""

import hashlib
import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from jobs.embedded import log_store
from jobs.embedded.home import locked, tail
from jobs.embedded.java import find_java
from jobs.errors import SetupError
from jobs.settings import PROJECT, Settings, load

IVY = PROJECT / "infra" / "ivy.xml"
CONFIGURATIONS = ("spark", "s3")
TRIES = 3


def pyspark_home() -> Path:
    """Folder of the installed pyspark, located without importing it."""
    for folder in map(Path, sys.path):
        if (folder / "pyspark" / "jars").is_dir():
            return folder / "pyspark"
    raise SetupError("pyspark is not installed; run `make setup`. / 未安装 pyspark，请先运行 make setup。")


def jars_folder(settings: Settings) -> Path:
    """Where the jars of this checkout's ivy.xml and log store are, or will be."""
    sources = IVY.read_bytes() + log_store.SOURCE.read_bytes()
    return settings.cache / "jars" / hashlib.sha256(sources).hexdigest()[:12]


def ensure_jars(settings: Settings, say: Callable[[str], None]) -> Path:
    """The folder with the jars, a sub-folder for each server; downloads them once (some minutes)."""
    folder = jars_folder(settings)
    if folder.is_dir():
        return folder
    with locked(settings.cache / "jars.lock"):
        if not folder.is_dir():
            say("Downloading the Java libraries (about 85 MB, once; 1 to 4 minutes) / 正在下载 Java 依赖（仅一次）…")
            _download(settings.cache, folder, say)
    return folder


def _download(cache: Path, folder: Path, say: Callable[[str], None]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    log = cache / "jars.log"
    try:
        for attempt in range(1, TRIES + 1):
            if _ivy(cache, part, log):
                log_store.build(part / "spark", pyspark_home() / "jars", log)
                part.chmod(0o755)
                part.replace(folder)
                return
            say(f"Attempt {attempt} of {TRIES} failed / 第 {attempt} 次下载失败（共 {TRIES} 次）")
        raise SetupError(f"The Java libraries could not be downloaded / Java 依赖下载失败: {log}\n{tail(log)}")
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _ivy(cache: Path, target: Path, log: Path) -> bool:
    """Whether Ivy downloaded everything; a partial download stays in its cache for the next attempt."""
    jar = next((pyspark_home() / "jars").glob("ivy-*.jar"))
    command = [find_java(), "-jar", str(jar), "-cache", str(cache / "ivy"), "-ivy", str(IVY)]
    command += ["-confs", *CONFIGURATIONS, "-types", "jar", "bundle"]
    command += ["-retrieve", str(target / "[conf]" / "[artifact]-[revision].[ext]")]
    with log.open("wb") as file:
        resolution = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False)
    return resolution.returncode == 0 and all(any((target / name).glob("*.jar")) for name in CONFIGURATIONS)


def main() -> None:
    """Download the jars, for infra/install.py."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        ensure_jars(load(), logging.getLogger(__name__).info)
    except SetupError as error:
        sys.exit(str(error))
