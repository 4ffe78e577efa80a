"""Entries of the catalogue: a query over the contracts, nothing typed twice."""

from dataclasses import dataclass

from jobs.contracts import Contract, Field, Registry


@dataclass(frozen=True)
class Item:
    """A field as the catalogue names it."""

    name: str
    title: str
    type: str
    unit: str
    grade: str
    description: str = ""
    code: str = ""


@dataclass(frozen=True)
class Entry:
    """A dataset or a product. `update_cycle` is an amount and a unit as in the contract, such as `1d`; empty where none is agreed."""

    id: str
    title: str
    version: str
    is_product: bool
    provider: str
    department: str
    owner: str
    summary: str
    keywords: tuple[str, ...]
    update_cycle: str
    items: tuple[Item, ...]
    level: str = "general"
    """How important the data is as a whole: general, important or core."""

    def grade(self) -> str:
        """The highest grade of its items."""
        return max(item.grade for item in self.items)


def entries(registry: Registry) -> tuple[Entry, ...]:
    """Entries of all datasets, then of all products."""
    return tuple(_entry(contract) for contract in (*registry.sources(), *registry.products()))


def _entry(contract: Contract) -> Entry:
    return Entry(
        contract.id,
        contract.title,
        contract.version,
        contract.kind == "product",
        contract.provider,
        contract.department,
        contract.owner,
        contract.purpose,
        contract.tags,
        contract.sla.get("frequency", ""),
        tuple(map(_item, contract.fields)),
        contract.level(),
    )


def _item(field: Field) -> Item:
    return Item(field.name, field.title, field.type, field.unit, field.classification, field.description, field.code)
