"""Tables in sheets whose headers are people's own words: cells by what their header means, each with its place."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from jobs.catalogue.search import normal
from jobs.model.sheet import Sheet, SheetCell, column_letters

DEEPEST = 20
"""The heading is looked for in so many rows of a sheet."""
FEWEST_HEADERS = 2
"""Distinct texts of a row of headers."""
Headers = Mapping[str, str]
"""Header as compared → what it means."""
IsHeading = Callable[[frozenset[str]], bool]
"""Whether a row with these meanings is a heading."""


@dataclass(frozen=True)
class Unread:
    """What is not read, where it is, and why, in Chinese."""

    place: str
    value: str
    reason: str

    def words(self) -> str:
        """All in one line."""
        return f"{self.place}「{self.value}」：{self.reason}" if self.value else f"{self.place}：{self.reason}"


@dataclass(frozen=True)
class ListCell:
    """A cell that is not blank; `place` as people name it. `is_exact`: whether all digits of a number are there."""

    text: str
    place: str
    is_number: bool = False
    is_exact: bool = True


@dataclass(frozen=True)
class ListLine:
    """A row: its cells by meaning, and those under other headers. `is_part`: it is a part of the row above."""

    place: str
    cells: Mapping[str, ListCell]
    others: tuple[ListCell, ...] = ()
    is_part: bool = False

    def text(self, name: str) -> str:
        """The cell's text; empty where it is blank."""
        return self.cells[name].text if name in self.cells else ""


@dataclass(frozen=True)
class ListTable:
    """A table of a sheet: the meanings of its columns, its rows, and headers that are unknown or repeated.

    `is_nested`: each row that is no part is a thing of its own; elsewhere, equal rows below each other are one thing.
    """

    sheet: str
    names: frozenset[str]
    lines: tuple[ListLine, ...]
    ignored: tuple[str, ...]
    is_nested: bool = False


@dataclass(frozen=True)
class ListTables:
    """The tables of a workbook, and sheets that have none or are hidden."""

    tables: tuple[ListTable, ...]
    unread: tuple[Unread, ...] = field(default=())

    def ignored(self) -> tuple[str, ...]:
        """Headers of all tables that are unknown or repeated, once each."""
        return tuple(dict.fromkeys(title for table in self.tables for title in table.ignored))


def list_tables(sheets: Iterable[Sheet], headers: Headers, is_heading: IsHeading) -> ListTables:
    """One table for each visible sheet with a heading."""
    found, unread = list[ListTable](), list[Unread]()
    for sheet in sheets:
        if not any(cell.text.strip() for row in sheet.rows for cell in row):
            continue
        place = None if sheet.is_hidden else _heading(sheet, headers, is_heading)
        if place is None:
            reason = "隐藏的工作表，未读取；需要时请取消隐藏" if sheet.is_hidden else "没有认识的表头，未读取"
            unread.append(Unread(f"《{sheet.name}》", "", reason))
        else:
            found.append(_table(sheet, headers, place))
    return ListTables(tuple(found), tuple(unread))


def _heading(sheet: Sheet, headers: Headers, is_heading: IsHeading) -> int | None:
    """The row that names most columns; None in a sheet without a heading."""
    named = [frozenset(filter(None, _names(sheet, headers, row))) for row in range(min(DEEPEST, len(sheet.rows)))]
    best = max(range(len(named)), key=lambda row: (len(named[row]), -row), default=None)
    return best if best is not None and is_heading(named[best]) else None


def _names(sheet: Sheet, headers: Headers, row: int) -> list[str]:
    """What each column means by a row, together with the row above it: its group, or its own name where this row has none."""
    above = _filled_across(sheet, row - 1) if row else [""] * len(sheet.rows[row])
    names = []
    for column, cell in enumerate(sheet.rows[row]):
        upper = above[column] if column < len(above) else ""
        written = (cell.text, upper + cell.text) if cell.text.strip() else (upper,)
        names.append(next((headers[normal(text)] for text in written if normal(text) in headers), ""))
    return names


def _filled_across(sheet: Sheet, row: int) -> list[str]:
    """The texts of a row, each merged one in all columns that it covers."""
    texts = [cell.text for cell in sheet.rows[row]]
    for (top, left), (_, right) in sheet.merged:
        if top == row:
            texts[left : right + 1] = [texts[left]] * len(texts[left : right + 1])
    return texts


def _table(sheet: Sheet, headers: Headers, place: int) -> ListTable:
    names, titles = _names(sheet, headers, place), _titles(sheet, place)
    ignored = dict.fromkeys(title for title, name in zip(titles, names, strict=True) if title and not name)
    ignored |= dict.fromkeys(_without_repeated(names, titles))
    lines = (_line(sheet, names, titles, row) for row in range(place + 1, len(sheet.rows)))
    kept = (line for line in lines if line and not _is_heading_again(line, headers))
    return ListTable(sheet.name, frozenset(filter(None, names)), tuple(kept), tuple(ignored))


def _titles(sheet: Sheet, place: int) -> list[str]:
    """The headers as written; where a column has none, that of the row above, unless that row is a title of the sheet."""
    above = _filled_across(sheet, place - 1) if place else []
    if len({text for text in above if text.strip()}) < FEWEST_HEADERS:
        above = []
    own = [cell.text.strip() for cell in sheet.rows[place]]
    return [title or (above[column].strip() if column < len(above) else "") for column, title in enumerate(own)]


def _without_repeated(names: list[str], titles: Sequence[str]) -> Iterator[str]:
    """Headers that mean what an earlier one means, in words; their meaning is emptied in `names`."""
    for column, name in enumerate(names):
        if name and name in names[:column]:
            names[column] = ""
            yield f"{titles[column]}（与「{titles[names.index(name)]}」重复）"


def _line(sheet: Sheet, names: Sequence[str], titles: Sequence[str], row: int) -> ListLine | None:
    """The row; None for a blank one."""
    place = f"《{sheet.name}》第 {row + 1} 行"
    cells, others = dict[str, ListCell](), list[ListCell]()
    for column, cell in _written(sheet.rows[row]):
        title = titles[column] if column < len(titles) else ""
        where = f"{place} {column_letters(column)} 列" + (f"（{title}）" if title else "")
        found = ListCell(cell.text.strip(), where, cell.is_number, cell.is_exact)
        if name := names[column] if column < len(names) else "":
            cells[name] = found
        else:
            others.append(found)
    return ListLine(place, cells, tuple(others)) if cells or others else None


def _written(row: Sequence[SheetCell]) -> Iterator[tuple[int, SheetCell]]:
    return ((column, cell) for column, cell in enumerate(row) if cell.text.strip())


def _is_heading_again(line: ListLine, headers: Headers) -> bool:
    """Whether the row repeats the heading, as printed pages do."""
    return bool(line.cells) and all(headers.get(normal(cell.text)) == name for name, cell in line.cells.items())
