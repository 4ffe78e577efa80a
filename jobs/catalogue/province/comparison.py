"""Our side against an extract: entry by entry and item by item, which are the same, which differ, which only one side has."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from jobs.catalogue.list_tables import Unread
from jobs.catalogue.province.extract import Extract
from jobs.catalogue.province.form import CODE, ITEM_NAME, ITEM_TITLE, PROVIDER, Column, form
from jobs.catalogue.province.keys import PROVINCE_CODE, ResourceIndex, is_same_item
from jobs.catalogue.province.resources import Cells, Item, Resource
from jobs.catalogue.province.values import plain_code
from jobs.catalogue.search import normal

ONLY_HERE, ONLY_THERE = "仅本市有此信息项", "仅省级有此信息项"


@dataclass(frozen=True)
class Difference:
    """A cell that differs, or an item that one side lacks. `item`: its title; empty for a cell of the resource."""

    item: str
    column: str
    here: str
    there: str
    place: str


@dataclass(frozen=True)
class Pair:
    """A resource that both sides have, how it was matched, and what differs."""

    here: Resource
    there: Resource
    by: Literal["code", "title"]
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class CodeOffer:
    """A code that the province gave to an entry. `before`: ours; empty where we have none."""

    dataset: str
    title: str
    department: str
    before: str
    code: str
    place: str


@dataclass(frozen=True)
class Reconciliation:
    """Both sides compared. `missing`: titles of columns that the extract lacks, so that they are not compared."""

    pairs: tuple[Pair, ...]
    only_here: tuple[Resource, ...]
    only_there: tuple[Resource, ...]
    offers: tuple[CodeOffer, ...]
    unread: tuple[Unread, ...]
    remarks: tuple[Unread, ...]
    ignored: tuple[str, ...]
    missing: tuple[str, ...]

    def differing(self) -> tuple[Pair, ...]:
        """Resources of both sides that differ."""
        return tuple(pair for pair in self.pairs if pair.differences)

    def same(self) -> tuple[Pair, ...]:
        """Resources that are equal in all that is compared."""
        return tuple(pair for pair in self.pairs if not pair.differences)

    def is_equal(self) -> bool:
        """Whether nothing differs and everything could be read."""
        return not (self.differing() or self.only_here or self.only_there or self.unread)


def reconcile(here: Sequence[Resource], extract: Extract) -> Reconciliation:
    """Each resource of the extract matched to one of ours: by code, else by title within its department."""
    matched, left, repeated = _matched(here, extract.resources)
    compared = [column for column in form().columns.values() if column.compared]
    columns = [column for column in compared if column.name in extract.columns]
    pairs = tuple(_pair(here[number], *matched[number], columns) for number in sorted(matched))
    return Reconciliation(
        pairs=pairs,
        only_here=tuple(one for number, one in enumerate(here) if number not in matched),
        only_there=tuple(left),
        offers=tuple(filter(None, map(_offer, pairs))),
        unread=(*extract.unread, *repeated),
        remarks=(*extract.remarks, *filter(None, map(_loose_code, pairs))),
        ignored=extract.ignored,
        missing=tuple(column.title for column in compared if column not in columns),
    )


Matched = Mapping[int, tuple[Resource, Literal["code", "title"]]]


def _matched(here: Sequence[Resource], there: Sequence[Resource]) -> tuple[Matched, list[Resource], list[Unread]]:
    """Number of ours → the other side's and how it was matched; those without one of ours; those that fit one twice."""
    index, found, repeated = ResourceIndex(here), dict[int, tuple[Resource, Literal["code", "title"]]](), list[Unread]()
    without_code = []
    for one in there:
        number = index.with_code_of(one)
        if number is None:
            without_code.append(one)
        elif number in found:
            repeated.append(Unread(one.place, one.title, f"与{found[number][0].place}对应本市同一条目录，未比对"))
        else:
            found[number] = one, "code"
    left = []
    for one in without_code:
        number = index.with_title_of(one)
        if number is None or number in found:
            left.append(one)
        else:
            found[number] = one, "title"
    return found, left, repeated


def _pair(here: Resource, there: Resource, by: Literal["code", "title"], columns: Sequence[Column]) -> Pair:
    of_items = [column for column in columns if column in form().items]
    of_resource = [column for column in columns if column not in of_items and column.name not in _settled(here, there)]
    sides = _Sides(here.cells, there.cells, there.place)
    found = list(_cell_differences("", sides, of_resource, there.unreadable))
    if of_items:
        found += _item_differences(here.items, there, of_items)
    return Pair(here, there, by, tuple(found))


def _settled(here: Resource, there: Resource) -> frozenset[str]:
    """Columns that are equal although they are written otherwise."""
    is_code = there.has_loose_code and plain_code(here.text(CODE)).lstrip("0") == there.text(CODE).lstrip("0")
    is_provider = here.provider == there.provider
    return frozenset(filter(None, (CODE if is_code else "", PROVIDER if is_provider else "")))


@dataclass(frozen=True)
class _Sides:
    here: Cells
    there: Cells
    place: str


def _cell_differences(
    item: str, sides: _Sides, columns: Iterable[Column], unreadable: frozenset[str]
) -> Iterator[Difference]:
    for column in columns:
        here, there = sides.here.get(column.name, ""), sides.there.get(column.name, "")
        if column.name not in unreadable and not _is_equal(column, here, there):
            yield Difference(item, column.title, here, there, sides.place)


def _is_equal(column: Column, here: str, there: str) -> bool:
    if column.kind == "code":
        return plain_code(here) == plain_code(there)
    return normal(here) == normal(there)


def _item_differences(here: Sequence[Item], there: Resource, columns: Sequence[Column]) -> Iterator[Difference]:
    """Cells of items that both have, then items that one side lacks."""
    left = list(there.items)
    for item in here:
        other = next((one for one in left if is_same_item(item.cells, one.cells)), None)
        if other is None:
            yield Difference(_title(item), ONLY_HERE, _title(item), "", there.place)
            continue
        left.remove(other)
        sides = _Sides(item.cells, other.cells, other.place)
        yield from _cell_differences(_title(item), sides, columns, other.unreadable)
    for other in left:
        yield Difference(_title(other), ONLY_THERE, "", _title(other), other.place)


def _title(item: Item) -> str:
    return item.cells.get(ITEM_TITLE) or item.cells.get(ITEM_NAME, "")


def _offer(pair: Pair) -> CodeOffer | None:
    """The code that the province gave, where it is another than ours."""
    here, there = pair.here, pair.there
    own = "" if CODE in there.unreadable | _settled(here, there) else there.text(CODE)
    given, before = plain_code(there.text(PROVINCE_CODE) or own), plain_code(here.text(CODE))
    if not given or given == before:
        return None
    return CodeOffer(here.dataset, here.title, here.text(PROVIDER), before, given, there.place)


def _loose_code(pair: Pair) -> Unread | None:
    if pair.there.has_loose_code and pair.there.text(CODE) != plain_code(pair.here.text(CODE)):
        return Unread(pair.there.place, pair.there.text(CODE), "代码按数值保存，前导零可能丢失")
    return None
