"""Ledger, results and evidence → the facts of a bulletin, current or as a document cites them."""

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
from jobs.reporting.bulletin.results import latest_versions, period_results
from jobs.reporting.bulletin.terms import Terms, terms
from jobs.reporting.evidence import Evidence
from jobs.reporting.score import Weights, weights


@dataclass(frozen=True)
class TicketSide:
    """The ticket side of a bulletin: its facts, and a function that adds working days to a day."""

    facts: TicketFacts
    due_on: Callable[[date, int], str]


def gathered(
    lake: Lake, registry: Registry, edition: Edition, tickets: TicketSide, cited: Mapping[str, Any] | None
) -> BulletinFacts:
    """The facts; with `cited`, by the versions, terms and weights of that document, and without samples."""
    versions = latest_versions(lake) if cited is None else versions_of(cited)
    facts = BulletinFacts(
        edition=edition,
        results=period_results(lake, registry, edition.before, (edition.period.since, edition.until), versions),
        loop=tickets.facts,
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
    return replace(facts, samples={ticket.id: _sample(lake, registry, ticket) for ticket in ticket_cases(facts)})


def versions_of(document: Mapping[str, Any]) -> dict[str, int | None]:
    """The versions of the results tables that a document cites."""
    return {name: document["sources"][name]["version"] for name in (VERDICTS, RULES)}


def citing(document: Mapping[str, Any], versions: Mapping[str, int | None]) -> dict[str, Any]:
    """The document, citing other versions of the results tables."""
    sources = document["sources"]
    return {**document, "sources": sources | {n: {**sources[n], "version": v} for n, v in versions.items()}}


def edition_of(document: Mapping[str, Any]) -> Edition:
    """The edition of a document."""
    cited_period = document["period"]
    return Edition(
        period=period(cited_period["name"], document["timezone"]),
        before=datetime.fromisoformat(cited_period["before"]),
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


def _sample(lake: Lake, registry: Registry, ticket: TicketSummary) -> str:
    """One failing row of the newest delivery that has some, masked for everybody; empty where there is none."""
    contract = registry.contracts.get(ticket.dataset)
    for delivery in reversed(ticket.deliveries):
        row = next(Evidence(lake, contract, delivery).rows(ticket.rule), None)
        if row is not None:
            value = f"，{row.field or '整行'}为“{row.value}”" if row.value else ""
            return f"{row.file}第{row.row}行（{row.key or '无主键'}）{value}"
    return ""
