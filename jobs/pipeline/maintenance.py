"""The lake tended: small files joined, old ones removed."""

import logging
from datetime import UTC, datetime, timedelta

from jobs.collaboration import remind as tell
from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.system_tables import CLIENT_WRITTEN, results_tables
from jobs.lake.zones import TablePath, Zone
from jobs.pipeline.repartition import repartition
from jobs.pipeline.ticket_store import open_tickets
from jobs.pipeline.ticket_table import write_ticket_table

logger = logging.getLogger(__name__)
KEEP_HOURS = 90 * 24
UNFINISHED = timedelta(days=2)
"""An upload in parts that is older than this will not go on: a login does not last so long."""


def remind(lake: Lake, registry: Registry) -> list[str]:
    """Waivers that ended reopen their tickets, overdue ones are escalated, departments are told what is due.

    What people did to tickets since is then told to readers of the data.
    """
    now = datetime.now(UTC)
    told = [f"{one.channel} {one.department} {one.tickets}" for one in tell(lake.settings, now)]
    with open_tickets(lake, registry) as tickets:
        for contract in registry.sources():
            write_ticket_table(lake, contract, tickets, now)
    return told


def upkeep(lake: Lake, registry: Registry) -> list[str]:
    """Compact all tables, remove files that no version of the last 90 days needs, and forget uploads that broke off.

    Tables that an earlier release partitioned otherwise are laid out anew first.
    """
    forgotten = lake.store.abort_uploads(datetime.now(UTC) - UNFINISHED)
    if forgotten:
        logger.info("%s uploads that broke off were forgotten", forgotten)
    for contract in registry.sources():
        for zone in CLIENT_WRITTEN:
            repartition(lake, zone, contract)
            lake.delta.compact(lake.path(zone, contract.id), KEEP_HOURS)
    for table in results_tables():
        lake.delta.compact(lake.path(Zone.RESULTS, table.id), KEEP_HOURS)
    kept = _curated(lake, registry)
    for path in kept:
        lake.tables.compact(path, KEEP_HOURS)
    return [str(path) for path in kept]


def _curated(lake: Lake, registry: Registry) -> list[TablePath]:
    """The silver and gold tables that there are."""
    paths = [lake.path(Zone.SILVER, c.id) for c in registry.sources()]
    paths += [lake.path(Zone.GOLD, c.id) for c in registry.products()]
    return [path for path in paths if lake.delta.version(path) is not None]
