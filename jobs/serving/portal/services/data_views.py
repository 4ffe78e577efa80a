"""What the pages of datasets, deliveries and departments show."""

from dataclasses import dataclass

from jobs.collaboration.ticket_queries import TicketCounts
from jobs.contracts import Contract, Rule
from jobs.model.delivery import Delivery, State
from jobs.model.rule_result import RuleRow
from jobs.model.verdict import Verdict
from jobs.reporting.entries import Entry, Punctuality
from jobs.reporting.score import Scores
from jobs.reporting.trends import Trend
from jobs.serving.portal.county_map import CountyMap
from jobs.serving.portal.services.samples import Sample


@dataclass(frozen=True)
class DatasetView:
    """A dataset as the actor may see it; entries are None where they are another department's."""

    contract: Contract
    rules: tuple[Rule, ...]
    entries: tuple[Entry, ...] | None
    answers: tuple[Entry, ...]
    time: Punctuality | None
    trends: tuple[Trend, ...]
    sample: Sample | None
    note: str
    may_upload: bool


@dataclass(frozen=True)
class DeliveryView:
    """A delivery with its verdict and reason; `verdict` is None before it is evaluated."""

    delivery: Delivery
    contract: Contract | None
    verdict: Verdict | None
    failing: tuple[RuleRow, ...]
    scores: Scores
    reports: tuple[str, ...]
    reason: str
    note: str

    def state(self) -> State:
        """What the lake decided; the ledger's state before that."""
        return self.verdict.state if self.verdict else self.delivery.state


@dataclass(frozen=True)
class DepartmentView:
    """A department: its datasets with their last deliveries, its tickets, its metrics."""

    provider: str
    name: str
    times: tuple[Punctuality, ...]
    trends: tuple[Trend, ...]
    score: float | None
    tally: TicketCounts
    note: str


@dataclass(frozen=True)
class Ranked:
    """A department in the city's ranking; equal scores share a rank, None has no score yet."""

    rank: int | None
    provider: str
    name: str
    score: float | None
    deliveries: int
    tally: TicketCounts


@dataclass(frozen=True)
class Overview:
    """The city for those who lead it."""

    ranked: tuple[Ranked, ...]
    map: CountyMap
    tally: TicketCounts
    late: tuple[Punctuality, ...]
    note: str
