"""Ledger, results and evidence → the facts of a bulletin, as they are or as a document cites them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.results import RULES, VERDICTS
from jobs.model.ticket import TicketSummary
from jobs.reporting.bulletin.document import ticket_cases
from jobs.reporting.bulletin.facts import BulletinFacts, Edition, TicketFacts
from jobs.reporting.bulletin.period import period
from jobs.reporting.bulletin.results import judged, latest_versions
from jobs.reporting.bulletin.terms import Terms, terms
from jobs.reporting.evidence import Evidence
from jobs.reporting.score import Weights, weights


@dataclass(frozen=True)
class TicketSide:
    """What tickets give to a bulletin: their facts, and the day so many working days after another."""

    told: TicketFacts
    due_on: Callable[[date, int], str]


def gathered(
    lake: Lake, registry: Registry, edition: Edition, tickets: TicketSide, cited: Mapping[str, Any] | None
) -> BulletinFacts:
    """The facts; with `cited`, by the versions, terms and weights of that document, and without samples."""
    versions = latest_versions(lake) if cited is None else versions_of(cited)
    facts = BulletinFacts(
        edition=edition,
        judged=judged(lake, registry, edition.before, (edition.period.since, edition.until), versions),
        loop=tickets.told,
        terms=Terms.model_validate(cited["basis"]["terms"]) if cited else terms(),
        weights=Weights.model_validate(cited["basis"]["weights"]) if cited else weights(),
        providers=frozenset(
            (d["provider"] for d in cited["departments"]) if cited else (c.provider for c in registry.sources())
        ),
        titles=_titles(registry),
        samples={},
        due_on=tickets.due_on,
    )
    if cited is not None:
        return facts
    return replace(facts, samples={one.id: _sample(lake, registry, one) for one in ticket_cases(facts)})


def versions_of(document: Mapping[str, Any]) -> dict[str, int | None]:
    """The versions of the results tables that a document cites."""
    return {name: document["sources"][name]["version"] for name in (VERDICTS, RULES)}


def citing(document: Mapping[str, Any], versions: Mapping[str, int | None]) -> dict[str, Any]:
    """The document as if it cited other versions of the results tables."""
    sources = document["sources"]
    return {**document, "sources": sources | {n: {**sources[n], "version": v} for n, v in versions.items()}}


def edition_of(document: Mapping[str, Any]) -> Edition:
    """The edition that a document says it is."""
    told = document["period"]
    return Edition(
        period=period(told["name"], document["timezone"]),
        before=datetime.fromisoformat(told["before"]),
        until=datetime.fromisoformat(document["cut_off"]),
        made_at=datetime.fromisoformat(document["made_at"]),
        issued_on=date.fromisoformat(document["issued_on"]),
        is_draft=document["is_draft"],
        revision=document["revision"],
        reason=document["reason"],
        number=document["number"],
        bureau=document["bureau"],
        zone=document["timezone"],
    )


def _titles(registry: Registry) -> dict[str, str]:
    """Chinese names of datasets and of their departments."""
    contracts = registry.sources()
    return {c.provider: c.department for c in contracts} | {c.id: c.title for c in contracts}


def _sample(lake: Lake, registry: Registry, one: TicketSummary) -> str:
    """One failing row of the newest delivery that has some, as everybody may see it; empty where there is none."""
    contract = registry.contracts.get(one.dataset)
    for delivery in reversed(one.deliveries):
        row = next(Evidence(lake, contract, delivery).rows(one.rule), None)
        if row is not None:
            value = f"，{row.field or '整行'}为“{row.value}”" if row.value else ""
            return f"{row.file}第{row.row}行（{row.key or '无主键'}）{value}"
    return ""
