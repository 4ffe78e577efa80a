"""A PostgreSQL server of our own on the loopback address, for tests and benchmarks."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text


def postgres_bin() -> Path | None:
    """The folder of the newest installed PostgreSQL server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def as_owner(*words: str) -> list[str]:
    """The command as a user that PostgreSQL accepts: it refuses root."""
    return ["runuser", "-u", "postgres", "--", *words] if os.getuid() == 0 else list(words)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            return connection.scalar(text("SELECT 1")) == 1
    except Exception:  # not yet
        return False
    finally:
        engine.dispose()


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while not answers(url):
        assert server.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


@contextmanager
def running(is_durable: bool = False) -> Iterator[str | None]:
    """URL of a PostgreSQL server that lives as long as the block; None where no server is installed.

    Nothing is flushed to the disk unless `is_durable`.
    """
    programs = postgres_bin()
    if programs is None:
        yield None
        return
    folder = Path(subprocess.check_output(as_owner("mktemp", "-d", "/tmp/lake-pg-XXXXXX"), text=True, cwd="/").strip())
    data, port, log = str(folder / "data"), free_port(), folder / "log"
    init = as_owner(str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "lake", "-E", "UTF8", "--no-sync")
    subprocess.run(init, check=True, capture_output=True, cwd="/")
    options = ["-k", "", "-h", "127.0.0.1", "-p", str(port), *([] if is_durable else ["-F"])]
    with log.open("wb") as file:
        words = as_owner(str(programs / "postgres"), "-D", data, *options)
        server = subprocess.Popen(words, stdout=file, stderr=file, cwd="/")
    url = f"postgresql+psycopg://lake@127.0.0.1:{port}/postgres"
    try:
        wait_for(url, server, log)
        yield url
    finally:
        stop = as_owner(str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
        subprocess.run(stop, check=False, capture_output=True, cwd="/")
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def create(server: str, name: str, like: str = "template1") -> str:
    """URL of a new database on the server, a copy of another that nobody is connected to."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{like}"'))
    engine.dispose()
    return server.replace("/postgres", f"/{name}")
