"""The Java libraries that pyspark does not include: downloaded by its Ivy into the cache, outside the checkout, and
verified against infra/jars.sha256.
"""

import hashlib
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from jobs.embedded import engine_code, jar_lock
from jobs.embedded.home import locked, tail
from jobs.embedded.ivy import Ivy
from jobs.errors import SetupError
from jobs.settings import Settings, load

TRIES = 3


def pyspark_home() -> Path:
    """Folder of the installed pyspark, located without importing it."""
    for folder in map(Path, sys.path):
        if (folder / "pyspark" / "jars").is_dir():
            return folder / "pyspark"
    raise SetupError("pyspark is not installed; run `make setup`. / 未安装 pyspark，请先运行 make setup。")


def jars_folder(settings: Settings) -> Path:
    """Where the jars of this checkout's lock file and engine code are, or will be; infra/install.py looks there too."""
    sources = b"".join(path.read_bytes() for path in (jar_lock.FILE, *engine_code.sources()))
    return settings.cache / "jars" / hashlib.sha256(sources).hexdigest()[:12]


def ensure_jars(settings: Settings, say: Callable[[str], None]) -> Path:
    """The folder with the jars, a sub-folder for each server; downloads and verifies them once."""
    folder = jars_folder(settings)
    if folder.is_dir():
        return folder
    with locked(settings.cache / "jars.lock"):
        if not folder.is_dir():
            say("Downloading the Java libraries (about 95 MB, once) / 正在下载 Java 依赖（约 95 MB，仅一次）…")
            _make(settings.cache, folder, say)
    return folder


def _make(cache: Path, folder: Path, say: Callable[[str], None]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    ivy = _ivy(cache, "downloads")
    try:
        _download(ivy, part, say)
        engine_code.build(part / "spark", pyspark_home() / "jars", ivy.log)
        part.chmod(0o755)
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _download(ivy: Ivy, part: Path, say: Callable[[str], None]) -> None:
    """The verified jars; what was downloaded stays for the next attempt until it is complete, or found to be wrong."""
    jars = jar_lock.locked(jar_lock.FILE)
    for attempt in range(1, TRIES + 1):
        if ivy.download(jars, part):
            shutil.rmtree(ivy.cache, ignore_errors=True)
            jar_lock.verify(part, jars)
            return
        say(f"Attempt {attempt} of {TRIES} failed / 第 {attempt} 次下载失败（共 {TRIES} 次）")
    raise SetupError(f"The Java libraries could not be downloaded / Java 依赖下载失败: {ivy.log}\n{tail(ivy.log)}")


def _ivy(cache: Path, downloads: str) -> Ivy:
    return Ivy(next((pyspark_home() / "jars").glob("ivy-*.jar")), cache / downloads, cache / "jars.log")


def lock() -> None:
    """Resolve infra/ivy.xml and write the lock file, for `make lock`."""
    cache = load().cache
    try:
        with locked(cache / "jars.lock"), tempfile.TemporaryDirectory(prefix="lake-jars-") as folder:
            jar_lock.write(_ivy(cache, "ivy").resolve(Path(folder)), jar_lock.FILE)
    except SetupError as error:
        sys.exit(str(error))


def main() -> None:
    """Download the jars, for infra/install.py."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        ensure_jars(load(), logging.getLogger(__name__).info)
    except SetupError as error:
        sys.exit(str(error))
