"""The ticket store of an open lake."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

from jobs.collaboration import TicketQuery, Tickets
from jobs.contracts import Registry
from jobs.lake.database import Database
from jobs.lake.lake import Lake
from jobs.model.actor import SYSTEM
from jobs.model.ticket import Ticket
from jobs.pipeline.document_checks import document_checks

PAGE = 500


@contextmanager
def open_tickets(lake: Lake, registry: Registry | None = None) -> Iterator[Tickets]:
    """The tickets of the lake's state database. Without the contracts no department counts as owner of any data, and no entry is submitted."""
    owners = registry.providers if registry else dict
    checks = document_checks(lambda: registry) if registry else {}
    database = Database(lake.settings.state_url())
    database.migrate()
    try:
        yield Tickets(database, owners, ZoneInfo(lake.settings.timezone), checks)
    finally:
        database.close()


def open_ones(tickets: Tickets, query: TicketQuery, at: datetime) -> Iterator[Ticket]:
    """All open tickets that match, page by page."""
    for page in count(1):
        found = tickets.tickets(SYSTEM, replace(query, is_open=True, page=page, size=PAGE), at)
        yield from found.tickets
        if page * PAGE >= found.total:
            return
