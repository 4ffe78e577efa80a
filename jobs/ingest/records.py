"""JSON → grid: nested keys become dotted headers, numbers keep the digits that were sent."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jobs.contracts import Layout
from jobs.ingest.encoding import Encoding, blocks, detect
from jobs.ingest.grid import Chunk, Fault, Grid, chunked, is_blank, without_last
from jobs.ingest.headers import distinct_header, duplicate_message, suffixed
from jobs.ingest.notation import Notation, Notations
from jobs.ingest.notes import FileNotes
from jobs.ingest.record_columns import RecordColumns
from jobs.ingest.wordings import wording

NOT_AN_OBJECT = "该记录不是对象（应为 {…}）"
BROKEN_LINE = "该行不是有效的 JSON"
TOO_DEEP = "该记录嵌套过深"
FAULTS = (NOT_AN_OBJECT, BROKEN_LINE, TOO_DEEP)
MOST_DOCUMENT_BYTES = 128 << 20
"""A document is held in memory as a whole, at up to thirty times its size."""

MOST_DEPTH = 100
Rows = Iterator[tuple[int, Sequence[str], Fault | None]]
FlatRecord = tuple[int, Mapping[str, str], Fault | None]
DEEP: Mapping[str, str] = {}
"""Marks a record that nests too deep."""


class Digits(str):
    """A number as it was written."""

    __slots__ = ()


def parse(text: str, renamed: dict[str, str] | None = None) -> Any:
    """The document, with every number as its digits.

    A repeated key of an object gets a suffix; `renamed` then holds new name → key.
    """
    renamed_keys = {} if renamed is None else renamed

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        by_name = dict(pairs)
        if len(by_name) == len(pairs):
            return by_name
        names, renamed_here = distinct_header([key for key, _ in pairs])
        renamed_keys.update(renamed_here)
        return {name or "": value for name, (_, value) in zip(names, pairs, strict=True)}

    return json.loads(text, parse_float=Digits, parse_int=Digits, parse_constant=Digits, object_pairs_hook=object_of)


def open_json(path: Path, layout: Layout, notes: FileNotes, field_notations: Notations) -> Grid:
    """The grid of a JSON document: a list of objects, or {columns, data}, at `layout.records`."""
    encoding = detect(path, layout.encoding, notes)

    def load() -> tuple[Any, Mapping[str, str]]:
        document, renamed = _read(path, encoding, notes)
        return _records(document, layout.records, notes), renamed

    records, renamed = load()
    if isinstance(records, dict):
        header, renamed = distinct_header([str(c) for c in records["columns"]])
        note_renamed(renamed, notes)
        return grid_of(header, lambda: _table_rows(load()[0]["data"], len(header)), layout, field_notations)
    note_renamed(renamed, notes)
    columns = RecordColumns.of((_flat(r) for r in records if isinstance(r, dict)), field_notations.fields, notes)
    rows = lambda: object_rows(flat_records((i, r, None) for i, r in enumerate(load()[0], 1)), columns, notes)  # noqa: E731
    return grid_of(columns.header, rows, layout, field_notations)


def note_renamed(renamed: Mapping[str, str], notes: FileNotes) -> None:
    """Note the keys that an object repeats."""
    if renamed:
        notes.say("column_duplicate", duplicate_message(renamed).replace("表头", "字段名"), columns=list(renamed))


def grid_of(header: Sequence[str | None], rows: Callable[[], Rows], layout: Layout, field_notations: Notations) -> Grid:
    """A grid of the rows."""
    by_position = notation_by_position(header, field_notations)

    def chunks() -> Iterator[Chunk]:
        yield from without_last(chunked(_marked(rows(), by_position), len(header)), layout.footer_rows)
        _document.cache_clear()

    return Grid(tuple(header), chunks)


def notation_by_position(header: Sequence[str | None], field_notations: Notations) -> Mapping[int, Notation]:
    """The notations of those columns whose numbers have another decimal mark than a point."""
    notation_of = {i: field_notations.of(i, name) for i, name in enumerate(header)}
    return {i: notation for i, notation in notation_of.items() if notation.mark != "."}


def _marked(rows: Rows, by_position: Mapping[int, Notation]) -> Rows:
    """The rows, with numbers (not texts) written with the decimal separators of their fields."""
    for number, cells, fault in rows:
        if by_position:
            cells = [
                by_position[i].number(c) if i in by_position and isinstance(c, Digits) else c
                for i, c in enumerate(cells)
            ]
        yield number, cells, fault


@lru_cache(maxsize=1)
def _document(path: Path, encoding: Encoding, modified: int) -> tuple[Any, Mapping[str, str]]:
    """The parsed document and its renamed keys, cached: headers and rows of a file need one parse."""
    del modified
    renamed: dict[str, str] = {}
    return parse(b"".join(blocks(path, encoding)).decode("utf-8", "replace"), renamed), renamed


def _read(path: Path, encoding: Encoding, notes: FileNotes) -> tuple[Any, Mapping[str, str]]:
    if path.stat().st_size > MOST_DOCUMENT_BYTES:
        most = MOST_DOCUMENT_BYTES >> 20
        raise notes.error(wording("json_too_large", most=most))
    try:
        return _document(path, encoding, path.stat().st_mtime_ns)
    except json.JSONDecodeError as error:
        lines = wording("json_lines_hint") if error.msg == "Extra data" else ""
        place = wording("json_place", line=error.lineno, column=error.colno)
        raise notes.error(wording("json_broken", place=place, reason=error.msg, hint=lines)) from error
    except RecursionError as error:
        raise notes.error(wording("json_too_deep")) from error


def _records(document: Any, path: str, notes: FileNotes) -> Any:
    """The list of records, or an object with `columns` and `data`."""
    document = _at(document, path, notes)
    if isinstance(document, list):
        return document
    if isinstance(document, dict) and all(isinstance(document.get(k), list) for k in ("columns", "data")):
        return document
    lists = [k for k, v in document.items() if isinstance(v, list)] if isinstance(document, dict) else []
    hint = wording("records_maybe_at", places="、".join(lists)) if lists else ""
    raise notes.error(wording("records_missing", path=path or "根", hint=hint))


def _at(document: Any, path: str, notes: FileNotes) -> Any:
    """The value at a dotted path."""
    for step in filter(None, path.split(".")):
        if not isinstance(document, dict) or step not in document:
            present = "、".join(map(str, document)) if isinstance(document, dict) else "列表"
            raise notes.error(wording("json_path_missing", path=path, step=step, present=present))
        document = document[step]
    return document


def _table_rows(data: Sequence[Any], width: int) -> Rows:
    for number, record in enumerate(data, start=1):
        try:
            cells = [_text(v) for v in record] if isinstance(record, list) else []
            reason = "" if len(cells) == width else wording("cells_differ", width=width, number=len(cells))
        except RecursionError:
            cells, reason = [], TOO_DEEP
        yield number, cells[:width] + [""] * (width - len(cells)), Fault(reason, _line(record)) if reason else None


def _line(record: Any) -> str:
    """A record as JSON text; empty where it nests too deep."""
    try:
        return as_json(record)
    except RecursionError:
        return ""


def flat_records(records: Iterable[tuple[int, Any, Fault | None]]) -> Iterator[FlatRecord]:
    """Each record's number, its texts by dotted key, and what is wrong with it."""
    for number, record, fault in records:
        flat = _flat(record) if isinstance(record, dict) else {}
        if fault is None and (flat is DEEP or not isinstance(record, dict)):
            fault = Fault(TOO_DEEP if flat is DEEP else NOT_AN_OBJECT, _line(record))
        yield number, flat, fault


def object_rows(records: Iterable[FlatRecord], columns: RecordColumns, notes: FileNotes) -> Rows:
    blank: list[int] = []
    yield from filled_rows(records, columns, blank)
    notes.count("rows_blank", wording("records_blank"), blank)


def filled_rows(records: Iterable[FlatRecord], columns: RecordColumns, blank: list[int]) -> Rows:
    """The rows that are not blank; `blank` gets the numbers of the others."""
    for number, flat, fault in records:
        cells = ["" if key is None else flat.get(key, "") for key in columns.keys(flat)]
        if fault is None and is_blank(cells):
            blank.append(number)
            continue
        yield number, cells, fault


def _flat(record: Mapping[str, Any]) -> Mapping[str, str]:
    """Dotted key → text; DEEP where it nests too deep."""
    try:
        return _flattened(record, "", MOST_DEPTH)
    except RecursionError:
        return DEEP


def _flattened(record: Mapping[str, Any], prefix: str, depth: int) -> dict[str, str]:
    if not depth:
        raise RecursionError
    flat: dict[str, str] = {}
    for key, value in record.items():
        name = prefix + key
        if isinstance(value, dict) and value:
            for inner, text in _flattened(value, f"{name}.", depth - 1).items():
                flat[_free(inner, flat)] = text
        else:
            flat[name if name not in flat else _free(name, flat)] = value if isinstance(value, str) else _text(value)
    return flat


def _free(name: str, flat: Mapping[str, str]) -> str:
    """The name, with a suffix where it is taken: {"a": {"b": 1}, "a.b": 2} has two columns of one name."""
    return name if name not in flat else next(other for other in suffixed(name) if other not in flat)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else as_json(value)


def as_json(value: Any) -> str:
    """JSON text of a parsed value, its numbers with the digits that were sent."""
    if isinstance(value, Digits):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(as_json(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {as_json(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
