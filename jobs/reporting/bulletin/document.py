"""Facts of a bulletin → its JSON document: each number with its source, version and formula, and the ids behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from jobs.access.personal_numbers import masked_text
from jobs.lake.results import RULES, VERDICTS
from jobs.model.ticket import TicketSummary
from jobs.reporting.bulletin.demands import demands
from jobs.reporting.bulletin.facts import BulletinFacts
from jobs.reporting.bulletin.ranking import Entrant, Placed, ranked
from jobs.reporting.bulletin.results import Figure, result_figures
from jobs.reporting.labels import SEVERITY_ORDER

FORMAT = "city-lake/bulletin/1"
Document = dict[str, Any]
Figures = Mapping[str, tuple[Figure, ...]]


def bulletin_document(facts: BulletinFacts) -> Document:
    """The bulletin as plain values, ready for JSON; pages are rendered from it alone."""
    by_provider = result_figures(facts.results, facts.loop.exempt(), facts.weights)
    names = sorted(
        ({*by_provider, *facts.loop.figures} | facts.providers | {m.provider for m in facts.loop.tickets}) - {""}
    )
    figures = {name: (*_of(by_provider, name), *_of(facts.loop.figures, name)) for name in ("", *names)}
    places = _places(facts, {name: figures[name] for name in names})
    scores = {name: _values(figures[name]).get("score") for name in names}
    return {
        "format": FORMAT,
        **_head(facts),
        "sources": _sources(facts),
        "basis": {
            "terms": facts.terms.model_dump(),
            "weights": facts.weights.model_dump(),
            **facts.loop.basis,
        },
        "figures": [_figure(facts, figure) for figure in figures[""]],
        "departments": [_department(facts, place, figures[place.provider]) for place in places],
        "exempt": _exempt(facts),
        "cases": [_case(facts, ticket) for ticket in ticket_cases(facts)],
        "tickets": [_ticket(facts, ticket) for ticket in facts.loop.tickets],
        "batches": _batches(facts),
        "demands": [asdict(demand) for demand in demands(facts, scores, places)],
    }


def _exempt(facts: BulletinFacts) -> list[Document]:
    """Rule results excluded from scores, with the ticket whose dispute was upheld."""
    return [
        {"delivery": delivery, "rule": rule, "ticket": ticket}
        for (delivery, rule), ticket in sorted(facts.loop.exempt().items())
    ]


def ticket_cases(facts: BulletinFacts) -> list[TicketSummary]:
    """The open tickets of part three: the most severe first, then those with most rows left."""
    unresolved = [ticket for ticket in facts.loop.tickets if ticket.is_open and ticket.is_found and not ticket.upheld]
    unresolved.sort(key=lambda ticket: (SEVERITY_ORDER.get(ticket.severity, 9), -ticket.remaining_rows, ticket.id))
    return unresolved[: facts.terms.cases]


def _head(facts: BulletinFacts) -> Document:
    edition = facts.edition
    period = edition.period
    return {
        "period": {
            "name": period.name,
            "title": period.title,
            "since": period.since.isoformat(),
            "until": period.until.isoformat(),
            "before": edition.before.isoformat(),
            "earlier": period.earlier_word(),
        },
        "cut_off": edition.until.isoformat(),
        "timezone": edition.zone,
        "is_draft": edition.is_draft,
        "revision": edition.revision,
        "reason": masked_text(edition.reason),
        "number": edition.number,
        "bureau": edition.bureau,
        "issued_on": edition.issued_on.isoformat(),
        "made_at": edition.made_at.isoformat(),
    }


def _sources(facts: BulletinFacts) -> Document:
    loop, versions = facts.loop, facts.results.versions
    return {
        "ledger": {"table": "ledger.deliveries"},
        "verdicts": {"table": "results.verdicts", "version": versions[VERDICTS]},
        "rules": {"table": "results.rules", "version": versions[RULES]},
        "events": {"table": "ticket_event", "seq": loop.seq, "hash": loop.hash},
    }


def _figure(facts: BulletinFacts, figure: Figure) -> Document:
    origin = _sources(facts)[facts.terms.measure(figure.name).of]
    return {**asdict(figure), "source": " ".join(f"{key} {value}" for key, value in origin.items())}


def _department(facts: BulletinFacts, place: Placed, own_figures: Sequence[Figure]) -> Document:
    ranking = {key: value for key, value in asdict(place).items() if key != "before"}
    return {
        **ranking,
        "place_before": place.before,
        "department": facts.title(place.provider),
        "figures": [_figure(facts, figure) for figure in own_figures],
    }


def _places(facts: BulletinFacts, figures: Figures) -> list[Placed]:
    now = [_entrant(name, _values(own_figures)) for name, own_figures in figures.items()]
    before = [_entrant(name, {f.name: f.before for f in own_figures}) for name, own_figures in figures.items()]
    return ranked(now, before, facts.terms.ranking, facts.edition.period.months)


def _entrant(name: str, values: Mapping[str, float | None]) -> Entrant:
    return Entrant(
        provider=name,
        rows=int(values.get("rows") or 0),
        deliveries=int(values.get("deliveries") or 0),
        score=values.get("score"),
        punctual=values.get("punctual"),
        mended_in_time=values.get("mended_in_time"),
    )


def _ticket(facts: BulletinFacts, ticket: TicketSummary) -> Document:
    due = ticket.due_at.isoformat() if ticket.due_at else None
    formatted = {"message": masked_text(ticket.message), "due_at": due, "deliveries": list(ticket.deliveries)}
    return {
        **asdict(ticket),
        **formatted,
        "department": facts.title(ticket.provider),
        "title": facts.title(ticket.dataset),
    }


def _case(facts: BulletinFacts, ticket: TicketSummary) -> Document:
    return {"ticket": ticket.id, "sample": facts.samples.get(ticket.id, "")}


def _batches(facts: BulletinFacts) -> list[Document]:
    batches = []
    for batch in facts.results.now.batches:
        delivery, read = batch.delivery, batch.read()
        batches.append(
            {
                "id": delivery.id,
                "provider": delivery.provider,
                "department": facts.title(delivery.provider),
                "dataset": delivery.dataset,
                "title": facts.title(delivery.dataset),
                "received_at": delivery.received_at.isoformat(),
                "state": str(batch.verdict.state if batch.verdict else delivery.state),
                "rows": read.rows if read else None,
                "failed_rows": read.failed_rows if read else None,
            }
        )
    return batches


def _of(figures: Figures, name: str) -> tuple[Figure, ...]:
    """A department's figures; empty ones where it sent nothing or has no ticket."""
    return figures.get(name) or tuple(Figure(f.name, EMPTY.get(f.name), EMPTY.get(f.name)) for f in figures.get("", ()))


def _values(figures: Sequence[Figure]) -> dict[str, float | None]:
    return {figure.name: figure.value for figure in figures}


EMPTY: Mapping[str, float] = dict.fromkeys(
    ("deliveries", "sent_back", "rows", "failed_rows", "opening", "new", "closed", "closing", "overdue", "again"), 0
)
"""Counts are 0 where there is nothing; ratios have no value then."""
