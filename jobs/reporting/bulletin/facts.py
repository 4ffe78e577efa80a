"""What a bulletin rests on, before it is written down: edition, figures, tickets, places."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from jobs.reporting.bulletin.period import Period
from jobs.reporting.bulletin.results import Figure, PeriodResults
from jobs.reporting.bulletin.terms import Terms
from jobs.reporting.score import Weights


@dataclass(frozen=True)
class Edition:
    """One issue of a bulletin. `until` is the cut-off, `before` where the period before it begins; moments are UTC.

    `reason` says why a revision after the first was made. `number` is the serial in the document number.
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
class Matter:
    """A ticket as everybody may read of it, with counts and state as of the cut-off.

    `is_found`: the lake found it; otherwise somebody asked.
    """

    id: str
    is_found: bool
    provider: str
    dataset: str
    rule: str
    field: str
    severity: str
    dimension: str
    message: str
    label: str
    deliveries: tuple[str, ...]
    failed_rows: int
    remaining_rows: int
    due_at: datetime | None
    is_open: bool
    is_overdue: bool
    recurred: bool
    upheld: bool


@dataclass(frozen=True)
class TicketFacts:
    """What the loop of tickets tells: figures by department, tickets, and the event of the chain that it ends with."""

    seq: int
    hash: str
    basis: Mapping[str, Any]
    figures: Mapping[str, tuple[Figure, ...]]
    matters: tuple[Matter, ...]

    def exempt(self) -> dict[tuple[str, str], str]:
        """Deliveries with rules that count for no score, each with the ticket whose dispute was upheld."""
        return {(delivery, one.rule): one.id for one in self.matters if one.upheld for delivery in one.deliveries}


@dataclass(frozen=True)
class BulletinFacts:
    """Everything. `providers` are told of in any case, `titles` are Chinese names of providers and datasets.

    `due_on` counts working days from a day.
    """

    edition: Edition
    judged: PeriodResults
    told: TicketFacts
    terms: Terms
    weights: Weights
    providers: frozenset[str]
    titles: Mapping[str, str]
    samples: Mapping[str, str]
    due_on: Callable[[date, int], str]

    def title(self, name: str) -> str:
        """The Chinese name; what has none is called by its id."""
        return self.titles.get(name) or name
