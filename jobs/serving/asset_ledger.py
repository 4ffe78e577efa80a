"""The ledger of assets, put together from contracts, lake, tickets, the log of queries and the registers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from jobs.catalogue.assets import Asset, valuation
from jobs.catalogue.entry import Entry, entries
from jobs.catalogue.lineage import Graph, Node, zone_of
from jobs.catalogue.registers import ASSETS, RegisterItem
from jobs.collaboration import Tickets
from jobs.collaboration.ticket_tables import TicketRow
from jobs.contracts import Registry
from jobs.lake.database import utc
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.registers import CityRegisters
from jobs.pipeline.storage_use import newest_storage
from jobs.reporting.entries import Entry as DeliveryEntry
from jobs.reporting.entries import regular_entries
from jobs.serving.sql.query_tables import QueryRow

REQUESTS = ("correction", "objection")
"""Kinds of tickets that are requests about records."""


@dataclass(frozen=True)
class Ledger:
    """All assets, as of a moment; `measured`: the day of the sizes, YYYY-MM-DD, empty where none was measured."""

    assets: tuple[Asset, ...]
    measured: str


@dataclass(frozen=True)
class Sources:
    """What the ledger is read from; `deliveries` are all, in order of arrival."""

    lake: Lake
    registry: Registry
    tickets: Tickets
    deliveries: Sequence[DeliveryEntry]


def asset_ledger(of: Sources, now: datetime) -> Ledger:
    """The ledger as of now."""
    day, sizes = newest_storage(of.lake)
    records = CityRegisters(of.lake, of.registry, of.tickets).items(now)
    items = [record.current() for record in records if record.versions]  # a draft registers nothing
    registrations, users = _by_dataset(items)
    scores = {e.delivery.dataset: e.scores.total for e in regular_entries(of.deliveries) if e.scores.total is not None}
    counted = _Counts(
        queries=_queries(of.tickets, now - timedelta(days=valuation().days)),
        products=_products(of.registry),
        items=Counter(users),
        requests=_requests(of.tickets),
        registrations=registrations,
    )
    assets = (_asset(of.lake, one, sizes.get(one.id), scores.get(one.id), counted) for one in entries(of.registry))
    return Ledger(tuple(assets), day)


def _by_dataset(items: Sequence[RegisterItem]) -> tuple[dict[str, RegisterItem], list[str]]:
    """Registrations of assets by dataset, and the datasets of each other item."""
    registrations, users = dict[str, RegisterItem](), list[str]()
    for item in items:
        if item.register_name == ASSETS:
            registrations |= dict.fromkeys(item.datasets, item)
        else:
            users += item.datasets
    return registrations, users


@dataclass(frozen=True)
class _Counts:
    queries: Mapping[str, int]
    products: Mapping[str, int]
    items: Mapping[str, int]
    requests: Mapping[str, int]
    registrations: Mapping[str, RegisterItem]


def _asset(lake: Lake, one: Entry, size: int | None, score: float | None, counted: _Counts) -> Asset:
    registration = counted.registrations.get(one.id)
    facts = registration.facts if registration else {}
    return Asset(
        id=one.id,
        title=one.title,
        is_product=one.is_product,
        provider=one.provider,
        owner=one.department or one.owner,
        grade=one.grade(),
        rows=_rows(lake, one),
        size=size,
        score=score,
        queries=counted.queries.get(one.id, 0),
        products=counted.products.get(one.id, 0),
        items=counted.items.get(one.id, 0),
        requests=counted.requests.get(one.id, 0),
        registration=facts.get("registration_state", ""),
        number=facts.get("registration_number", ""),
    )


def _rows(lake: Lake, one: Entry) -> int:
    """Rows of the curated table, by its log."""
    path = lake.path(Zone.GOLD if one.is_product else Zone.SILVER, one.id)
    return lake.delta.count(path) if lake.delta.version(path) is not None else 0


def _products(registry: Registry) -> Mapping[str, int]:
    """Number of products made from each dataset, directly or not."""
    graph = Graph(registry)
    return {
        one.id: sum(after.zone is Zone.GOLD for after in graph.tables_after(Node(zone_of(one), one.id)))
        for one in (*registry.sources(), *registry.products())
    }


def _queries(tickets: Tickets, since: datetime) -> Mapping[str, int]:
    """Answered queries that named each dataset."""
    found = Counter[str]()
    query = select(QueryRow.tables).where(QueryRow.at >= utc(since), QueryRow.outcome == "answered")
    with tickets.database.session() as session:
        for tables in session.scalars(query):
            found.update({table.partition(".")[2].partition("@")[0] for table in tables})
    return found


def _requests(tickets: Tickets) -> Mapping[str, int]:
    """Requests for a correction and objections, by dataset."""
    query = select(TicketRow.dataset, func.count()).where(TicketRow.kind.in_(REQUESTS)).group_by(TicketRow.dataset)
    with tickets.database.session() as session:
        return {dataset: count for dataset, count in session.execute(query)}
