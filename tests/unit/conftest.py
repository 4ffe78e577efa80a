"""Databases of each kind, SQLite as on a laptop and PostgreSQL as in production: empty, or with the tables made."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, text

from jobs.collaboration.audit_log import START
from jobs.collaboration.ticket_tables import ChainRow
from jobs.collaboration.tickets import Tickets
from jobs.lake.database import Database
from jobs.lake.ledger_tables import Base
from jobs.serving.account_tables import AccessChainRow
from tests.conftest import migrated
from tests.postgres import create, running
from tests.unit.collaboration.samples import ISSUE, NO_CHECKS, ZONE, at, owners
from tests.unit.ingest.test_delimited import read_bytes as read_bytes
from tests.unit.ingest.test_proposal import proposed as proposed

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of a PostgreSQL server that lives as long as the run."""
    with running() as url:
        if url is None:
            pytest.skip("no PostgreSQL server is installed (apt-get install postgresql)")
        yield url


def emptied(url: str) -> str:
    """The database with its tables as they are after the migrations."""
    engine = create_engine(url)
    tables = [table.name for table in Base.metadata.sorted_tables]
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE"))
        connection.execute(insert(ChainRow).values(id=1, seq=0, hash=START, tickets=0))
        connection.execute(insert(AccessChainRow).values(id=1, seq=0, hash=START))
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def made_postgres(postgres: str) -> str:
    """A PostgreSQL database with all tables, to be emptied for each test."""
    return migrated(create(postgres, "made"))


@pytest.fixture(scope="session")
def copied_postgres(postgres: str) -> str:
    """Name of a PostgreSQL database with all tables, to be copied."""
    migrated(create(postgres, "copied"))
    return "copied"


@pytest.fixture(scope="module", params=KINDS)
def module_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of each kind that has its tables, for all tests of a module."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("module") / "state.db"
        shutil.copy(request.getfixturevalue("made_sqlite"), file)
        return f"sqlite:///{file}"
    server, like = request.getfixturevalue("postgres"), request.getfixturevalue("copied_postgres")
    return create(server, request.module.__name__, like)


@pytest.fixture(params=KINDS)
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
    yield Tickets(database, owners, ZONE, NO_CHECKS)
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
    yield Tickets(database, owners, ZONE, NO_CHECKS)
    database.close()


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    return create(request.getfixturevalue("postgres"), f"t{abs(hash(request.node.nodeid)):x}")
