"""Entries of the catalogue against the lake: mounted, fresh, of the contract's schema, as good as promised, one authoritative source."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from jobs.collaboration import Tickets
from jobs.contracts import Contract, Field, Registry
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.ticket import CatalogueFault
from jobs.pipeline.catalogue import Record, records
from jobs.pipeline.ticket_store import open_tickets
from jobs.reporting.entries import Entry, Punctuality, entries, punctuality, regular_entries

MOUNTED, SCHEMA, FRESH, QUALITY, SOURCE = "mounted", "schema", "fresh", "quality", "authoritative_source"
WORDS: Mapping[str, Mapping[str, str]] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
"""Message and remedy of each check, and the promise of quality where a contract makes none."""


@dataclass(frozen=True)
class CatalogueCheck:
    """A check's faults, and the tickets that it opened and closed."""

    faults: tuple[CatalogueFault, ...]
    opened: tuple[str, ...]
    closed: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """A department's duties against what the lake has. Shares are None where nothing is due.

    `entries`: what its contracts say it owes; `published` of these are in the catalogue, `delivered` have curated rows,
    `mounted` of the published have; `punctual` of the deliveries due came in time.
    """

    provider: str
    department: str
    entries: int
    published: int
    delivered: int
    mounted: int
    punctual: int
    timed: int

    def delivered_share(self) -> float | None:
        """汇聚率: delivered of all that is owed."""
        return self.delivered / self.entries if self.entries else None

    def mounted_share(self) -> float | None:
        """挂接率: published entries with curated rows, of all published."""
        return self.mounted / self.published if self.published else None

    def punctual_share(self) -> float | None:
        """及时率: datasets whose newest delivery is not late, of those with an agreed cycle."""
        return self.punctual / self.timed if self.timed else None


def check_catalogue(lake: Lake, registry: Registry) -> CatalogueCheck:
    """The check as of now, in the lake's own state database."""
    with open_tickets(lake, registry) as tickets:
        return compare_catalogue(lake, registry, tickets, datetime.now(UTC))


def compare_catalogue(lake: Lake, registry: Registry, tickets: Tickets, now: datetime) -> CatalogueCheck:
    """Compare every published entry that is in use; each difference is a ticket of its department until it is gone."""
    found = tuple(_faults(lake, registry, records(registry, tickets, now), now))
    opened, closed = tickets.catalogue_compared(found, f"catalogue-{now:%Y%m%dT%H%M%S}", now)
    return CatalogueCheck(found, opened, closed)


def coverage(lake: Lake, registry: Registry, tickets: Tickets, now: datetime) -> tuple[Coverage, ...]:
    """By department, in the order of the contracts."""
    known, by_dataset = records(registry, tickets, now), _by_dataset(lake, registry)
    by_provider: dict[str, list[Record]] = {}
    for one in known:
        by_provider.setdefault(one.entry.provider, []).append(one)
    times = {r.entry.id: punctuality(registry.contract(r.entry.id), by_dataset.get(r.entry.id, ()), now) for r in known}
    return tuple(_covered(lake, own, times) for own in by_provider.values())


def _covered(lake: Lake, own: Sequence[Record], times: Mapping[str, Punctuality]) -> Coverage:
    there = {r.entry.id for r in own if _is_mounted(lake, r.entry.id)}
    published = {r.entry.id for r in own if r.versions}
    timed = [times[r.entry.id] for r in own if times[r.entry.id].due_at]
    return Coverage(
        provider=own[0].entry.provider,
        department=own[0].entry.department,
        entries=len(own),
        published=len(published),
        delivered=len(there),
        mounted=len(there & published),
        punctual=sum(not time.is_late for time in timed),
        timed=len(timed),
    )


def _faults(lake: Lake, registry: Registry, known: Sequence[Record], now: datetime) -> Iterator[CatalogueFault]:
    by_dataset = _by_dataset(lake, registry)
    in_use = [r for r in known if (found := r.attributes()) and found.status == "in_use"]
    for one in in_use:
        contract = registry.contract(one.entry.id)
        if not _is_mounted(lake, contract.id):
            yield _fault(MOUNTED, one)
            continue
        if difference := _difference(lake, contract):
            yield _fault(SCHEMA, one, difference=difference)
        mine = by_dataset.get(contract.id, ())
        time = punctuality(contract, mine, now)
        if time.is_late and time.due_at:
            yield _fault(FRESH, one, due=time.due_at.strftime("%Y-%m-%d"))
        yield from _quality(one, contract, mine)
    yield from source_faults(in_use, registry)


def _quality(one: Record, contract: Contract, mine: Sequence[Entry]) -> Iterator[CatalogueFault]:
    evaluated = [entry for entry in regular_entries(mine) if entry.scores.total is not None]
    promise = _number(contract.sla.get("quality", "")) or float(WORDS["defaults"]["quality"])
    if evaluated:
        score = evaluated[-1].scores.total
        if score is not None and score < promise:
            yield _fault(QUALITY, one, score=f"{score:.1f}", promise=f"{promise:g}")


def source_faults(in_use: Sequence[Record], registry: Registry) -> Iterator[CatalogueFault]:
    """Entries of several departments that each claim to be the authoritative source of one item about one thing."""
    claimed: dict[tuple[tuple[str, ...], str], list[Record]] = {}
    for one in in_use:
        for item in _claims(one, registry.contract(one.entry.id)):
            claimed.setdefault(item, []).append(one)
    for one in in_use:
        contract = registry.contract(one.entry.id)
        others = {item: _rivals(one, claimed[item]) for item in _claims(one, contract)}
        items = [contract.field(name).title for (_, name), rivals in others.items() if rivals]
        departments = dict.fromkeys(name for rivals in others.values() for name in rivals)
        if items:
            yield _fault(SOURCE, one, items="、".join(items), departments="、".join(departments))


def _claims(one: Record, contract: Contract) -> list[tuple[tuple[str, ...], str]]:
    """The items of which the entry is the authoritative source: what its rows are about, and the field."""
    found = one.attributes()
    if not contract.key() or found is None or not found.authoritative:
        return []
    about = tuple(identifier(contract, contract.field(name)) for name in contract.key())
    return [(about, field.name) for field in contract.fields if field.key_position is None and field.reference is None]


def identifier(contract: Contract, field: Field) -> str:
    """What a field of a key identifies: the field that it refers to, or its code; else no other dataset's rows.

    Numbers of water accounts and of gas accounts may have one name; they are numbers of different things.
    """
    return field.reference or field.code or f"{contract.id}.{field.name}"


def _rivals(one: Record, claimants: Sequence[Record]) -> list[str]:
    """Other departments that claim the same."""
    return [other.entry.department for other in claimants if other.entry.provider != one.entry.provider]


def _difference(lake: Lake, contract: Contract) -> str:
    """What the curated table lacks of the contract's fields, or has besides them; empty where they are equal."""
    table = lake.delta.open(lake.path(Zone.SILVER, contract.id))
    columns = {field.name for field in table.schema().fields} if table else set[str]()
    own = {name for name in columns if not name.startswith("_")}
    declared = {field.name for field in contract.fields}
    lacking, extra = sorted(declared - columns), sorted(own - declared)
    evolved = contract.layout.extra_columns == "evolve"
    parts = [
        f"缺少 {'、'.join(lacking)}" if lacking else "",
        f"多出 {'、'.join(extra)}" if extra and not evolved else "",
    ]
    return "；".join(filter(None, parts))


def _by_dataset(lake: Lake, registry: Registry) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries(lake, registry):
        found.setdefault(entry.delivery.dataset, []).append(entry)
    return found


def _is_mounted(lake: Lake, dataset: str) -> bool:
    return lake.delta.version(lake.path(Zone.SILVER, dataset)) is not None


def _fault(check: str, one: Record, **said: str) -> CatalogueFault:
    words = WORDS[check]
    message, remedy = (words[name].format(title=one.entry.title, **said) for name in ("message", "remedy"))
    return CatalogueFault(check, one.entry.id, one.entry.provider, message, remedy)


def _number(text: str) -> float | None:
    digits = text.rstrip("%abcdefghijklmnopqrstuvwxyz ")
    try:
        return float(digits)
    except ValueError:
        return None
