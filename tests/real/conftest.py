"""The real files: published by others, kept beside the checkout, never copied into it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.contracts import Registry, load
from jobs.lake.lake import Lake
from jobs.settings import Settings
from tests.real.whole_way import Way

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "shared" / "data" / "real"


@pytest.fixture(scope="session")
def real() -> Callable[[str], Path]:
    """A real file by its name in SOURCES.md; a missing one is an error, never a skipped test."""

    def find(name: str) -> Path:
        path = DATA / name
        if not path.exists():
            raise FileNotFoundError(f"{path}: the real data of SOURCES.md must stand beside the checkout")
        return path

    return find


@pytest.fixture(scope="session")
def real_catalogue() -> Registry:
    """The contracts and suites for the real files."""
    return load(HERE / "contracts", HERE / "expectations")


@pytest.fixture(scope="session")
def real_lake(engine: Lake, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """One lake for all real files, on the run's shared services."""
    home, bucket = tmp_path_factory.mktemp("real"), "real-whole-way"
    changes = {"s3_bucket": bucket, "database_url": f"sqlite:///{home / 'state.db'}", "home": home}
    fresh = Lake(settings.model_copy(update=changes))
    fresh.store.create()
    fresh.__dict__["spark"] = engine.spark
    yield fresh
    fresh.__dict__.pop("spark", None)
    fresh.close()


@pytest.fixture(scope="session")
def way(real_lake: Lake, real_catalogue: Registry, real: Callable[[str], Path]) -> Way:
    """The whole way for the real files; each delivery is sent once, when first asked for."""
    return Way(real_lake, real_catalogue, real)
