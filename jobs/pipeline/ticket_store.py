"""The ticket store of an open lake."""

from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from jobs.collaboration import Tickets
from jobs.contracts import Registry
from jobs.lake.database import Database
from jobs.lake.lake import Lake


@contextmanager
def open_tickets(lake: Lake, registry: Registry | None = None) -> Iterator[Tickets]:
    """The tickets of the lake's state database. Without the contracts no department counts as owner of any data."""
    owners = registry.providers if registry else dict
    database = Database(lake.settings.state_url())
    database.migrate()
    try:
        yield Tickets(database, owners, ZoneInfo(lake.settings.timezone))
    finally:
        database.close()
