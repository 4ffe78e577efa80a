"""Maintenance: small files compacted, old ones removed, reminders sent."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from jobs.collaboration import remind as send_reminders
from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.system_tables import CLIENT_WRITTEN, results_tables
from jobs.lake.zones import TablePath, Zone
from jobs.pipeline.registers import registered_versions
from jobs.pipeline.repartition import repartition
from jobs.pipeline.ticket_store import open_tickets
from jobs.pipeline.ticket_table import write_ticket_table

logger = logging.getLogger(__name__)
KEEP_HOURS = 90 * 24
MOST_ROWS = 1_000_000
"""The client compacts a table of up to so many rows, the engine a larger one."""
UNFINISHED = timedelta(days=2)
"""An older multipart upload is abandoned: no login lasts that long."""


def remind(lake: Lake, registry: Registry) -> list[str]:
    """The reminders sent, after expired waivers reopened their tickets and overdue ones were escalated.

    Then refreshes the ticket tables that readers of the data see.
    """
    now = datetime.now(UTC)
    sent = [f"{notice.channel} {notice.department} {notice.tickets}" for notice in send_reminders(lake.settings, now)]
    with open_tickets(lake, registry) as tickets:
        for contract in registry.sources():
            write_ticket_table(lake, contract, tickets, now)
    return sent


def upkeep(lake: Lake, registry: Registry) -> list[str]:
    """The compacted silver and gold tables; all tables are compacted and vacuumed (90 days), stale uploads aborted.

    Versions of tables that are registered as training sets keep their files.

    Tables with the partitions of an earlier release are repartitioned first.
    """
    aborted = lake.store.abort_uploads(datetime.now(UTC) - UNFINISHED)
    if aborted:
        logger.info("%s incomplete multipart uploads aborted", aborted)
    for contract in registry.sources():
        for zone in CLIENT_WRITTEN:
            repartition(lake, zone, contract)
            _compact(lake, lake.path(zone, contract.id))
    for table in results_tables():
        _compact(lake, lake.path(Zone.RESULTS, table.id))
    curated = _curated(lake, registry)
    with open_tickets(lake, registry) as tickets:
        registered = registered_versions(tickets)
    for path in curated:
        _compact(lake, path, lake.delta.count(path) > MOST_ROWS, registered.get(path.name, ()))
    return [str(path) for path in curated]


def _compact(lake: Lake, path: TablePath, by_engine: bool = False, keep_versions: Sequence[int] = ()) -> None:
    """Compact and vacuum a table. The engine would take half a minute to list the files of even a small one."""
    if by_engine:
        lake.tables.compact(path)
    else:
        lake.delta.compact(path)
    lake.delta.vacuum(path, KEEP_HOURS, keep_versions)


def _curated(lake: Lake, registry: Registry) -> list[TablePath]:
    """The silver and gold tables that exist."""
    paths = [lake.path(Zone.SILVER, c.id) for c in registry.sources()]
    paths += [lake.path(Zone.GOLD, c.id) for c in registry.products()]
    return [path for path in paths if lake.delta.version(path) is not None]
