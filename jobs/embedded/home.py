"""The folder with the embedded services' files, private to its owner."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.errors import SetupError


def pid_file(home: Path, name: str) -> Path:
    return home / "run" / f"{name}.json"


def log_file(home: Path, name: str) -> Path:
    return home / "logs" / f"{name}.log"


def prepare(home: Path) -> None:
    """Create the folders of a home, readable by the owner alone."""
    try:
        for folder in ("run", "logs", "tmp"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        home.chmod(0o700)
    except OSError as error:
        raise SetupError(f"Cannot write to {home} (LAKE_HOME): {error.strerror}. / 无法写入 {home}。") from error


def write_private(path: Path, text: str) -> None:
    """Write a file atomically, readable by the owner alone."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file lock; a second process waits until it is released."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def tail(path: Path, lines: int = 15) -> str:
    """Last lines of a log, for an error message."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "(no log)"
    return "\n".join(text.splitlines()[-lines:]) or "(empty log)"
