"""A service to a lake on local files."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.lake.database import Database
from jobs.serving.sql.service import SqlService
from tests.unit.serving.sql.city import asked_lake
from tests.unit.serving.sql.flight_server import Flight, flying
from tests.unit.serving.sql.wire_server import Wire, served


@pytest.fixture(scope="session")
def asked(tmp_path_factory: pytest.TempPathFactory, made_sqlite: Path) -> Iterator[SqlService]:
    """A service for all tests that only ask."""
    root = tmp_path_factory.mktemp("asked")
    shutil.copy(made_sqlite, root / "state.db")
    lake, cat = asked_lake(root)
    database = Database(f"sqlite:///{root / 'state.db'}")
    made = SqlService(lake, database, lambda: cat)  # type: ignore[arg-type]
    yield made
    made.close()
    database.close()


@pytest.fixture
def state(made_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty database of the lake's state."""
    shutil.copy(made_sqlite, tmp_path / "state.db")
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    yield database
    database.close()


@pytest.fixture(scope="session")
def wire(tmp_path_factory: pytest.TempPathFactory, made_sqlite: Path) -> Iterator[Wire]:
    """A server without TLS."""
    with served(tmp_path_factory.mktemp("wire"), made_sqlite, None) as made:
        yield made


@pytest.fixture(scope="session")
def flight(wire: Wire) -> Iterator[Flight]:
    """A Flight SQL server over the same service."""
    with flying(wire) as made:
        yield made
