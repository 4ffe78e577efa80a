"""An empty database of each kind: SQLite as on a laptop, PostgreSQL as in production."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
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


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a PostgreSQL server that lives as long as the run."""
    programs = postgres_bin()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed (apt-get install postgresql)")
    folder = Path(subprocess.check_output(as_owner("mktemp", "-d", "/tmp/lake-pg-XXXXXX"), text=True, cwd="/").strip())
    data, port, log = str(folder / "data"), free_port(), folder / "log"
    init = as_owner(str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "lake", "-E", "UTF8", "--no-sync")
    subprocess.run(init, check=True, capture_output=True, cwd="/")
    options = ["-k", "", "-h", "127.0.0.1", "-p", str(port), "-F"]
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


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    server: str = request.getfixturevalue("postgres")
    name = f"t{abs(hash(request.node.nodeid)):x}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return server.replace("/postgres", f"/{name}")
