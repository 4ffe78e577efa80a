"""infra/jars.sha256: each jar that set-up downloads, with the hash that it must have."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import SetupError
from jobs.settings import PROJECT

FILE = PROJECT / "infra" / "jars.sha256"
CONFIGURATIONS = ("spark", "s3", "kafka")
HEAD = "# Written by `make lock` from infra/ivy.xml: SHA-256, configuration, Maven coordinates.\n"
LINE = re.compile(r"([0-9a-f]{64})  (\w+)  ([\w.-]+):([\w.-]+):([\w.-]+)")


@dataclass(frozen=True, order=True)
class Jar:
    """A jar of one configuration by its Maven coordinates."""

    configuration: str
    organisation: str
    module: str
    revision: str
    sha256: str

    def path(self) -> str:
        """Its place in the folder of jars."""
        return f"{self.configuration}/{self.module}-{self.revision}.jar"

    def line(self) -> str:
        """Its line of the lock file."""
        return f"{self.sha256}  {self.configuration}  {self.organisation}:{self.module}:{self.revision}\n"


def sha256(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def locked(file: Path) -> tuple[Jar, ...]:
    """The jars that the lock file lists; SetupError that names the first line that is none."""
    jars = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if match is None or match[2] not in CONFIGURATIONS:
            raise SetupError(f"{file}:{number}: not a hash and a jar; run `make lock` / 此行格式不对，请运行 make lock")
        hash_, configuration, organisation, module, revision = match.groups()
        jars.append(Jar(configuration, organisation, module, revision, hash_))
    return tuple(jars)


def write(jars: Iterable[Jar], file: Path) -> None:
    """The lock file of these jars."""
    file.write_text(HEAD + "".join(jar.line() for jar in sorted(jars)), "utf-8")


def verify(folder: Path, jars: Iterable[Jar]) -> None:
    """SetupError that names the first jar of `folder` which is missing, is not listed, or has another hash."""
    listed = {jar.path(): jar for jar in jars}
    found = {path.relative_to(folder).as_posix() for path in folder.glob("*/*.jar")}
    for name in sorted(listed.keys() - found):
        raise SetupError(f"Missing jar: {name} was not downloaded / 缺少 Java 依赖 {name}，未能下载")
    for name in sorted(found - listed.keys()):
        raise SetupError(f"Unknown jar: {FILE.name} does not list {name} / {FILE.name} 中没有 Java 依赖 {name}")
    for name, jar in listed.items():
        actual = sha256(folder / name)
        if actual != jar.sha256:
            raise SetupError(
                f"Wrong jar: {name} has SHA-256 {actual}, {FILE.name} lists {jar.sha256}; nothing of it is kept. Is the "
                f"Maven repository what it should be? / Java 依赖 {name} 的 SHA-256 与 {FILE.name} 所列不符，已全部丢弃；"
                "请核查所用的 Maven 仓库"
            )
