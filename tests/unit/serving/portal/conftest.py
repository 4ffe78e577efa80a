"""A city with a portal, for tests that change it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.serving.portal.portal_city import City, city


@pytest.fixture
def town(made_url: str, tmp_path: Path) -> Iterator[City]:
    """A city of its own for each test; closed at the end."""
    made = city(tmp_path, made_url)
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()
    made.portal.lake.streams.close()
