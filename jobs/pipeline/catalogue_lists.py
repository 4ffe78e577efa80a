"""The lists of a city: their published versions, what they would say now, and the next version."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from jobs.catalogue import licences, lists
from jobs.catalogue.entry import entries
from jobs.collaboration import TicketQuery, Tickets
from jobs.contracts import Registry
from jobs.errors import InvalidTransition, Unknown, UserError
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.model.ticket import Draft, Published, Ticket
from jobs.pipeline.catalogue import records
from jobs.pipeline.licence_samples import sample_name, samples
from jobs.pipeline.ticket_store import open_ones
from jobs.reporting.list_document import ListDocument, written
from jobs.settings import Settings

RELEASE: Final = "list_release"


@dataclass(frozen=True)
class ListVersions:
    """A list: its published versions, its rows as of now, what would change, and the open release."""

    kind: lists.ListKind
    versions: tuple[Published, ...]
    rows: tuple[lists.Row, ...]
    release: Ticket | None

    def published(self, version: int) -> list[lists.Row]:
        """The rows of a version, counting from 1; none of version 0."""
        return lists.read(self.versions[version - 1].content) if version else []

    def changes(self) -> list[lists.Change]:
        """What differs now from the newest published version."""
        return lists.changes(self.published(len(self.versions)), self.rows)

    def changes_of(self, version: int) -> list[lists.Change]:
        """What a published version changed."""
        return lists.changes(self.published(version - 1), self.published(version))


@dataclass(frozen=True)
class CityLists:
    """The lists of a city, from the published entries of its catalogue and the licences in the lake."""

    lake: Lake
    registry: Registry
    tickets: Tickets

    def versions(self, name: str, at: datetime) -> ListVersions:
        """One of the lists; Unknown where there is none of that name."""
        kind = lists.LISTS.get(name)
        if kind is None:
            raise Unknown(f"没有清单 {name}；可以是：{'、'.join(f'{k.id}（{k.title}）' for k in lists.LISTS.values())}")
        releases = tuple(open_ones(self.tickets, TicketQuery(kind=RELEASE, dataset=name), at))
        rows = self._entries(kind, at) if kind.holds else self._licences(at)
        return ListVersions(kind, self.tickets.published(RELEASE, name), tuple(rows), releases[0] if releases else None)

    def draw_up(self, name: str, actor: Actor, at: datetime) -> str:
        """Id of the ticket of a list's next version, as of now; a draft that exists is made anew."""
        found = self.versions(name, at)
        content = lists.text(found.rows)
        if not found.changes():
            raise UserError(f"{found.kind.title}与已发布的第 {len(found.versions)} 版相同，无须发布新版")
        if found.release is None:
            message = f"{found.kind.title}第 {len(found.versions) + 1} 版"
            return self.tickets.drafted(Draft(RELEASE, name, "bureau", message, content), actor, at)
        if content == found.release.record:
            raise InvalidTransition(f"{found.release.message}已是最新内容（{found.release.id}，{found.release.label}）")
        self.tickets.revised(found.release, content, actor, at)
        return found.release.id

    def _entries(self, kind: lists.ListKind, at: datetime) -> list[lists.Row]:
        known = records(self.registry, self.tickets, at)
        return lists.rows(kind, [(r.entry, found) for r in known if (found := r.attributes())])

    def _licences(self, at: datetime) -> list[lists.Row]:
        """The rows of all datasets that hold licences, as of the local day."""
        day, found = at.astimezone(ZoneInfo(self.lake.settings.timezone)).date(), list[lists.Row]()
        by_id, known = {entry.id: entry for entry in entries(self.registry)}, samples(self.lake)
        for contract in self.registry.sources():
            table = self.lake.delta.open(self.lake.path(Zone.SILVER, contract.id)) if contract.licences else None
            if contract.licences and table is not None:
                columns = list(dict.fromkeys(contract.licences.fields()))
                rows = table.to_pyarrow_table(columns=columns)
                counted = licences.rows(by_id[contract.id], contract.licences, rows, day, lists.KEY)
                found += [row | {licences.FILE: _there(known, contract.id, row)} for row in counted]
        return found


def _there(known: Mapping[str, str], dataset: str, row: lists.Row) -> str:
    """Whether there is a sample file of the row's type, in Chinese."""
    return licences.THERE if sample_name(known, dataset, row[licences.TYPE]) else ""


def sample_links(lake: Lake, rows: Iterable[lists.Row]) -> Mapping[str, str]:
    """Key of a row of the list of licences → name of the sample file of its type, where there is one."""
    known = samples(lake)
    named = {row[lists.KEY]: sample_name(known, row[lists.KEY].partition(":")[0], row[licences.TYPE]) for row in rows}
    return {key: name for key, name in named.items() if name}


def list_file(found: ListVersions, number: int, ending: str, settings: Settings) -> tuple[bytes, str]:
    """A published version as a file, xlsx or pdf, with its media type; Unknown where there is none."""
    if not 1 <= number <= len(found.versions):
        raise Unknown(f"{found.kind.title}没有第 {number} 版")
    version = found.versions[number - 1]
    document = ListDocument(
        title=found.kind.title,
        columns=found.kind.columns,
        rows=tuple(found.published(number)),
        number=str(version.facts.get("document_number", "")),
        version=number,
        at=version.at.astimezone(ZoneInfo(settings.timezone)),
    )
    return written(document, ending, settings)
