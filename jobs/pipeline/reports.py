"""Results told: a report a delivery, and the index over all. No engine is needed here."""

from datetime import UTC, datetime

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.reporting import ReportFiles, write_index, write_report


def report(lake: Lake, registry: Registry, delivery_id: str) -> ReportFiles:
    """The department's report of one delivery, and the index anew."""
    now = datetime.now(UTC)
    files = write_report(lake, registry, delivery_id, now)
    write_index(lake, registry, now)
    return files


def reports(lake: Lake, registry: Registry, *delivery_ids: str) -> list[str]:
    """The deliveries reported: those asked for, and judged ones that were left behind; the index is written once.

    The scheduler may take a run's events away before the run begins; what came in between is found by the ledger.
    """
    now = datetime.now(UTC)
    left = [one.id for one in lake.ledger.ungoverned() if one.dataset in registry.contracts]
    wanted = list(dict.fromkeys((*delivery_ids, *left)))
    for delivery_id in wanted:
        write_report(lake, registry, delivery_id, now)
    write_index(lake, registry, now)
    return wanted
