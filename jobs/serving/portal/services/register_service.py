"""Registers for an actor: everybody reads them; departments and the bureau propose items, which are reviewed as documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.access.grants import reading
from jobs.access.policy import Mask, View
from jobs.catalogue.counting import Counted, DatasetState, Progress, counted, progress
from jobs.catalogue.registers import Register, RegisterItem, registers
from jobs.contracts import Contract, Field
from jobs.contracts.grades import is_sensitive
from jobs.errors import NotAllowed, ServiceUnavailable, Unknown, UserError
from jobs.lake.session import is_unavailable
from jobs.model.actor import Actor
from jobs.pipeline.registers import CityRegisters, ItemRecord
from jobs.serving.portal.context import Portal

USES = "uses-"
"""Beginning of the names of a form's checkboxes of datasets."""
ROWS = ("rows_dataset", "rows_version", "rows_columns", "rows_condition")
"""Fields of a form that say which rows a training set takes."""


@dataclass(frozen=True)
class RegisterRows:
    """A register's items, with their state and what keeps them from counting."""

    register: Register
    rows: tuple[tuple[Counted, ItemRecord], ...]


@dataclass(frozen=True)
class ItemView:
    """An item, whether it counts, its datasets' states, and whether the actor may change it or read its rows."""

    record: ItemRecord
    register: Register
    counted: Counted
    datasets: tuple[tuple[str, DatasetState | None], ...]
    may_edit: bool
    may_read_rows: bool
    used_by: tuple[RegisterItem, ...]
    lacking: tuple[str, ...]
    """What its open change lacks before it can be submitted, in Chinese."""


@dataclass(frozen=True)
class RegisterService:
    """What the actor may see and do of the registers."""

    portal: Portal
    actor: Actor

    def plan(self) -> tuple[Progress, ...]:
        """How far the targets are."""
        return progress(self._counted())

    def counts(self) -> Mapping[str, int]:
        """Number of items by register."""
        found = dict.fromkeys(registers().registers, 0)
        for record in self._items():
            found[record.current().register_name] += 1
        return found

    def rows(self, name: str) -> RegisterRows:
        """One register; Unknown where there is none of that name."""
        register, records = registers().register(name), {r.current().id: r for r in self._items()}
        mine = [one for one in self._counted() if one.item.register_name == name]
        return RegisterRows(register, tuple((one, records[one.item.id]) for one in mine))

    def item(self, id_: str) -> ItemView:
        """One item; Unknown where there is none."""
        record, states = self._city().item(id_, self.portal.now()), self._states()
        item, found = record.current(), {one.item.id: one for one in self._counted()}
        if item.id not in found:
            raise Unknown(f"登记册中没有 {id_}")
        is_draft = record.change is None or record.change.state == "draft"
        return ItemView(
            record=record,
            register=registers().registers[item.register_name],
            counted=found[item.id],
            datasets=tuple((name, states.get(name)) for name in item.datasets),
            may_edit=is_draft and self._may_write(item.provider),
            may_read_rows=bool(record.versions) and self._may_read_rows(item),
            used_by=tuple(one.item for one in found.values() if item.id in one.item.related()),
            lacking=tuple(self._city().shortcomings(record.change)),
        )

    def may_propose(self) -> bool:
        """Whether the actor writes items."""
        return self._may_write(self.actor.department)

    def propose(self, register: str, id_: str, filled: Mapping[str, str]) -> str:
        """Id of the ticket of an item as filled in, complete or not; of a new item where `id_` is empty."""
        provider = self._city().item(id_, self.portal.now()).current().provider if id_ else self.actor.department
        if not self._may_write(provider):
            raise NotAllowed("登记事项由部门的填报员、审核员或主管部门的质量专员编制")
        stated: dict[str, Any] = {
            "register_name": register,
            "id": id_,
            "title": filled.get("title", ""),
            "status": filled.get("status", "planned"),
            "datasets": tuple(name.removeprefix(USES) for name in filled if name.startswith(USES)),
            "facts": {name: filled[name] for name in registers().register(register).facts() if filled.get(name)},
        }
        if registers().register(register).rows and any(filled.get(name, "").strip() for name in ROWS):
            stated["selection"] = self._selection(filled)
            stated["datasets"] = tuple(dict.fromkeys((*stated["datasets"], stated["selection"].dataset)))
        return self._city().propose(stated, (self.actor, self.portal.now()))

    def card(self, id_: str) -> str:
        """The Croissant card of a training set."""
        return self._city().card(self._city().item(id_, self.portal.now()))

    def json_lines(self, id_: str) -> Iterator[bytes]:
        """The rows of a training set; NotAllowed where a grade is above the actor's."""
        view = self.item(id_)
        if not view.may_read_rows:
            raise NotAllowed("训练集尚未发布、含敏感字段，或您的权限不能看到其中的原值；请在「查询」中按权限取数")
        return self._city().rows(view.record.current())

    def contracts(self) -> tuple[Contract, ...]:
        """Datasets and products that an item may use."""
        registry = self.portal.registry()
        return (*registry.sources(), *registry.products())

    def field_titles(self, item: RegisterItem) -> Mapping[str, str]:
        """Titles of the fields that a set of rows takes, by name."""
        contract = self.portal.registry().contracts.get(item.selection.dataset) if item.selection else None
        return {field.name: field.title for field in contract.fields} if contract else {}

    def _selection(self, filled: Mapping[str, str]) -> Any:
        dataset = filled.get("rows_dataset", "")
        if dataset not in self.portal.registry().contracts:
            raise UserError(f"没有数据集 {dataset or '（未选择）'}")
        contract = self.portal.registry().contract(dataset)
        plain = ",".join(field.name for field in contract.fields if not is_sensitive(field.classification))
        columns = filled.get("rows_columns", "").replace("，", ",").replace("、", ",").strip() or plain
        version = filled.get("rows_version", "").strip() or "newest"
        return self._city().selection(f"{dataset}:{version}:{columns}", filled.get("rows_condition", ""))

    def _may_write(self, provider: str) -> bool:
        if self.actor.role == "quality_officer":
            return True
        return self.actor.role in ("reporter", "approver") and self.actor.department == provider

    def _may_read_rows(self, item: RegisterItem) -> bool:
        """Whether the actor reads all values of the rows as they were sent, and none is sensitive."""
        if item.selection is None or item.certificate is None or is_sensitive(item.certificate.grade):
            return False
        contract = self.portal.registry().contract(item.selection.dataset)
        found = reading(self.actor, contract, self.portal.grants.of(self.actor, self.portal.now()))
        fields = [contract.field(name) for name in item.selection.columns]
        return found is not None and all(_is_as_sent(field, found.view) for field in fields)

    def _items(self) -> tuple[ItemRecord, ...]:
        return self._city().items(self.portal.now())

    def _counted(self) -> tuple[Counted, ...]:
        return counted([record.reviewed() for record in self._items()], self._states(), self.portal.now())

    def _states(self) -> Mapping[str, DatasetState]:
        try:
            return self.portal.dataset_states.get()
        except Exception as error:
            if is_unavailable(error):
                raise ServiceUnavailable("对象存储暂时无响应，请稍后再看") from error
            raise

    def _city(self) -> CityRegisters:
        return CityRegisters(self.portal.lake, self.portal.registry(), self.portal.tickets)


def _is_as_sent(field: Field, view: View) -> bool:
    """Whether a value is shown as it was sent. In texts, numbers of persons may be starred out."""
    mask = view[field.classification]
    return mask is Mask.AS_SENT or (mask is Mask.NUMBERS and not field.is_free_text())
