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
    """The bulletin as plain values, ready for JSON; pages are made from nothing else."""
    judged = result_figures(facts.judged, facts.loop.exempt(), facts.weights)
    names = sorted(({*judged, *facts.loop.figures} | facts.providers | {m.provider for m in facts.loop.tickets}) - {""})
    every = {name: (*_of(judged, name), *_of(facts.loop.figures, name)) for name in ("", *names)}
    places = _places(facts, {name: every[name] for name in names})
    scores = {name: _values(every[name]).get("score") for name in names}
    return {
        "format": FORMAT,
        **_head(facts),
        "sources": _sources(facts),
        "basis": {
            "terms": facts.terms.model_dump(),
            "weights": facts.weights.model_dump(),
            **facts.loop.basis,
        },
        "figures": [_figure(facts, one) for one in every[""]],
        "departments": [_department(facts, one, every[one.provider]) for one in places],
        "exempt": _exempt(facts),
        "cases": [_case(facts, one) for one in ticket_cases(facts)],
        "tickets": [_ticket(facts, one) for one in facts.loop.tickets],
        "batches": _batches(facts),
        "demands": [asdict(one) for one in demands(facts, scores, places)],
    }


def _exempt(facts: BulletinFacts) -> list[Document]:
    """Rule results that count in no score, with the ticket whose dispute was upheld."""
    return [
        {"delivery": delivery, "rule": rule, "ticket": ticket}
        for (delivery, rule), ticket in sorted(facts.loop.exempt().items())
    ]


def ticket_cases(facts: BulletinFacts) -> list[TicketSummary]:
    """The open tickets that part three tells of: the gravest first, then those with most rows left."""
    left = [m for m in facts.loop.tickets if m.is_open and m.is_found and not m.upheld]
    left.sort(key=lambda m: (SEVERITY_ORDER.get(m.severity, 9), -m.remaining_rows, m.id))
    return left[: facts.terms.cases]


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
    loop, versions = facts.loop, facts.judged.versions
    return {
        "ledger": {"table": "ledger.deliveries"},
        "verdicts": {"table": "results.verdicts", "version": versions[VERDICTS]},
        "rules": {"table": "results.rules", "version": versions[RULES]},
        "events": {"table": "ticket_event", "seq": loop.seq, "hash": loop.hash},
    }


def _figure(facts: BulletinFacts, one: Figure) -> Document:
    origin = _sources(facts)[facts.terms.measure(one.name).of]
    return {**asdict(one), "source": " ".join(f"{key} {value}" for key, value in origin.items())}


def _department(facts: BulletinFacts, place: Placed, mine: Sequence[Figure]) -> Document:
    now = {key: value for key, value in asdict(place).items() if key != "before"}
    return {
        **now,
        "place_before": place.before,
        "department": facts.title(place.provider),
        "figures": [_figure(facts, one) for one in mine],
    }


def _places(facts: BulletinFacts, every: Figures) -> list[Placed]:
    now = [_entrant(name, _values(mine)) for name, mine in every.items()]
    before = [_entrant(name, {f.name: f.before for f in mine}) for name, mine in every.items()]
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


def _ticket(facts: BulletinFacts, one: TicketSummary) -> Document:
    due = one.due_at.isoformat() if one.due_at else None
    shown = {"message": masked_text(one.message), "due_at": due, "deliveries": list(one.deliveries)}
    return {**asdict(one), **shown, "department": facts.title(one.provider), "title": facts.title(one.dataset)}


def _case(facts: BulletinFacts, one: TicketSummary) -> Document:
    return {"ticket": one.id, "sample": facts.samples.get(one.id, "")}


def _batches(facts: BulletinFacts) -> list[Document]:
    found = []
    for batch in facts.judged.now.batches:
        delivery, read = batch.delivery, batch.read()
        found.append(
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
    return found


def _of(found: Figures, name: str) -> tuple[Figure, ...]:
    """A department's figures; one that sent nothing, or has no ticket, has them empty."""
    return found.get(name) or tuple(Figure(f.name, EMPTY.get(f.name), EMPTY.get(f.name)) for f in found.get("", ()))


def _values(mine: Sequence[Figure]) -> dict[str, float | None]:
    return {one.name: one.value for one in mine}


EMPTY: Mapping[str, float] = dict.fromkeys(
    ("deliveries", "sent_back", "rows", "failed_rows", "opening", "new", "closed", "closing", "overdue", "again"), 0
)
"""What is counted is 0 of nothing; what is divided has no value then."""
