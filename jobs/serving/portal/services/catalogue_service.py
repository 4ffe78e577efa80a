"""The catalogue and the lists for an actor: everybody reads them; departments propose, the authority publishes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.access import rights
from jobs.access.policy import Right
from jobs.catalogue.attributes import TITLES, Difference, differences
from jobs.catalogue.attributes import read as read_attributes
from jobs.catalogue.lists import LISTS, Change
from jobs.catalogue.lists import changes as list_changes
from jobs.catalogue.lists import read as read_rows
from jobs.errors import NotAllowed, ServiceUnavailable
from jobs.lake.session import is_unavailable
from jobs.model.actor import Actor
from jobs.model.ticket import Published, Ticket
from jobs.pipeline.catalogue import (
    CHANGE,
    Record,
    propose,
    record,
    records,
)
from jobs.pipeline.catalogue_check import Coverage
from jobs.pipeline.catalogue_lists import RELEASE, CityLists, ListVersions, list_file, sample_links
from jobs.pipeline.document_checks import ENTRY_COMPLETE, ITEM_COMPLETE, document_checks
from jobs.pipeline.licence_samples import sample_file
from jobs.pipeline.registers import ITEM
from jobs.serving.portal.context import Portal

FLAGS = ("authoritative",)
COMPLETE: Mapping[str, str] = {CHANGE: ENTRY_COMPLETE, ITEM: ITEM_COMPLETE}
"""Kind of document → the check of its completeness."""


@dataclass(frozen=True)
class VersionView:
    """A published version and what it changed."""

    version: Published
    changes: tuple[Difference, ...]


@dataclass(frozen=True)
class RecordView:
    """An entry with its versions, newest first, and whether the actor may change it."""

    record: Record
    versions: tuple[VersionView, ...]
    may_edit: bool


@dataclass(frozen=True)
class CatalogueService:
    """What the actor may see and do of the catalogue."""

    portal: Portal
    actor: Actor

    def records(self) -> tuple[Record, ...]:
        """All entries."""
        return records(self.portal.registry(), self.portal.tickets, self.portal.now())

    def coverage(self) -> tuple[tuple[Coverage, ...], str]:
        """What departments owe and what the lake has, and a note in Chinese where it cannot be read."""
        try:
            return self.portal.coverage.get(), ""
        except Exception as error:
            if not isinstance(error, ServiceUnavailable) and not is_unavailable(error):
                raise
            return (), "对象存储暂时无响应，汇聚情况稍后再看"

    def record(self, dataset: str) -> RecordView:
        """One entry."""
        found = record(self.portal.registry(), self.portal.tickets, dataset, self.portal.now())
        versions, before = [], None
        for version in found.versions:
            after = read_attributes(version.content)
            versions.append(VersionView(version, tuple(differences(before, after))))
            before = after
        is_own = rights.may_deliver(self.actor, found.entry.provider)
        is_draft = found.change is None or found.change.state == "draft"
        return RecordView(found, tuple(reversed(versions)), is_own and is_draft)

    def propose(self, dataset: str, filled: Mapping[str, str]) -> str:
        """Id of the ticket of a change, as filled in."""
        entry = record(self.portal.registry(), self.portal.tickets, dataset, self.portal.now()).entry
        if not rights.may_deliver(self.actor, entry.provider):
            raise NotAllowed(f"「{entry.title}」的目录由{entry.department}的填报员或审核员编制")
        stated: dict[str, object] = {name: filled[name] for name in TITLES if name in filled}
        stated |= {name: filled.get(name) != "false" for name in FLAGS}
        act = (self.actor, self.portal.now())
        return propose(self.portal.registry(), self.portal.tickets, dataset, stated, act)

    def list_versions(self, name: str) -> ListVersions:
        """One list."""
        return self._lists().versions(name, self.portal.now())

    def may_draw_up(self) -> bool:
        """Whether the actor draws up lists."""
        return rights.may(self.actor, Right.MEDIATE)

    def draw_up(self, name: str) -> str:
        """Id of the ticket of a list's next version."""
        if not self.may_draw_up():
            raise NotAllowed("清单由质量专员编制")
        return self._lists().draw_up(name, self.actor, self.portal.now())

    def sample_links(self, found: ListVersions) -> Mapping[str, str]:
        """Key of a published row of the list of licences → name of the sample file of its type."""
        return {} if found.kind.holds else sample_links(self.portal.lake, found.published(len(found.versions)))

    def sample(self, name: str) -> tuple[bytes, str]:
        """A sample file of a type of licence, as bytes with their media type."""
        return sample_file(self.portal.lake, name)

    def list_file(self, name: str, number: int, ending: str) -> tuple[ListVersions, bytes, str]:
        """A list, one of its published versions as a file, and the file's media type."""
        found = self.list_versions(name)
        return found, *list_file(found, number, ending, self.portal.settings)

    def changes(self, ticket: Ticket) -> tuple[list[Difference], list[Change]]:
        """What a document's ticket changes: attributes of an entry, or entries of a list."""
        if ticket.kind == CHANGE:
            earlier = self._before(ticket)
            before = read_attributes(earlier.content) if earlier else None
            return differences(before, read_attributes(ticket.record)), []
        if ticket.kind == RELEASE and ticket.dataset in LISTS:
            earlier = self._before(ticket)
            return [], list_changes(read_rows(earlier.content) if earlier else [], read_rows(ticket.record))
        return [], []

    def shortcomings(self, ticket: Ticket) -> Sequence[str]:
        """What an open change of an entry, or of an item of a register, lacks before it can be submitted, in Chinese."""
        check = COMPLETE.get(ticket.kind)
        if check is None or ticket.closed_at is not None:
            return ()
        return document_checks(self.portal.registry)[check](ticket.dataset, ticket.record)

    def _lists(self) -> CityLists:
        return CityLists(self.portal.lake, self.portal.registry(), self.portal.tickets)

    def _before(self, ticket: Ticket) -> Published | None:
        """The version before the ticket's own, else the newest."""
        before = None
        for version in self.portal.tickets.published(ticket.kind, ticket.dataset):
            if version.ticket == ticket.id:
                break
            before = version
        return before
