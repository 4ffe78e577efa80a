"""Lineage of tables and columns, from what contracts declare: delivered file → silver → gold."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from jobs.contracts import Contract, Field, Registry
from jobs.lake.zones import Zone

Type = Literal["DIRECT", "INDIRECT"]


@dataclass(frozen=True, order=True)
class Node:
    """A column, or a whole table where `column` is empty. The delivered file of a dataset is its table in `landing`."""

    zone: Zone
    dataset: str
    column: str = ""

    def table(self) -> "Node":
        """The table that the column belongs to."""
        return Node(self.zone, self.dataset)

    def __str__(self) -> str:
        return f"{self.zone}.{self.dataset}" + (f".{self.column}" if self.column else "")


@dataclass(frozen=True)
class Link:
    """One influence, in the terms of OpenLineage: of a column on a column, or on the rows of a table."""

    source: Node
    target: Node
    type: Type
    subtype: str


class Graph:
    """All links between the datasets of a registry; made once, and never changed."""

    def __init__(self, registry: Registry) -> None:
        contracts = (*registry.sources(), *registry.products())
        self.contracts: Mapping[str, Contract] = {contract.id: contract for contract in contracts}
        self.links = tuple(link for contract in contracts for link in links_of(contract))
        self._into = _by(self.links, lambda link: link.target)
        self._out_of = _by(self.links, lambda link: link.source)
        self.tables = tuple(dict.fromkeys((link.source.table(), link.target.table()) for link in self.links))

    def into(self, node: Node) -> tuple[Link, ...]:
        """The links that end at a node; of a column without those of its table's rows."""
        return self._into.get(node, ())

    def upstream(self, column: Node) -> tuple[Link, ...]:
        """All links that a column's values come through, the nearest first; without those of rows."""
        return tuple(_reached(column, self._into, lambda link: link.source))

    def downstream(self, column: Node) -> tuple[Link, ...]:
        """All links from a column to the columns that it has an influence on, the nearest first, and to rows of tables."""
        return tuple(_reached(column, self._out_of, lambda link: link.target))

    def tables_before(self, table: Node) -> tuple[Node, ...]:
        """Tables that a table is made from, directly or not, the nearest first."""
        return _tables(table, self.tables, forward=False)

    def tables_after(self, table: Node) -> tuple[Node, ...]:
        """Tables that are made from a table, directly or not, the nearest first."""
        return _tables(table, self.tables, forward=True)

    def node(self, text: str) -> Node | None:
        """The node of `dataset`, `dataset.column` or either with its zone; None where there is none."""
        words = text.split(".")
        zone = Zone(words.pop(0)) if words[0] in (Zone.LANDING, Zone.SILVER, Zone.GOLD) and len(words) > 1 else None
        contract = self.contracts.get(words[0])
        if contract is None or len(words) > 2:
            return None
        column = words[1] if len(words) == 2 else ""
        node = Node(zone or zone_of(contract), contract.id, column)
        return node if not column or column in columns(contract, node.zone) else None


def zone_of(contract: Contract) -> Zone:
    """Where a dataset's rows are that others read."""
    return Zone.GOLD if contract.kind == "product" else Zone.SILVER


def columns(contract: Contract, zone: Zone) -> tuple[str, ...]:
    """Columns of a contract's table; of its delivered file, the headers."""
    if zone is not zone_of(contract):
        headers = (_header(field) for field in contract.fields if not field.is_computed())
        return tuple(dict.fromkeys(headers)) if zone is Zone.LANDING and contract.kind == "source" else ()
    return tuple(field.name for field in contract.fields)


def links_of(contract: Contract) -> Iterator[Link]:
    """The links into a contract's table."""
    yield from _into_product(contract) if contract.kind == "product" else _into_silver(contract)


def _into_silver(contract: Contract) -> Iterator[Link]:
    by_name = {field.name: field for field in contract.fields}
    for field in contract.fields:
        named = field.source.parts() or ((field.source.derive,) if field.source.derive else (field.name,))
        subtype = "IDENTITY" if _is_taken_over(field) else "TRANSFORMATION"
        for name in dict.fromkeys(named):
            header = _header(by_name[name]) if name in by_name else name
            source, target = Node(Zone.LANDING, contract.id, header), Node(Zone.SILVER, contract.id, field.name)
            yield Link(source, target, "DIRECT", subtype)


def _is_taken_over(field: Field) -> bool:
    """Whether the text of the file is the value, apart from blanks and widths of characters."""
    changes = (field.source.mapping, field.source.extract, field.source.case)
    return field.type == "string" and not field.is_computed() and not any(changes)


def _into_product(contract: Contract) -> Iterator[Link]:
    for field in contract.fields:
        target, transform = Node(Zone.GOLD, contract.id, field.name), field.transform
        yield from (Link(_silver(source), target, "DIRECT", transform.logic) for source in transform.sources)
        for kind, sources in transform.indirect.model_dump().items():
            yield from (Link(_silver(source), target, "INDIRECT", kind.upper()) for source in sources)
    rows = Node(Zone.GOLD, contract.id)
    named = contract.indirect.model_dump() if contract.indirect else {}
    for kind, sources in named.items():
        yield from (Link(_silver(source), rows, "INDIRECT", kind.upper()) for source in sources)
    for dataset in contract.product.inputs if contract.product else ():
        yield Link(Node(Zone.SILVER, dataset), rows, "DIRECT", "INPUT")


def _silver(source: str) -> Node:
    dataset, _, name = source.partition(".")
    return Node(Zone.SILVER, dataset, name)


def _header(field: Field) -> str:
    """The newest header of a field, or its position in the file."""
    return f"#{field.source.position}" if field.source.position else field.headers()[0]


def _by(links: Iterable[Link], end: Callable[[Link], Node]) -> Mapping[Node, tuple[Link, ...]]:
    found: dict[Node, list[Link]] = {}
    for link in links:
        found.setdefault(end(link), []).append(link)
    return {node: tuple(same) for node, same in found.items()}


def _reached(start: Node, links: Mapping[Node, tuple[Link, ...]], other: Callable[[Link], Node]) -> Iterator[Link]:
    """Links by breadth first, each column left once."""
    waiting, left = deque([start]), {start}
    while waiting:
        for link in links.get(waiting.popleft(), ()):
            yield link
            if other(link).column and other(link) not in left:
                left.add(other(link))
                waiting.append(other(link))


def _tables(start: Node, pairs: Iterable[tuple[Node, Node]], forward: bool) -> tuple[Node, ...]:
    steps = [pair if forward else pair[::-1] for pair in pairs]
    found: dict[Node, None] = {}
    waiting = deque([start])
    while waiting:
        table = waiting.popleft()
        for source, target in steps:
            if source == table and target not in found and target != start:
                found[target] = None
                waiting.append(target)
    return tuple(found)
