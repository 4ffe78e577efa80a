"""Registers of the city: items proposed, certified from the lake, reviewed in the state machine, and counted against the plan."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from jobs.catalogue.counting import DatasetState, Reviewed
from jobs.catalogue.croissant import card
from jobs.catalogue.registers import (
    Certificate,
    RegisterItem,
    Selection,
    checked,
    lack_of_basis,
    read,
    registers,
    shortcomings,
)
from jobs.catalogue.training_rows import certificate, checked_selection, json_lines
from jobs.collaboration import TicketQuery, Tickets
from jobs.contracts import Contract, Registry
from jobs.errors import Unknown, UserError
from jobs.lake.lake import Lake
from jobs.lake.zones import TablePath, Zone
from jobs.model.actor import Actor
from jobs.model.ticket import Draft, Published, Ticket
from jobs.pipeline.catalogue import records
from jobs.pipeline.ticket_store import open_ones
from jobs.reporting.entries import Entry, punctuality, regular_entries

ITEM: Final = "register_item"


@dataclass(frozen=True)
class ItemRecord:
    """An item with its published versions, oldest first, and its open change."""

    versions: tuple[Published, ...]
    change: Ticket | None

    def current(self) -> RegisterItem:
        """The newest published version; the draft where none is published."""
        return read(self.versions[-1].content) if self.versions else self.proposed()

    def proposed(self) -> RegisterItem:
        """The open change, else the newest version."""
        return read(self.change.record if self.change else self.versions[-1].content)

    def reviewed(self) -> Reviewed:
        """The item, and when its newest version was published."""
        return Reviewed(self.current(), self.versions[-1].at if self.versions else None)

    def state(self) -> str:
        """The item's state in Chinese."""
        if not self.change:
            return "已发布"
        return f"变更中（{self.change.label}）" if self.versions else self.change.label


@dataclass(frozen=True)
class CityRegisters:
    """The registers of a city."""

    lake: Lake
    registry: Registry
    tickets: Tickets

    def items(self, at: datetime) -> tuple[ItemRecord, ...]:
        """All items, in order of their ids."""
        versions: dict[str, list[Published]] = {}
        for one in self.tickets.published(ITEM):
            versions.setdefault(one.subject, []).append(one)
        changes = {ticket.dataset: ticket for ticket in open_ones(self.tickets, TicketQuery(kind=ITEM), at)}
        return tuple(
            ItemRecord(tuple(versions.get(id_, ())), changes.get(id_)) for id_ in sorted({*versions, *changes})
        )

    def item(self, id_: str, at: datetime) -> ItemRecord:
        """One item; Unknown where there is none."""
        versions = self.tickets.published(ITEM, id_)
        changes = tuple(open_ones(self.tickets, TicketQuery(kind=ITEM, dataset=id_), at))
        if not versions and not changes:
            raise Unknown(f"登记册中没有 {id_}")
        return ItemRecord(versions, changes[0] if changes else None)

    def propose(self, stated: Mapping[str, object], act: tuple[Actor, datetime]) -> str:
        """Id of the ticket of an item's change, new or revised. An item without an id is a new one.

        It may be incomplete. A set of rows is certified from the lake as it is now. UserError lists what is wrong, all at once.
        """
        actor, at = act
        id_ = str(stated.get("id", ""))
        known = self.item(id_, at) if id_ else None
        provider = known.current().provider if known else actor.department
        given = {**stated, "provider": provider, "id": id_ or self._next_id(str(stated.get("register_name", "")), at)}
        found = self._certified(checked({**given, "certificate": None}, self.registry), known, at)
        if known and found == known.proposed():
            raise UserError(f"{found.title}：与{'草稿' if known.change else '现行版本'}相同，没有需要变更的内容")
        if known and known.change:
            self.tickets.revised(known.change, found.text(), actor, at)
            return known.change.id
        word = f"{registers().register(found.register_name).title}登记"
        draft = Draft(ITEM, found.id, provider, f"{word}：{found.title}", found.text())
        return self.tickets.drafted(draft, actor, at)

    def shortcomings(self, change: Ticket | None) -> list[str]:
        """What an open change of an item lacks before it can be submitted, in Chinese."""
        return shortcomings(read(change.record), self.registry) if change else []

    def selection(self, text: str, condition: str) -> Selection:
        """The selection `dataset:version:column,column`, in which the version may be `newest`; UserError for other texts."""
        parts = text.split(":")
        if len(parts) != 3 or not (parts[1] == "newest" or (parts[1].isascii() and parts[1].isdigit())):
            raise UserError(f"数据行「{text}」写作 数据集:版本:字段,字段，例如 divisions:newest:division_code")
        dataset, version, columns = parts
        if dataset not in self.registry.contracts:
            raise UserError(f"没有数据集 {dataset}")
        newest = self.lake.delta.version(self._path(self.registry.contract(dataset)))
        if newest is None:
            raise UserError(f"{self.registry.contract(dataset).title} 还没有数据，不能取作训练集")
        names = tuple(filter(None, (name.strip() for name in columns.split(","))))
        chosen = newest if version == "newest" else int(version)
        if chosen > newest:
            raise UserError(f"{dataset} 没有第 {chosen} 版；最新的是第 {newest} 版")
        return Selection(dataset=dataset, version=chosen, condition=condition.strip(), columns=names)

    def recomputed(self, item: RegisterItem, at: datetime) -> Certificate:
        """The certificate computed again from the registered version; UserError where that is no longer readable."""
        selection, contract = self._selected(item)
        return certificate(self._table(selection, contract), selection, contract, at)

    def rows(self, item: RegisterItem) -> Iterator[bytes]:
        """The rows of an item as JSON lines."""
        selection, contract = self._selected(item)
        return json_lines(self._table(selection, contract), selection, contract)

    def card(self, record: ItemRecord) -> str:
        """The Croissant card of a published set of rows; UserError where the item is none."""
        item = record.current()
        if not record.versions or item.selection is None or item.certificate is None:
            raise UserError(f"{item.id} 不是已发布的训练集，没有数据卡片")
        settings, version = self.lake.settings, record.versions[-1]
        day = version.at.astimezone(ZoneInfo(settings.timezone)).date().isoformat()
        address = f"{settings.portal_url.rstrip('/')}/registers/items/{item.id}"
        return card(item, self.registry.contract(item.selection.dataset), (version.version, day), address)

    def _next_id(self, register: str, at: datetime) -> str:
        prefix = registers().register(register).prefix
        numbers = [int(r.current().id.split("-")[1]) for r in self.items(at) if r.current().register_name == register]
        return f"{prefix}-{max(numbers, default=0) + 1:04d}"

    def _certified(self, item: RegisterItem, known: ItemRecord | None, at: datetime) -> RegisterItem:
        """The item with a certificate: the existing one where its rows are the same as before."""
        if item.selection is None:
            return item
        before = known.proposed() if known else None
        if before and before.selection == item.selection:
            return item.model_copy(update={"certificate": before.certificate})
        selection, contract = self._selected(item)
        checked_selection(selection, contract)
        made = certificate(self._table(selection, contract), selection, contract, at)
        if unfounded := lack_of_basis(item, made.grade):
            raise UserError(f"{item.title}：{unfounded}")
        self.lake.delta.keep_log(self._path(contract))
        scored, score = self._score(contract)
        return item.model_copy(
            update={"certificate": made.model_copy(update={"score": score, "scored_delivery": scored})}
        )

    def _score(self, contract: Contract) -> tuple[str, float | None]:
        """The newest evaluated delivery and its total score; empty and None where there is none."""
        from jobs.reporting.entries import entries  # reads the results of the whole lake

        mine = [e for e in regular_entries(entries(self.lake, self.registry)) if e.delivery.dataset == contract.id]
        evaluated = [e for e in mine if e.scores.total is not None]
        return (evaluated[-1].delivery.id, evaluated[-1].scores.total) if evaluated else ("", None)

    def _selected(self, item: RegisterItem) -> tuple[Selection, Contract]:
        if item.selection is None:
            raise UserError(f"{item.id} {item.title} 不是数据行的集合")
        if item.selection.dataset not in item.datasets:
            raise UserError(f"{item.title}：所取的表 {item.selection.dataset} 须在所用的数据集之中")
        return item.selection, self.registry.contract(item.selection.dataset)

    def _path(self, contract: Contract) -> TablePath:
        return self.lake.path(Zone.GOLD if contract.kind == "product" else Zone.SILVER, contract.id)

    def _table(self, selection: Selection, contract: Contract) -> DeltaTable:
        path = self._path(contract)
        try:
            table = self.lake.delta.open(path, selection.version)
        except DeltaError as error:
            raise UserError(f"{path} 的第 {selection.version} 版读不到了：{error}") from error
        if table is None:
            raise UserError(f"{contract.title}（{path}）还没有数据，不能取作训练集")
        return table


def registered_versions(tickets: Tickets) -> Mapping[str, tuple[int, ...]]:
    """Versions of tables that published training sets are rows of, by dataset."""
    found: dict[str, set[int]] = {}
    for one in tickets.published(ITEM):
        selection = read(one.content).selection
        if selection is not None:
            found.setdefault(selection.dataset, set()).add(selection.version)
    return {dataset: tuple(sorted(versions)) for dataset, versions in found.items()}


def dataset_states(
    lake: Lake, registry: Registry, tickets: Tickets, known: Sequence[Entry], now: datetime
) -> Mapping[str, DatasetState]:
    """What the lake knows of each dataset and product; `known` are all deliveries."""
    published = {record.entry.id for record in records(registry, tickets, now) if record.versions}
    mine: dict[str, list[Entry]] = {}
    for entry in regular_entries(known):
        mine.setdefault(entry.delivery.dataset, []).append(entry)
    return {
        contract.id: _state(lake, contract, mine.get(contract.id, []), contract.id in published, now)
        for contract in (*registry.sources(), *registry.products())
    }


def _state(lake: Lake, contract: Contract, mine: Sequence[Entry], is_published: bool, now: datetime) -> DatasetState:
    is_product = contract.kind == "product"
    path = lake.path(Zone.GOLD if is_product else Zone.SILVER, contract.id)
    scored = [entry.scores.total for entry in mine if entry.scores.total is not None]
    return DatasetState(
        title=contract.title,
        is_product=is_product,
        is_catalogued=is_published,
        is_mounted=lake.delta.version(path) is not None,
        is_late=punctuality(contract, mine, now).is_late,
        newest_at=mine[-1].delivery.received_at if mine else None,
        score=scored[-1] if scored else None,
    )
