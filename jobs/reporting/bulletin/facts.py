"""The facts of a bulletin, before its document: edition, figures, tickets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from jobs.model.ticket import TicketSummary
from jobs.reporting.bulletin.period import Period
from jobs.reporting.bulletin.results import Figure, PeriodResults
from jobs.reporting.bulletin.terms import Terms
from jobs.reporting.score import Weights


@dataclass(frozen=True)
class Edition:
    """One issue of a bulletin. `until` is the cut-off, `before` the start of the previous period; moments are UTC.

    `reason` says why there is a revision after the first. `number` is the serial in the document number.
    """

    period: Period
    before: datetime
    until: datetime
    made_at: datetime
    issued_on: date
    is_draft: bool
    revision: int
    reason: str
    number: int
    bureau: str
    zone: str


@dataclass(frozen=True)
class TicketFacts:
    """The ticket side of a bulletin: figures by department, tickets, and the last event of the chain."""

    seq: int
    hash: str
    basis: Mapping[str, Any]
    figures: Mapping[str, tuple[Figure, ...]]
    tickets: tuple[TicketSummary, ...]

    def exempt(self) -> dict[tuple[str, str], str]:
        """Deliveries with rules excluded from scores, each with the ticket whose dispute was upheld."""
        return {
            (delivery, ticket.rule): ticket.id
            for ticket in self.tickets
            if ticket.upheld
            for delivery in ticket.deliveries
        }


@dataclass(frozen=True)
class BulletinFacts:
    """All facts. `providers` appear in any case, `titles` are Chinese names of providers and datasets.

    `due_on` adds working days to a day.
    """

    edition: Edition
    results: PeriodResults
    loop: TicketFacts
    terms: Terms
    weights: Weights
    providers: frozenset[str]
    titles: Mapping[str, str]
    samples: Mapping[str, str]
    due_on: Callable[[date, int], str]

    def title(self, name: str) -> str:
        """The Chinese name; the id where there is none."""
        return self.titles.get(name) or name
