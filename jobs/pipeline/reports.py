"""Reports: one per delivery, and an index. Needs no engine."""

from collections.abc import Iterable
from datetime import UTC, datetime

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.reporting import ReportFiles, write_index, write_report


def report(lake: Lake, registry: Registry, delivery_id: str) -> ReportFiles:
    """The report of one delivery; the index is rewritten."""
    now = datetime.now(UTC)
    files = write_report(lake, registry, delivery_id, now)
    write_index(lake, registry, now)
    return files


def reports(lake: Lake, registry: Registry, *delivery_ids: str) -> list[str]:
    """Ids of the deliveries reported: the requested ones, and others without a report; the index is written once.

    The scheduler may consume events before the run starts; the ledger yields the deliveries that fall in between.
    """
    unreported = [delivery.id for delivery in lake.ledger.ungoverned() if delivery.dataset in registry.contracts]
    reported = list(dict.fromkeys((*delivery_ids, *unreported)))
    write_reports(lake, registry, reported)
    return reported


def write_reports(lake: Lake, registry: Registry, delivery_ids: Iterable[str]) -> None:
    """The reports of these deliveries, and the index once."""
    now = datetime.now(UTC)
    for delivery_id in delivery_ids:
        write_report(lake, registry, delivery_id, now)
    write_index(lake, registry, now)
