"""Entries of the catalogue in the province's form: what one side says of a resource and of its items."""

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.catalogue.attributes import Attributes
from jobs.catalogue.entry import Entry
from jobs.catalogue.lists import cycle
from jobs.catalogue.province.form import CODE, PROVIDER, TITLE, form
from jobs.contracts import Contract
from jobs.contracts import Field as ContractField
from jobs.contracts.importance import TITLES as LEVELS
from jobs.model.sheet import TextTable

Cells = Mapping[str, str]
"""Texts by the name of their column; a column that is missing was not given."""


@dataclass(frozen=True)
class Item:
    """An item of a resource."""

    place: str
    cells: Cells
    unreadable: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Resource:
    """A resource. `dataset` is its id in the lake; empty for one of the other side, whose `place` says where it is read.

    `provider`: its department, by the contracts' id where it is known here, else by its name as compared. `unreadable`:
    columns of which nothing can be compared. `has_loose_code`: its code was a number, whose leading zeros may be lost.
    """

    cells: Cells
    items: tuple[Item, ...]
    dataset: str = ""
    provider: str = ""
    place: str = ""
    unreadable: frozenset[str] = frozenset()
    has_loose_code: bool = False

    def text(self, name: str) -> str:
        """A cell's text; empty where it is not given."""
        return self.cells.get(name, "")

    @property
    def title(self) -> str:
        return self.text(TITLE)


@dataclass(frozen=True)
class Address:
    """What the form says of the catalogue as a whole: the authority that keeps it, the portal's address."""

    maintainer: str
    portal: str


@dataclass(frozen=True)
class Publication:
    """The version in force, its number and the local day of its publication (YYYY-MM-DD)."""

    attributes: Attributes
    version: int
    day: str


def resource(entry: Entry, contract: Contract, published: Publication, address: Address) -> Resource:
    """A published entry in the form."""
    found = published.attributes
    attributes = found.model_dump(include={"share", "share_method", "opening", "status", "category", "code", "subject"})
    texts = found.model_dump(include={"share_conditions", "share_basis", "open_conditions", "open_basis"})
    values = {
        **attributes,
        **texts,
        TITLE: entry.title,
        "summary": found.summary or entry.summary,
        PROVIDER: entry.department,
        "provider_code": form().departments[entry.provider].code if entry.provider in form().departments else "",
        "format": "stream" if contract.stream else contract.layout.format,
        "update_cycle": _cycle(entry.update_cycle),
        "level": LEVELS[entry.level],
        "grade": entry.grade(),
        "published": published.day,
        "link": f"{address.portal.rstrip('/')}/catalogue/{entry.id}",
        "maintainer": address.maintainer,
        "metadata_version": str(published.version),
    }
    fixed = {column.name: column.fixed for column in form().resources if column.fixed is not None}
    items = tuple(Item("", _item(contract, one)) for one in contract.fields)
    return Resource(_written({**values, **fixed}), items, entry.id, entry.provider)


def _cycle(amount: str) -> str:
    """The amount where the form has a word for it, else in words."""
    column = form().columns["update_cycle"]
    return amount if column.written(amount) != amount else cycle(amount)


def _item(contract: Contract, one: ContractField) -> Cells:
    values = {
        "title": one.title,
        "name": one.name,
        "type": one.type,
        "length": "" if one.max_length is None else str(one.max_length),
        "unit": one.unit,
        "grade": one.classification,
        "key": str(one.name in contract.key()).lower(),
        "required": str(one.required).lower(),
        "description": one.description,
    }
    return _written({f"item.{name}": value for name, value in values.items()})


def _written(values: Mapping[str, str]) -> Cells:
    return {name: form().columns[name].written(value) for name, value in values.items()}


def as_tables(found: tuple[Resource, ...]) -> tuple[TextTable, TextTable]:
    """The form's two sheets; each item names its resource by code, name and department."""
    columns = form().written_columns(form().resources)
    items = form().written_columns(form().items)
    keys = [form().columns[name] for name in (CODE, TITLE, PROVIDER)]
    rows = tuple(tuple(one.text(column.name) for column in columns) for one in found)
    item_rows = tuple(
        (*(one.text(key.name) for key in keys), *(item.cells.get(column.name, "") for column in items))
        for one in found
        for item in one.items
    )
    return (
        TextTable(form().titles.resources, tuple(column.title for column in columns), rows),
        TextTable(form().titles.items, tuple(column.title for column in (*keys, *items)), item_rows),
    )


def as_document(found: tuple[Resource, ...]) -> Mapping[str, object]:
    """The form as a JSON document: resources with their items, under the titles of the columns."""
    keys, columns, items = (
        form().json_keys,
        form().written_columns(form().resources),
        form().written_columns(form().items),
    )
    rows = [
        {column.title: one.text(column.name) for column in columns}
        | {keys.items[0]: [{i.title: item.cells.get(i.name, "") for i in items} for item in one.items]}
        for one in found
    ]
    return {"standard": form().standard, keys.resources[0]: rows}
