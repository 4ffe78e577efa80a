"""The real files: published by others, kept beside the checkout, never copied into it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.contracts import Catalogue, load

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
def real_catalogue() -> Catalogue:
    """The contracts and suites for the real files."""
    return load(HERE / "contracts", HERE / "expectations")
