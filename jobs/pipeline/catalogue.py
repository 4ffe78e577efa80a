"""The catalogue as the city keeps it: entries from contracts, with the attributes that departments state and the authority publishes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from jobs.catalogue.attributes import Attributes, Difference, differences, parsed, shortcomings
from jobs.catalogue.attributes import read as read_attributes
from jobs.catalogue.entry import Entry, entries
from jobs.catalogue.list_import import Matched, Matching, match
from jobs.collaboration import TicketQuery, Tickets
from jobs.contracts import Registry
from jobs.errors import Unknown, UserError
from jobs.ingest.sheets import read_sheets
from jobs.model.actor import Actor
from jobs.model.ticket import Draft, Published, Ticket
from jobs.pipeline.ticket_store import open_ones

CHANGE: Final = "catalogue_change"
DRAFT, CHANGING, RETIRED = "草稿", "变更中", "已停用"


@dataclass(frozen=True)
class Record:
    """An entry with its published versions, oldest first, and its open change."""

    entry: Entry
    versions: tuple[Published, ...]
    change: Ticket | None

    def attributes(self) -> Attributes | None:
        """Those in force; None before the first version is published."""
        return read_attributes(self.versions[-1].content) if self.versions else None

    def state(self) -> str:
        """The entry's state in Chinese."""
        found = self.attributes()
        if found is None:
            return self.change.label if self.change else "未编制"
        if self.change:
            return f"{CHANGING}（{self.change.label}）"
        return RETIRED if found.status == "retired" else "已发布"

    def proposed(self) -> Attributes | None:
        """The attributes of the open change, else those in force."""
        return read_attributes(self.change.record) if self.change else self.attributes()

    def pending(self) -> list[Difference]:
        """What the open change would alter."""
        return differences(self.attributes(), read_attributes(self.change.record)) if self.change else []

    def shortcomings(self) -> list[str]:
        """What the open change lacks before it can be submitted, in Chinese."""
        return shortcomings(read_attributes(self.change.record), self.entry) if self.change else []


def records(registry: Registry, tickets: Tickets, at: datetime) -> tuple[Record, ...]:
    """Every entry of what departments deliver, in the order of the contracts."""
    versions: dict[str, list[Published]] = {}
    for one in tickets.published(CHANGE):
        versions.setdefault(one.subject, []).append(one)
    changes = {ticket.dataset: ticket for ticket in open_ones(tickets, TicketQuery(kind=CHANGE), at)}
    return tuple(
        Record(entry, tuple(versions.get(entry.id, ())), changes.get(entry.id))
        for entry in entries(registry)
        if not entry.is_product
    )


def record(registry: Registry, tickets: Tickets, dataset: str, at: datetime) -> Record:
    """One entry; Unknown where no department delivers such a dataset."""
    entry = next((e for e in entries(registry) if e.id == dataset and not e.is_product), None)
    if entry is None:
        raise Unknown(f"没有数据集 {dataset}")
    changes = tuple(open_ones(tickets, TicketQuery(kind=CHANGE, dataset=dataset), at))
    return Record(entry, tickets.published(CHANGE, dataset), changes[0] if changes else None)


def propose(
    registry: Registry, tickets: Tickets, dataset: str, stated: Mapping[str, object], act: tuple[Actor, datetime]
) -> str:
    """Id of the ticket of the entry's change, new or revised; it may be incomplete. UserError lists what is unknown."""
    actor, at = act
    known = record(registry, tickets, dataset, at)
    found = parsed(stated, known.entry)
    if not differences(known.proposed(), found):
        raise UserError(f"{known.entry.title}：与{'草稿' if known.change else '现行版本'}相同，没有需要变更的内容")
    if known.change:
        tickets.revised(known.change, found.text(), actor, at)
        return known.change.id
    word = "目录变更" if known.versions else "目录编制"
    draft = Draft(CHANGE, dataset, known.entry.provider, f"{word}：{known.entry.title}", found.text())
    return tickets.drafted(draft, actor, at)


@dataclass(frozen=True)
class Imported:
    """A row of a department's list, and what came of it: the ticket of its draft, or why there is none, in Chinese.

    `lacking`: what the draft still lacks before it can be submitted.
    """

    place: str
    title: str
    ticket: str
    reason: str
    lacking: tuple[str, ...] = ()


def import_list(
    registry: Registry, tickets: Tickets, file: Path, act: tuple[Actor, datetime]
) -> tuple[Matching, tuple[Imported, ...]]:
    """Drafts from a department's own list; what does not match is in the matching, and changes nothing."""
    actor, at = act
    own = {r.entry.id: r for r in records(registry, tickets, at) if r.entry.provider == actor.department}
    codes = {found.code: id_ for id_, r in own.items() if (found := r.attributes())}
    matching = match(file.name, read_sheets(file), [r.entry for r in own.values()], codes)
    outcomes = []
    for one in matching.matched:
        if one.row.faults:
            outcomes.append(Imported(one.row.place, one.row.title, "", "；".join(one.row.faults)))
        else:
            outcomes.append(_drafted(registry, tickets, one, own[one.entry.id], act))
    return matching, tuple(outcomes)


def _drafted(
    registry: Registry, tickets: Tickets, one: Matched, known: Record, act: tuple[Actor, datetime]
) -> Imported:
    """The row as a draft; what it leaves unsaid stays as it is."""
    earlier = known.proposed()
    stated = (earlier.model_dump() if earlier else {}) | dict(one.row.stated)
    try:
        ticket = propose(registry, tickets, one.entry.id, stated, act)
    except UserError as error:
        return Imported(one.row.place, one.row.title, "", str(error))
    lacking = shortcomings(parsed(stated, one.entry), one.entry)
    return Imported(one.row.place, one.row.title, ticket, "", tuple(lacking))
