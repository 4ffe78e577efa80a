"""What a bulletin demands: what is to be done, by whom, by when, and the tickets concerned."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from jobs.model.ticket import TicketSummary
from jobs.reporting.bulletin.facts import BulletinFacts
from jobs.reporting.bulletin.ranking import Placed

EACH, EACH_DUE = "各有关单位", "按工单时限"


@dataclass(frozen=True)
class Demand:
    """One line of part five; `due_on` is an ISO date, or a phrase where each ticket has its own."""

    what: str
    who: str
    due_on: str
    tickets: tuple[str, ...]


def demands(facts: BulletinFacts, scores: Mapping[str, float | None], places: Sequence[Placed]) -> list[Demand]:
    """Demands for overdue tickets, recurrences, low scores, and the rest."""
    by, tickets = facts.terms.demands, facts.loop.tickets
    overdue, recurred = filter(attrgetter("is_overdue"), tickets), filter(attrgetter("recurred"), tickets)
    late = _each(facts, overdue, "办结超期工单 {} 件", by.overdue_days)
    recurrences = _each(facts, recurred, "查明 {} 件问题重复发生的原因，在源头根治并书面反馈", by.recurred_days)
    low = [p.provider for p in places if p.place is not None and _is_low(scores.get(p.provider), by.low_score)]
    rest = tuple(ticket.id for ticket in tickets if ticket.is_open and not ticket.is_overdue)
    others = [Demand(f"按时限整改其余未办结工单 {len(rest)} 件", EACH, EACH_DUE, rest)] if rest else []
    return [*late, *recurrences, *_plans(facts, low), *others]


def _plans(facts: BulletinFacts, low: Iterable[str]) -> Iterator[Demand]:
    """A plan for better data from each department whose score is low."""
    by = facts.terms.demands
    due = facts.due_on(facts.edition.issued_on, by.low_score_days)
    for provider in low:
        yield Demand(f"质量总分低于 {by.low_score:g} 分，提出质量提升方案", facts.title(provider), due, ())


def _each(facts: BulletinFacts, tickets: Iterable[TicketSummary], what: str, days: int) -> Iterator[Demand]:
    """One demand per department."""
    ids_by_provider: dict[str, list[str]] = {}
    for ticket in tickets:
        ids_by_provider.setdefault(ticket.provider, []).append(ticket.id)
    due = facts.due_on(facts.edition.issued_on, days)
    for provider, ids in sorted(ids_by_provider.items()):
        yield Demand(what.format(len(ids)), facts.title(provider), due, tuple(ids))


def _is_low(score: float | None, limit: float) -> bool:
    return score is not None and score < limit
