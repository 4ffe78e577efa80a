"""Steps that belong together in one task: starting a task costs more than most of them."""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.session import is_unavailable
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import load, pending
from jobs.pipeline.reports import write_reports
from jobs.pipeline.tickets import TicketChanges, govern

logger = logging.getLogger(__name__)


def load_and_conform(lake: Lake, registry: Registry, dataset: str, *requested: str) -> list[str]:
    """Ids of the deliveries evaluated, in order of arrival: the requested ones, and any of the dataset not evaluated yet.

    What is wrong with one delivery stops no other; it is raised when all are done.
    """
    evaluated: list[str] = []
    failures = _Failures()
    for delivery_id in pending(lake, registry, dataset, *requested):
        with failures.of(delivery_id):
            load(lake, registry, delivery_id)
            conform(lake, registry, delivery_id)
            lake.ledger.evaluated(delivery_id)
            evaluated.append(delivery_id)
    failures.raise_first()
    return evaluated


def report_and_govern(lake: Lake, registry: Registry) -> list[TicketChanges]:
    """Ticket changes of every evaluated delivery whose tickets are not done, in order of arrival.

    Reports come first, also those of what is evaluated meanwhile: tickets take longer.
    """
    changes: list[TicketChanges] = []
    failures = _Failures()
    reported: set[str] = set()
    while waiting := [one for one in _ungoverned(lake, registry) if one not in failures.ids]:
        if new := [one for one in waiting if one not in reported]:
            write_reports(lake, registry, new)
            reported.update(new)
        with failures.of(waiting[0]):
            changes.append(govern(lake, registry, waiting[0]))
        reported.discard(waiting[0])  # another verdict on it is another report
    failures.raise_first()
    return changes


def _ungoverned(lake: Lake, registry: Registry) -> list[str]:
    return [delivery.id for delivery in lake.ledger.ungoverned() if delivery.dataset in registry.contracts]


class _Failures:
    """What went wrong with single deliveries; an unavailable service is raised at once, since the step is tried again."""

    def __init__(self) -> None:
        self._errors: dict[str, Exception] = {}

    @property
    def ids(self) -> Collection[str]:
        return self._errors.keys()

    @contextmanager
    def of(self, delivery_id: str) -> Iterator[None]:
        """The work on one delivery."""
        try:
            yield
        except Exception as error:
            if is_unavailable(error):
                raise
            logger.exception("delivery %s failed", delivery_id)
            self._errors[delivery_id] = error

    def raise_first(self) -> None:
        for error in self._errors.values():
            raise error
