"""A department's own list (a workbook) → attributes of entries: which row is which dataset, and what fits none."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from jobs.catalogue.entry import Entry
from jobs.catalogue.list_tables import ListLine, Unread, list_tables
from jobs.catalogue.search import Index, normal
from jobs.errors import UserError
from jobs.model.sheet import Sheet

FEWEST = 2
"""A row is the heading where so many of its cells are known, the name of the resource among them."""
SUGGESTED = 3
TITLE, CODE = "title", "code"
Words = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class ListRow:
    """A row of the list, by attribute; `place` names sheet and row as people count them."""

    place: str
    title: str
    stated: Mapping[str, str]
    faults: tuple[str, ...] = ()

    def is_usable(self) -> bool:
        """Whether it names a resource and states something of it."""
        return bool(self.title and (self.stated or self.faults))


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
    """A list against the contracts: rows by dataset, rows without one, datasets that the list lacks, unknown headers.

    `unread`: sheets and rows that are not read, with the reason.
    """

    matched: tuple[Matched, ...]
    unmatched: tuple[Unmatched, ...]
    missing: tuple[Entry, ...]
    ignored: tuple[str, ...] = field(default=())
    unread: tuple[Unread, ...] = field(default=())


def match(name: str, sheets: Sequence[Sheet], entries: Sequence[Entry], codes: Mapping[str, str]) -> Matching:
    """The list's rows matched to the department's entries. `name`: of the file; `codes`: published code → dataset.

    A row is an entry's by its code, else by its id or title. UserError where the sheets have no list.
    """
    rows, ignored, unread = _rows(name, sheets)
    known = _known(entries, codes)
    index, matched, unmatched = Index(entries), list[Matched](), list[Unmatched]()
    for row in rows:
        entry = known.get(normal(row.stated.get(CODE, ""))) or known.get(normal(row.title))
        if entry is None:
            hits = index.find(row.title, SUGGESTED)
            unmatched.append(Unmatched(row, tuple(hit.entry.title for hit in hits)))
        else:
            matched.append(Matched(_unrepeated(row, entry, matched), entry))
    named = {one.entry.id for one in matched}
    missing = tuple(e for e in entries if e.id not in named)
    return Matching(tuple(matched), tuple(unmatched), missing, ignored, unread)


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


def _rows(name: str, sheets: Sequence[Sheet]) -> tuple[list[ListRow], tuple[str, ...], tuple[Unread, ...]]:
    """The rows of all sheets with a list, the headers that are not read, and sheets and rows that are not."""
    found = list_tables(sheets, _words()["headers"], lambda names: TITLE in names and len(names) >= FEWEST)
    lines = [(line, _row(line)) for table in found.tables for line in table.lines]
    rows = [row for _, row in lines if row.is_usable()]
    unread = (*found.unread, *(_unread(line, row) for line, row in lines if not row.is_usable()))
    if not rows:
        raise UserError(
            f"{name}: no list of resources found / 没有找到清单：须有一行表头，其中有「信息资源名称」和「共享属性」等列"
        )
    return rows, found.ignored(), unread


def _unread(line: ListLine, row: ListRow) -> Unread:
    """A row that says nothing of a resource, by its first text."""
    start = next(cell.text for cell in (*line.cells.values(), *line.others))
    return Unread(line.place, start, "没有填写共享、开放等要素" if row.title else "没有信息资源名称")


def _row(line: ListLine) -> ListRow:
    stated = {name: cell.text for name, cell in line.cells.items()}
    title = stated.pop(TITLE, "")
    faults = []
    if code := line.cells.get(CODE):
        stated[CODE] = "".join(unicodedata.normalize("NFKC", code.text).split())
        if not code.is_exact:
            del stated[CODE]
            faults.append(f"{code.place}的代码按数值保存，末位已失真；请改为文本格式")
    for name in stated.keys() & _words().keys():
        value = _words()[name].get(normal(stated[name]))
        if value is None:
            faults.append(f"不认识「{stated[name]}」；可以写：{'、'.join(dict.fromkeys(_words()[name]))}")
        else:
            stated[name] = value
    return ListRow(line.place, title, stated, tuple(faults))


@cache
def list_words() -> Mapping[str, Mapping[str, Any]]:
    """What list_import.yaml says: `headers` by attribute, and `values` by attribute and value."""
    said: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
        Path(__file__).with_name("list_import.yaml").read_text("utf-8")
    )
    return said


@cache
def _words() -> Words:
    """Header or word as compared → attribute or value, by `headers` and by attribute."""
    groups = {"headers": list_words()["headers"], **list_words()["values"]}
    return {
        name: {normal(word): key for key, words in group.items() for word in words} for name, group in groups.items()
    }
