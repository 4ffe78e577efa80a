"""A department's own list (a workbook) → attributes of entries: which row is which dataset, and what fits none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, WorksheetNotFound

from jobs.catalogue.entry import Entry
from jobs.catalogue.search import Index, normal
from jobs.errors import UserError

DEEPEST = 20
"""The heading is looked for in so many rows of a sheet."""
FEWEST = 2
"""A row is the heading where so many of its cells are known, the name of the resource among them."""
SUGGESTED = 3
TITLE = "title"
Words = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class ListRow:
    """A row of the list, by attribute; `place` names sheet and row as people count them."""

    place: str
    title: str
    stated: Mapping[str, str]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Matched:
    """A row and its dataset."""

    row: ListRow
    entry: Entry


@dataclass(frozen=True)
class Unmatched:
    """A row that is no known dataset, and the titles that come near."""

    row: ListRow
    suggestions: tuple[str, ...]


@dataclass(frozen=True)
class Matching:
    """A list against the contracts: rows by dataset, rows without one, datasets that the list lacks, unknown headers."""

    matched: tuple[Matched, ...]
    unmatched: tuple[Unmatched, ...]
    missing: tuple[Entry, ...]
    ignored: tuple[str, ...] = field(default=())


def match(file: Path, entries: Sequence[Entry], codes: Mapping[str, str]) -> Matching:
    """The list's rows matched to the department's entries. `codes`: published code → dataset.

    A row is an entry's by its code, else by its id or title. UserError where the file is no readable list.
    """
    rows, ignored = _rows(file)
    known = _known(entries, codes)
    index, matched, unmatched = Index(entries), list[Matched](), list[Unmatched]()
    for row in rows:
        entry = known.get(normal(row.stated.get("code", ""))) or known.get(normal(row.title))
        if entry is None:
            hits = index.find(row.title, SUGGESTED)
            unmatched.append(Unmatched(row, tuple(hit.entry.title for hit in hits)))
        else:
            matched.append(Matched(_unrepeated(row, entry, matched), entry))
    named = {one.entry.id for one in matched}
    return Matching(tuple(matched), tuple(unmatched), tuple(e for e in entries if e.id not in named), ignored)


def _known(entries: Sequence[Entry], codes: Mapping[str, str]) -> dict[str, Entry]:
    """Entries by published code, id and title."""
    by_id = {entry.id: entry for entry in entries}
    by_code = {normal(code): by_id[id_] for code, id_ in codes.items() if code}
    return {normal(name): entry for entry in entries for name in (entry.title, entry.id)} | by_code


def _unrepeated(row: ListRow, entry: Entry, matched: Sequence[Matched]) -> ListRow:
    """The row, with a fault where an earlier one is of the same dataset."""
    earlier = next((one.row.place for one in matched if one.entry.id == entry.id), "")
    fault = (f"与{earlier}是同一个数据集，请只保留一行",) if earlier else ()
    return ListRow(row.place, row.title, row.stated, (*row.faults, *fault))


def _rows(file: Path) -> tuple[list[ListRow], tuple[str, ...]]:
    """The rows of all sheets with a list, and the headers that are not read."""
    found, ignored = list[ListRow](), dict[str, None]()
    for sheet, cells in _sheets(file):
        place = _heading(cells)
        if place is not None:
            names = [_words()["headers"].get(normal(cell), "") for cell in cells[place]]
            ignored |= dict.fromkeys(c for c, n in zip(cells[place], names, strict=True) if c.strip() and not n)
            rows = enumerate(cells[place + 1 :], place + 2)
            found += filter(None, (_row(f"《{sheet}》第 {number} 行", names, row) for number, row in rows))
    if not found:
        raise UserError(
            f"{file.name}: no list of resources found / 没有找到清单：须有一行表头，其中有「信息资源名称」和「共享属性」等列"
        )
    return found, tuple(ignored)


def _sheets(file: Path) -> Iterator[tuple[str, list[list[str]]]]:
    try:
        with CalamineWorkbook.from_path(file) as book:
            for name in book.sheet_names:
                rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
                yield name, [[_text(cell) for cell in row] for row in rows]
    except (CalamineError, PasswordError, WorksheetNotFound, OSError) as error:
        raise UserError(
            f"{file.name}: not a readable workbook ({error}) / 不是可读的电子表格，请另存为 xlsx"
        ) from error


def _heading(cells: Sequence[Sequence[str]]) -> int | None:
    """Which row is the heading; None in a sheet without a list."""
    known = _words()["headers"]
    for place, row in enumerate(cells[:DEEPEST]):
        names = {known[normal(cell)] for cell in row if normal(cell) in known}
        if TITLE in names and len(names) >= FEWEST:
            return place
    return None


def _row(place: str, names: Sequence[str], cells: Sequence[str]) -> ListRow | None:
    stated = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name and cell.strip()}
    title = stated.pop(TITLE, "")
    if not title or not stated:
        return None
    faults = []
    for name in stated.keys() & _words().keys():
        value = _words()[name].get(normal(stated[name]))
        if value is None:
            faults.append(f"不认识「{stated[name]}」；可以写：{'、'.join(dict.fromkeys(_words()[name]))}")
        else:
            stated[name] = value
    return ListRow(place, title, stated, tuple(faults))


@cache
def _words() -> Words:
    """Header or word as compared → attribute or value, by `headers` and by attribute."""
    said = yaml.safe_load(Path(__file__).with_name("list_import.yaml").read_text("utf-8"))
    groups = {"headers": said["headers"], **said["values"]}
    return {
        name: {normal(word): key for key, words in group.items() for word in words} for name, group in groups.items()
    }


def _text(cell: object) -> str:
    """A cell as text: a whole number without a fraction, so that a code stays one."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
