"""Databases of each kind, SQLite as on a laptop and PostgreSQL as in production: empty, or with the tables made."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, text

from jobs.collaboration.chain import START
from jobs.collaboration.ticket_tables import ChainRow
from jobs.collaboration.tickets import Tickets
from jobs.lake.database import Database
from jobs.lake.ledger_tables import Base
from tests.unit.ticketing import ISSUE, ZONE, at


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


def create(server: str, name: str) -> str:
    """URL of a new database on the server."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return server.replace("/postgres", f"/{name}")


def emptied(url: str) -> str:
    """The database with its tables as they are after the migrations."""
    engine = create_engine(url)
    tables = [table.name for table in Base.metadata.sorted_tables]
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE"))
        connection.execute(insert(ChainRow).values(id=1, seq=0, hash=START, tickets=0))
    engine.dispose()
    return url


def migrated(url: str) -> str:
    database = Database(url)
    database.migrate()
    database.close()
    return url


@pytest.fixture(scope="session")
def made_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, to be copied."""
    file = tmp_path_factory.mktemp("made") / "state.db"
    migrated(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def made_postgres(postgres: str) -> str:
    """A PostgreSQL database with all tables, to be emptied for each test."""
    return migrated(create(postgres, "made"))


@pytest.fixture(params=["sqlite", "postgresql"])
def made_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind that has its tables."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("made_sqlite"), tmp_path / "state.db")
        return f"sqlite:///{tmp_path / 'state.db'}"
    return emptied(request.getfixturevalue("made_postgres"))


@pytest.fixture
def tickets(made_url: str) -> Iterator[Tickets]:
    """No tickets yet, on each kind of database."""
    database = Database(made_url)
    yield Tickets(database, ZONE)
    database.close()


@pytest.fixture
def one(tickets: Tickets) -> str:
    """Id of a ticket that was found and dispatched on Monday, 12 January 2026."""
    return tickets.found([ISSUE], at("2026-01-12"))[0]


@pytest.fixture
def local_tickets(made_sqlite: Path, tmp_path: Path) -> Iterator[Tickets]:
    """No tickets yet, on SQLite alone, for what does not depend on the database."""
    shutil.copy(made_sqlite, tmp_path / "state.db")
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    yield Tickets(database, ZONE)
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return create(request.getfixturevalue("postgres"), f"t{abs(hash(request.node.nodeid)):x}")
