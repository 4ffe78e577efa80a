"""Tables of a provincial extract → resources with their items, and what of them cannot be read, cell by cell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jobs.catalogue.list_tables import ListLine, ListTable, ListTables, Unread
from jobs.catalogue.province.form import CODE, ITEM_NAME, ITEM_TITLE, PROVIDER, TITLE, Column, form
from jobs.catalogue.province.keys import ResourceIndex, codes, is_same_item, plain_department, providers
from jobs.catalogue.province.resources import Item, Resource
from jobs.catalogue.province.values import value
from jobs.catalogue.search import normal

KEYS = frozenset((CODE, TITLE, PROVIDER))
OF_ITEMS = "item."


@dataclass(frozen=True)
class Extract:
    """What was read. `columns`: names of those that are there; `unread` is content, `remarks` is about the file."""

    resources: tuple[Resource, ...]
    columns: frozenset[str]
    unread: tuple[Unread, ...]
    remarks: tuple[Unread, ...]
    ignored: tuple[str, ...] = ()

    def has_items(self) -> bool:
        """Whether it says anything of items."""
        return ITEM_TITLE in self.columns


def is_heading(names: frozenset[str]) -> bool:
    """Whether a row with columns of these names is a heading: of resources, or of their items."""
    return len(names) > 1 and (TITLE in names or (ITEM_TITLE in names and CODE in names))


def extract(tables: ListTables, departments: Iterable[tuple[str, str]]) -> Extract:
    """The resources of the tables with their items. `departments`: provider and name of each department here."""
    reading = _Reading(providers(departments))
    for table in sorted(tables.tables, key=_is_of_items):
        reading.table(table)
    names = frozenset[str]().union(*(table.names for table in tables.tables))
    ignored = tables.ignored()
    if ITEM_TITLE not in names:
        of_items = frozenset(name for name in names if name.startswith(OF_ITEMS))
        ignored, names = (*ignored, *(form().columns[name].title for name in sorted(of_items))), names - of_items
    resources = tuple(replace(one, items=tuple(reading.items[n])) for n, one in enumerate(reading.index.resources))
    return Extract(resources, names, tuple(reading.unread), tables.unread, ignored)


def _is_of_items(table: ListTable) -> bool:
    """Whether the table has items, and of their resources only what names them."""
    others = {name for name in table.names - KEYS if not name.startswith(OF_ITEMS)}
    return ITEM_TITLE in table.names and not others


def _is_item_alone(line: ListLine) -> bool:
    """Whether the row is a further item of the resource above."""
    return ITEM_TITLE in line.cells and not line.cells.keys() & {TITLE, CODE}


@dataclass
class _Reading:
    """Resources and their items as far as read."""

    departments: Mapping[str, str]
    index: ResourceIndex = field(default_factory=ResourceIndex)
    items: list[list[Item]] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def table(self, table: ListTable) -> None:
        """Read a table: of resources, of resources with items in the same rows, or of items alone."""
        current: int | None = None
        is_refused = False
        for line in table.lines:
            is_further = line.is_part or (not table.is_nested and _is_item_alone(line))
            if is_further and is_refused:
                continue
            if not (is_further and current is not None):
                current = self._resource_of(line, table, current)
                is_refused = current is None
            if current is not None:
                self._item(line, current)

    def _resource_of(self, line: ListLine, table: ListTable, current: int | None) -> int | None:
        """The number of the row's resource, known or new; None where it has none, which is noted."""
        named = self._named(line)
        known = self._known(named)
        if reason := self._refusal(named, known, table, is_current=known == current):
            self._refuse(line, reason)
            return None
        if known is None:
            return self._new(line, named)
        if not _is_of_items(table):
            self._note_other_cells(line, self.index.resources[known])
        return known

    def _refusal(self, named: Resource, known: int | None, table: ListTable, is_current: bool) -> str:
        """Why a row is not read, in Chinese; empty where it is. `is_current`: its resource is that of the row above."""
        if known is None and _is_of_items(table):
            return "没有对应的信息资源，信息项未比对"
        if known is None:
            return "" if named.title else "没有信息资源名称，未比对"
        if _is_of_items(table) or (is_current and ITEM_TITLE in table.names and not table.is_nested):
            return ""
        return f"与{self.index.resources[known].place}是同一条目录，未比对"

    def _named(self, line: ListLine) -> Resource:
        """What names the row's resource."""
        cells = {name: value(form().columns[name], cell).text for name, cell in line.cells.items() if name in KEYS}
        department = plain_department(cells.get(PROVIDER, ""))
        is_loose = CODE in line.cells and line.cells[CODE].is_number
        provider = self.departments.get(department, department)
        return Resource(cells, (), provider=provider, place=line.place, has_loose_code=is_loose)

    def _known(self, one: Resource) -> int | None:
        """The resource with the code; else the one with the title, if not both have codes."""
        by_code = self.index.with_code_of(one)
        by_title = self.index.with_title_of(one)
        if by_code is not None or by_title is None:
            return by_code
        return None if any(codes(one)) and any(codes(self.index.resources[by_title])) else by_title

    def _new(self, line: ListLine, named: Resource) -> int:
        cells, unreadable = self._cells(line, form().resources)
        if named.provider and named.provider not in self.departments.values():
            self.unread.append(Unread(line.cells[PROVIDER].place, cells[PROVIDER], "本市没有这个部门"))
        self.items.append([])
        return self.index.add(replace(named, cells=cells, unreadable=unreadable))

    def _note_other_cells(self, line: ListLine, first: Resource) -> None:
        """Note cells of a further row of a resource that say something else than its first row."""
        for column in form().resources:
            cell = line.cells.get(column.name)
            if cell and normal(value(column, cell).text) != normal(first.text(column.name)):
                self.unread.append(
                    Unread(cell.place, cell.text, f"与{first.place}的「{first.text(column.name)}」不一致")
                )

    def _item(self, line: ListLine, number: int) -> None:
        if not line.cells.keys() & {ITEM_TITLE, ITEM_NAME}:
            if line.is_part or any(name.startswith(OF_ITEMS) for name in line.cells):
                self._refuse(line, "没有信息项名称，未比对")
            return
        cells, unreadable = self._cells(line, form().items)
        same = next((item for item in self.items[number] if is_same_item(item.cells, cells)), None)
        if same is None:
            self.items[number].append(Item(line.place, cells, unreadable))
        else:
            self._refuse(line, f"与{same.place}是同一个信息项，未比对")

    def _cells(self, line: ListLine, columns: Sequence[Column]) -> tuple[dict[str, str], frozenset[str]]:
        """The row's texts by column, and columns of which nothing can be compared; what is wrong is noted."""
        cells, unreadable = dict[str, str](), set[str]()
        for column in columns:
            cell = line.cells.get(column.name)
            if cell is None:
                continue
            found = value(column, cell)
            cells[column.name] = found.text
            if found.reason:
                self.unread.append(Unread(cell.place, cell.text, found.reason))
            if not found.is_readable:
                unreadable.add(column.name)
        return cells, frozenset(unreadable)

    def _refuse(self, line: ListLine, reason: str) -> None:
        first = next((cell.text for cell in (*line.cells.values(), *line.others)), "")
        self.unread.append(Unread(line.place, line.text(ITEM_TITLE) or line.text(TITLE) or first, reason))
