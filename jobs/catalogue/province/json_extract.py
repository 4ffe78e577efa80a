"""A JSON document of the province → lines as a sheet has them, so that both are read alike."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jobs.catalogue.list_tables import ListCell, ListLine, ListTable, ListTables, Unread
from jobs.catalogue.province.form import form
from jobs.catalogue.search import normal
from jobs.errors import UserError
from jobs.model.sheet import EXACT_BELOW

ENCODINGS = ("utf-8-sig", "gb18030")
Row = Mapping[str, Any]


def json_tables(name: str, data: bytes) -> ListTables:
    """The document as one table; UserError where it is no JSON, or has no rows of resources. `name`: of the file."""
    unread: list[Unread] = []
    rows = _rows(name, _document(name, data, unread))
    lines = [line for number, row in enumerate(rows, 1) for line in _lines(f"第 {number} 条", row, unread)]
    names = frozenset(name for row in rows for name in _names(row))
    ignored = tuple(dict.fromkeys(key for row in rows for key in _ignored(row)))
    return ListTables((ListTable(name, names, tuple(lines), ignored, is_nested=True),), tuple(unread))


def _rows(name: str, document: Any) -> list[Row]:
    """The document itself, or what it has under one of the form's keys."""
    key = form().json_keys.resources[0]
    rows = document if isinstance(document, list) else _first(document, form().json_keys.resources)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"{name}: no list under {key} / 没有「{key}」一组，其中每条是一个对象")
    return rows


def _document(name: str, data: bytes, repeated: list[Unread]) -> Any:
    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                repeated.append(
                    Unread(f"「{_word(key)}」", _word(str(found[key]))[:40], "同一对象中重复，按最后一个读取")
                )
            found[key] = value
        return found

    try:
        return json.loads(_text(data), object_pairs_hook=distinct)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name}: not JSON ({str(error)[:80]}) / 不是可读的 JSON 文件") from error


def _text(data: bytes) -> str:
    for encoding in ENCODINGS[:-1]:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode(ENCODINGS[-1])


def _first(document: Any, keys: tuple[str, ...]) -> Any:
    found = document if isinstance(document, dict) else {}
    return next((found[key] for key in keys if key in found), None)


def _items(row: Row) -> list[Any]:
    found = _first(row, form().json_keys.items)
    return found if isinstance(found, list) else []


def _lines(place: str, row: Row, unread: list[Unread]) -> Iterator[ListLine]:
    """The resource's line, with its first item; further items in lines of their own."""
    cells = _cells(place, row, unread)
    items = list[ListLine]()
    for number, item in enumerate(_items(row), 1):
        where = f"{place} {form().titles.items}第 {number} 项"
        if isinstance(item, dict):
            items.append(ListLine(where, _cells(where, item, unread), is_part=True))
        else:
            unread.append(Unread(where, _word(str(item))[:40], "不是一个对象，未读取"))
    yield ListLine(place, {**cells, **(items[0].cells if items else {})})
    yield from items[1:]


def _cells(place: str, row: Row, unread: list[Unread]) -> dict[str, ListCell]:
    cells = {}
    for key, value in row.items():
        name = form().headers.get(normal(key))
        if not name or value is None or str(value).strip() == "" or value is _items(row):
            continue
        if isinstance(value, dict | list):
            unread.append(Unread(f"{place}（{_word(key)}）", _word(str(value))[:40], "不是一个值，未读取"))
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        is_exact = not isinstance(value, float) or abs(value) < EXACT_BELOW
        cells[name] = ListCell(_word(value).strip(), f"{place}（{_word(key)}）", is_number, is_exact)
    return cells


def _word(value: str | float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return text.encode(errors="replace").decode().replace("\x00", "")  # JSON may hold what no file and no page can


def _names(row: Row) -> Iterator[str]:
    for one in (row, *(item for item in _items(row) if isinstance(item, dict))):
        yield from (form().headers[normal(key)] for key in one if normal(key) in form().headers)


def _ignored(row: Row) -> Iterator[str]:
    known = {normal(key) for key in form().json_keys.items} | form().headers.keys()
    for one in (row, *(item for item in _items(row) if isinstance(item, dict))):
        yield from (_word(key) for key in one if normal(key) not in known)
