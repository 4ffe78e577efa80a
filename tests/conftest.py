"""One S3 server and one Spark engine for the whole run, on free ports, in a folder of their own, for both processes."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import hypothesis
import pytest

from jobs import embedded
from jobs.contracts import Registry
from jobs.contracts import load as load_contracts
from jobs.embedded.endpoints import HOST, free_port
from jobs.lake.database import Database
from jobs.lake.lake import Lake
from jobs.settings import Settings
from jobs.settings import load as load_settings

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


ENGINE = {
    "rows": (
        *("tests/spark/test_small_deliveries.py", "tests/probes/"),
        *("tests/real/test_whole_way.py", "tests/real/test_both_ways.py"),
    ),
    "steps": (
        *("tests/spark/", "tests/dags/test_dag_runs.py", "tests/unit/pipeline/test_steps.py"),
        *("tests/e2e/test_canaries.py", "tests/e2e/test_portal_loop.py", "tests/e2e/test_scheduler.py"),
    ),
}
"""Tests that need the engine, in two groups of about one length: with two processes, each begins with one of them."""


def group_of(nodeid: str) -> str:
    """What runs in one process: a group of the tests that need the engine, or a file."""
    found = (group for group, places in ENGINE.items() if nodeid.startswith(places))
    return next(found, nodeid.partition("::")[0])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest groups come first; a test that would start an engine outside of them is an error."""
    astray = [
        i.nodeid for i in items if "settings" in getattr(i, "fixturenames", ()) and group_of(i.nodeid) not in ENGINE
    ]
    if astray:
        raise pytest.UsageError(f"needs the engine, and is not under ENGINE in tests/conftest.py: {astray[0]}")
    items.sort(key=lambda item: group_of(item.nodeid) not in ENGINE)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests are distributed by group."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return Groups(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tests of the lake on another store."""
    parser.addoption("--own-store", action="store_true", help="use the S3 server that LAKE_S3_ENDPOINT names")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings of a lake whose embedded S3 and Spark run for this test run only."""
    stays = ("LAKE_CACHE", *(("LAKE_S3_",) if request.config.getoption("--own-store") else ()))
    kept = {k: os.environ.pop(k) for k in list(os.environ) if k.startswith("LAKE_") and not k.startswith(stays)}
    with _services(_folder_of_the_run(tmp_path_factory)):
        yield load_settings()
    os.environ.update(kept)
    load_settings.cache_clear()


def _folder_of_the_run(factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of a run."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextmanager
def _services(folder: Path) -> Iterator[None]:
    """S3 and Spark for the processes of a run: the first starts them, the last stops them."""
    with (folder / "users.lock").open("w") as users:
        with _alone(folder):
            fcntl.flock(users, fcntl.LOCK_SH)
            address = folder / "spark_ui"
            if not address.exists():
                address.write_text(f"http://{HOST}:{free_port([0])}")
            os.environ |= {"LAKE_HOME": str(folder / "lake"), "LAKE_SPARK_UI": address.read_text()}  # it counts jobs
            os.environ["LAKE_SPARK_MEMORY"] = "4g"  # for two processes
            load_settings.cache_clear()
            embedded.up(load_settings(), ("s3", "spark"), lambda _: None)
            load_settings.cache_clear()
        yield
        with _alone(folder):
            fcntl.flock(users, fcntl.LOCK_UN)
            if _is_last(users):
                embedded.down(load_settings(), lambda _: None)
    del os.environ["LAKE_SPARK_UI"], os.environ["LAKE_SPARK_MEMORY"]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process of the run starts or stops services meanwhile."""
    with (folder / "starting.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@pytest.fixture(scope="session")
def broker(settings: Settings) -> Settings:
    """The settings with a Kafka broker, which starts with the first test that needs it."""
    embedded.up(settings, ("kafka",), lambda _: None)
    load_settings.cache_clear()
    return load_settings()


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Lake]:
    """A lake whose Spark session lives as long as the run; for tests that need rows only."""
    lake = Lake(settings)
    yield lake
    lake.close()


@pytest.fixture(scope="session")
def spark(engine: Lake):
    """The Spark Connect session."""
    return engine.spark


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


@pytest.fixture
def lake(
    engine: Lake, settings: Settings, made_sqlite: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Lake]:
    """An empty lake: a bucket and a ledger of its own on the shared services."""
    shutil.copy(made_sqlite, tmp_path / "state.db")
    bucket = f"t{abs(hash(request.node.nodeid)):x}"[:40]
    own = settings.model_copy(
        update={"s3_bucket": bucket, "database_url": f"sqlite:///{tmp_path / 'state.db'}", "home": tmp_path}
    )
    fresh = Lake(own)
    fresh.store.create()
    fresh.__dict__["spark"] = engine.spark
    yield fresh
    fresh.__dict__.pop("spark", None)
    fresh.close()


@pytest.fixture
def stream_lake(lake: Lake, broker: Settings) -> Lake:
    """An empty lake with topics of its own on the shared broker."""
    named = ("kafka_servers", "kafka_controller", "kafka_user", "kafka_password")
    own = {name: getattr(broker, name) for name in named}
    lake.settings = lake.settings.model_copy(update={**own, "kafka_prefix": f"{lake.settings.s3_bucket}."})
    return lake


@pytest.fixture
def write_contracts(tmp_path: Path) -> Callable[..., Registry]:
    """Writes contract and suite texts to a folder, by relative path, and loads them."""

    def write(files: dict[str, str]) -> Registry:
        for name, text in files.items():
            target = tmp_path / "contracts" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        return load_contracts(tmp_path / "contracts" / "schemas", tmp_path / "contracts" / "expectations")

    return write
