"""The tickets of a lake that is open."""

from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from jobs.collaboration import Tickets
from jobs.lake.database import Database
from jobs.lake.lake import Lake


@contextmanager
def desk(lake: Lake) -> Iterator[Tickets]:
    """The tickets of the lake's state database."""
    database = Database(lake.settings.state_url())
    database.migrate()
    try:
        yield Tickets(database, ZoneInfo(lake.settings.timezone))
    finally:
        database.close()
