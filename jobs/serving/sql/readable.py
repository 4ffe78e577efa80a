"""Which tables an actor may query, with the grade and the mask of each column, and the filter of rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from jobs.access.masking import Masking
from jobs.access.policy import Mask, View
from jobs.access.rights import may_know
from jobs.access.roles import acts_for_department, view_of
from jobs.contracts import Contract, Field, Registry
from jobs.contracts.grades import STRICTEST
from jobs.contracts.names import QUALIFIER
from jobs.errors import Unknown
from jobs.lake.system_tables import results_tables, system_contract
from jobs.lake.zones import Zone
from jobs.model.actor import Actor

SCHEMAS = (Zone.SILVER, Zone.GOLD, Zone.RESULTS, Zone.QUARANTINE)


@dataclass(frozen=True)
class Name:
    """A table as queries name it: `silver.divisions`."""

    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True)
class Column:
    """A column as the contract describes it, and how the actor sees its values; `field` is None outside the contract."""

    name: str
    field: Field | None
    grade: str
    mask: Mask

    @property
    def comment(self) -> str:
        """Chinese title, unit and description."""
        return self.field.words() if self.field else "契约外的列"

    def is_free(self) -> bool:
        """Whether any number in the text may be a personal one."""
        return self.field is None or self.field.is_free_text()


@dataclass(frozen=True)
class Readable:
    """A table that the actor may query. `rows` is the SQL filter of rows; empty where all may be seen."""

    name: Name
    contract: Contract
    view: View
    rows: str = ""

    @cached_property
    def _known(self) -> Mapping[str, Column]:
        return {column.name: column for column in self._columns()}

    def column(self, name: str) -> Column:
        """The column; one that no contract describes has the strictest grade."""
        unknown = Column(name, None, STRICTEST, self.view.get(STRICTEST, Mask.HIDDEN))
        return self._known.get(name, unknown)

    def _columns(self) -> Iterator[Column]:
        contracts = [self.contract]
        if self.name.schema == Zone.SILVER:
            contracts.append(system_contract(Zone.SILVER))
        for contract in contracts:
            masking = Masking(contract, self.view)
            for field in contract.fields:
                names = [field.name, field.name + QUALIFIER] if field.source.censored else [field.name]
                for name in names:
                    yield Column(name, field, masking.grade(name), masking.mask(name))


def readable_tables(actor: Actor, registry: Registry) -> Mapping[Name, Readable]:
    """The tables that the actor may query, whether they exist yet or not.

    People of a department query its own datasets and the results about them; all others every dataset, product and
    result. Quarantined rows are only for their own department.
    """
    tables = [*_datasets(actor, registry), *_products(actor, registry), *_results(actor, registry)]
    return {table.name: table for table in tables}


def readable(actor: Actor, registry: Registry, name: Name) -> Readable:
    """The table; Unknown where it does not exist or is not for the actor."""
    table = readable_tables(actor, registry).get(name)
    if table is None:
        raise Unknown(
            f"no table {name}, or not for your role; SHOW TABLES lists yours / 没有表 {name}，或不属于您的权限"
        )
    return table


def _datasets(actor: Actor, registry: Registry) -> Iterator[Readable]:
    quarantine = system_contract(Zone.QUARANTINE)
    for contract in registry.sources():
        if not may_know(actor, contract.provider):
            continue
        view = view_of(actor, contract.provider)
        yield Readable(Name(Zone.SILVER, contract.id), contract, view)
        if contract.provider == actor.department:
            yield Readable(Name(Zone.QUARANTINE, contract.id), quarantine, view)


def _products(actor: Actor, registry: Registry) -> Iterator[Readable]:
    for contract in registry.products():
        if may_know(actor, contract.provider):
            yield Readable(Name(Zone.GOLD, contract.id), contract, view_of(actor, contract.provider))


def _results(actor: Actor, registry: Registry) -> Iterator[Readable]:
    for contract in results_tables():
        rows = _own_rows(actor, registry, contract) if acts_for_department(actor) else ""
        yield Readable(Name(Zone.RESULTS, contract.id), contract, view_of(actor, contract.provider), rows)


def _own_rows(actor: Actor, registry: Registry, contract: Contract) -> str:
    """SQL that is true for results about the actor's department; for none where the table does not say whose they are."""
    names = {field.name for field in contract.fields}
    if "provider" in names:
        return f"provider = {text_literal(actor.department)}"
    own = [text_literal(c.id) for c in registry.sources() if c.provider == actor.department]
    return f"dataset IN ({', '.join(own)})" if "dataset" in names and own else "false"


def text_literal(text: str) -> str:
    """The text as SQL."""
    return "'" + text.replace("'", "''") + "'"
