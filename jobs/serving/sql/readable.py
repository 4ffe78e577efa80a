"""Which tables an actor may query, with the grade and the mask of each column, and the filter of rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from jobs.access.grants import Grant, reading, rows_of_department
from jobs.access.masking import Masking
from jobs.access.policy import Mask, View
from jobs.access.roles import acts_for_department, view_of
from jobs.contracts import Contract, Field, Registry
from jobs.contracts.grades import STRICTEST
from jobs.contracts.names import QUALIFIER
from jobs.lake.results import TICKETS
from jobs.lake.system_tables import results_tables, system_contract
from jobs.lake.zones import Zone
from jobs.model.actor import Actor

MARKED = "marked"
"""Silver with the open tickets of each row."""
SCHEMAS = (Zone.SILVER, Zone.GOLD, Zone.RESULTS, Zone.QUARANTINE, MARKED)
SEARCHED = (Zone.SILVER, Zone.GOLD, Zone.RESULTS)
"""Schemas in which a table without one is looked for."""
TICKET_COLUMNS = ("tickets", "_tickets")
"""Names of the column of tickets: the first that the data does not have."""


@dataclass(frozen=True)
class Name:
    """A table as queries name it: `silver.divisions`."""

    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}" if self.schema else self.table


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
    """A table that the actor may query. `rows` is the SQL filter of rows; empty where all may be seen.

    `grant`: what opens more of it than the actor's role does.
    """

    name: Name
    contract: Contract
    view: View
    rows: str = ""
    grant: Grant | None = None

    def rights(self) -> tuple[object, ...]:
        """What decides how the table looks to the actor, for comparison."""
        return self.name, tuple(sorted(self.view.items())), self.rows

    @cached_property
    def _known(self) -> Mapping[str, Column]:
        return {column.name: column for column in self._columns()}

    def column(self, name: str) -> Column:
        """The column; one that no contract describes has the strictest grade."""
        unknown = Column(name, None, STRICTEST, self.view.get(STRICTEST, Mask.HIDDEN))
        return self._known.get(name, unknown)

    def tickets(self, name: str) -> Column:
        """The column of open tickets, by its name."""
        contract = system_contract(TICKETS)
        field = next(field for field in contract.fields if field.name == "ticket")
        masking = Masking(contract, self.view)
        titled = replace(field, title=contract.title)
        return Column(name, titled, masking.grade(field.name), masking.mask(field.name))

    def _columns(self) -> Iterator[Column]:
        contracts = [self.contract]
        if self.name.schema in (Zone.SILVER, MARKED):
            contracts.append(system_contract(Zone.SILVER))
        for contract in contracts:
            masking = Masking(contract, self.view)
            for field in contract.fields:
                names = [field.name, field.name + QUALIFIER] if field.source.censored else [field.name]
                for name in names:
                    yield Column(name, field, masking.grade(name), masking.mask(name))


def readable_tables(actor: Actor, registry: Registry, grants: Sequence[Grant] = ()) -> Mapping[Name, Readable]:
    """The tables that the actor may query, whether they exist yet or not.

    People of a department query its own datasets, what is granted to them, every product, and the results about them;
    all others every dataset, product and result. Quarantined rows are only for their own department.
    """
    tables = [*_datasets(actor, registry, grants), *_products(actor, registry, grants), *_results(actor, registry)]
    # Tickets are for the owner and those who oversee, not for those with a grant.
    silver = [table for table in tables if table.name.schema == Zone.SILVER and table.grant is None]
    marked = [replace(table, name=Name(MARKED, table.name.table)) for table in silver]
    return {table.name: table for table in (*tables, *marked)}


def _datasets(actor: Actor, registry: Registry, grants: Sequence[Grant]) -> Iterator[Readable]:
    quarantine = system_contract(Zone.QUARANTINE)
    for contract in registry.sources():
        how = reading(actor, contract, grants)
        if how is not None:
            yield Readable(Name(Zone.SILVER, contract.id), contract, how.view, grant=how.grant)
        if contract.provider == actor.department:
            yield Readable(Name(Zone.QUARANTINE, contract.id), quarantine, view_of(actor, contract.provider))


def _products(actor: Actor, registry: Registry, grants: Sequence[Grant]) -> Iterator[Readable]:
    for contract in registry.products():
        how = reading(actor, contract, grants)
        if how is not None:
            rows = "" if how.grant else _rows_of_department(actor, registry, contract)
            yield Readable(Name(Zone.GOLD, contract.id), contract, how.view, rows, how.grant)


def _rows_of_department(actor: Actor, registry: Registry, contract: Contract) -> str:
    """SQL that is true for a product's rows about the actor's department; empty where it reads all rows."""
    if contract.product is None or not rows_of_department(actor, contract):
        return ""
    names = {actor.department, *(c.department for c in registry.sources() if c.provider == actor.department)}
    listed = ", ".join(text_literal(name) for name in sorted(names))
    return f"{contract.product.department_field} IN ({listed})"


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
