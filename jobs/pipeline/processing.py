"""Steps that belong together in one task: starting a task costs more than most of them."""

import logging

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.session import is_unavailable
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import load, pending
from jobs.pipeline.reports import reports
from jobs.pipeline.tickets import TicketChanges, governed

logger = logging.getLogger(__name__)


def load_and_conform(lake: Lake, registry: Registry, dataset: str, *requested: str) -> list[str]:
    """Ids of the deliveries evaluated, in order of arrival: the requested ones, and any of the dataset not evaluated yet.

    What is wrong with one delivery stops no other; it is raised when all are done.
    """
    evaluated: list[str] = []
    failures: list[Exception] = []
    for delivery_id in pending(lake, registry, dataset, *requested):
        try:
            load(lake, registry, delivery_id)
            conform(lake, registry, delivery_id)
            evaluated.append(delivery_id)
        except Exception as error:
            if is_unavailable(error):
                raise
            logger.exception("%s: delivery %s could not be evaluated", dataset, delivery_id)
            failures.append(error)
    if failures:
        raise failures[0]
    return evaluated


def report_and_govern(lake: Lake, registry: Registry, *delivery_ids: str) -> list[TicketChanges]:
    """Ticket changes of these deliveries and of any without tickets, after their reports are written."""
    return governed(lake, registry, *reports(lake, registry, *delivery_ids))
