"""Lineage of a dataset or product for an actor, and the way from a figure back to the deliveries behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from jobs.access import rights
from jobs.access.grants import rows_of_department
from jobs.access.personal_numbers import masked_text
from jobs.access.policy import Mask
from jobs.access.roles import reads_as_sent, view_of
from jobs.catalogue.lineage import Graph, Link, Node, columns, zone_of
from jobs.contracts import Contract
from jobs.errors import ContractError, NotAllowed, Unknown
from jobs.model.actor import Actor
from jobs.pipeline.contributions import Contribution, InputRows, contributions
from jobs.reporting.entries import Entry, punctuality, regular_entries
from jobs.serving.portal.context import Portal
from jobs.serving.portal.lineage_graph import Drawing, drawing
from jobs.serving.portal.services.data_service import DataService

CLEAR = (Mask.AS_SENT, Mask.NUMBERS)
"""Masks under which a reader may look for a value of a field."""


@dataclass(frozen=True)
class TableState:
    """A table in the lineage: the newest delivery, or the time of the last build of a product.

    `last` is None where there is none, or where the deliveries are another department's (`is_known` is False).
    """

    contract: Contract
    last: Entry | None = None
    due_at: datetime | None = None
    is_late: bool = False
    built_at: datetime | None = None
    is_known: bool = True


@dataclass(frozen=True)
class LineageView:
    """The lineage of a dataset; the links are those of the chosen column, if one is chosen."""

    contract: Contract
    graph: Drawing
    states: Mapping[str, TableState]
    column: str
    upstream: tuple[Link, ...]
    downstream: tuple[Link, ...]
    into: Mapping[str, tuple[Link, ...]]
    rows: tuple[Link, ...]
    note: str


@dataclass(frozen=True)
class Origin:
    """Rows of an input behind a row of a product; the files are None where the actor may not know the deliveries."""

    contract: Contract
    by: tuple[str, ...]
    files: tuple[Contribution, ...] | None
    rows: int
    is_cut: bool


@dataclass(frozen=True)
class LineageService:
    """Lineage is part of the catalogue, which everybody reads; deliveries and verdicts are for those who may know them."""

    portal: Portal
    actor: Actor

    def lineage(self, dataset: str, column: str = "") -> LineageView:
        """The lineage of a dataset or product; Unknown where it or the column does not exist."""
        contract, graph = self.contract(dataset), Graph(self.portal.registry())
        table = Node(zone_of(contract), contract.id)
        if column and column not in columns(contract, table.zone):
            raise Unknown(f"数据集 {dataset} 没有字段 {column}")
        chosen = Node(table.zone, contract.id, column)
        shown = drawing(graph, table)
        states, note = self._states({box.node.dataset for box in shown.boxes})
        return LineageView(
            contract,
            shown,
            states,
            column,
            graph.upstream(chosen) if column else (),
            graph.downstream(chosen) if column else (),
            {name: graph.into(Node(table.zone, contract.id, name)) for name in columns(contract, table.zone)},
            tuple(link for link in graph.into(table) if link.source.column),
            note,
        )

    def origins(self, product: Contract, key: Mapping[str, str]) -> list[Origin]:
        """The rows of the inputs behind a row of a product; NotAllowed where the key has a field that the actor reads masked."""
        view = view_of(self.actor, product.provider)
        self._check_department(product, key)
        hidden = [field.title for field in map(product.field, key) if view[field.classification] not in CLEAR]
        if hidden:
            raise NotAllowed(f"「{'、'.join(hidden)}」的级别高于您可读的级别，不能按它查找")
        registry = self.portal.registry()
        return [self._origin(found) for found in contributions(self.portal.lake, registry, product, key)]

    def _check_department(self, product: Contract, key: Mapping[str, str]) -> None:
        """NotAllowed for a row that is not about the actor's department, where the product keeps them apart."""
        owner = product.product.department_field if product.product else ""
        names = {c.department for c in self.portal.registry().sources() if c.provider == self.actor.department}
        if rows_of_department(self.actor, product) and key.get(owner) not in {self.actor.department, *names}:
            raise NotAllowed("只能查找本部门的行")

    def contract(self, dataset: str) -> Contract:
        """The contract of a dataset or product; Unknown where there is none."""
        try:
            return self.portal.registry().contract(dataset)
        except ContractError as error:
            raise Unknown(f"没有数据集 {dataset}") from error

    def _origin(self, found: InputRows) -> Origin:
        contract = self.portal.registry().contract(found.dataset)
        rows = sum(file.rows for file in found.files)
        if not rights.may_know(self.actor, contract.provider):
            return Origin(contract, found.by, None, rows, found.is_cut)
        files = found.files
        if not reads_as_sent(self.actor, contract.provider):
            files = tuple(
                Contribution(f.delivery, masked_text(f.file, is_free=False), f.rows, f.first_rows) for f in files
            )
        return Origin(contract, found.by, files, rows, found.is_cut)

    def _states(self, datasets: set[str]) -> tuple[dict[str, TableState], str]:
        snapshot, note = DataService(self.portal, self.actor).overview_snapshot()
        registry, states = self.portal.registry(), {}
        for name in sorted(datasets):
            contract = registry.contract(name)
            if contract.kind == "product":
                build = self.portal.lake.ledger.build(name)
                states[name] = TableState(contract, built_at=build.built_at if build else None)
            elif rights.may_know(self.actor, contract.provider):
                due = punctuality(contract, regular_entries(snapshot.of_dataset(name)), self.portal.now())
                states[name] = TableState(contract, due.last, due.due_at, due.is_late)
            else:
                states[name] = TableState(contract, is_known=False)
        return states, note
