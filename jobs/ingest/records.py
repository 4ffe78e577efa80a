"""JSON and JSON lines → grid: nested keys become dotted headers, numbers keep the digits that were sent."""

import codecs
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from jobs.contracts import Layout
from jobs.ingest.columns import MOST_COLUMNS
from jobs.ingest.encoding import Encoding, blocks, detect
from jobs.ingest.grid import Chunk, Grid, chunked, distinct_header, is_blank, without_last
from jobs.ingest.notes import FileNotes

NOT_AN_OBJECT = "该记录不是对象（应为 {…}）"
BROKEN_LINE = "该行不是有效的 JSON"
TOO_DEEP = "该记录嵌套过深"
MOST_DOCUMENT_BYTES = 128 << 20
"""A document stands in memory whole, at up to thirty times its size."""

MOST_LINE_CHARS = 16 << 20
MOST_DEPTH = 100
DEEP: Mapping[str, str] = {}
"""Stands for a record that goes too deep."""


class Digits(str):
    """A number as it was written."""

    __slots__ = ()


def parse(text: str) -> Any:
    """The document, with every number as its digits."""
    return json.loads(text, parse_float=Digits, parse_int=Digits, parse_constant=Digits)


def open_json(path: Path, layout: Layout, notes: FileNotes) -> Grid:
    """The grid of a JSON document: a list of objects, or {columns, data}, at `layout.records`."""
    encoding = detect(path, layout.encoding, notes)

    def load() -> Any:
        return _records(_read(path, encoding, notes), layout.records, notes)

    records = load()
    if isinstance(records, dict):
        header, again = distinct_header([str(c) for c in records["columns"]])
        if again:
            notes.say("column_duplicate", f"列名重复：{'、'.join(again)}；后出现的列加序号区分", columns=list(again))
        return _grid(header, lambda: _table_rows(load()["data"], len(header)), layout)
    names = _headers((_flat(r) for r in records if isinstance(r, dict)), notes)
    return _grid(names, lambda: _object_rows(((i, r, None) for i, r in enumerate(load(), 1)), names, notes), layout)


def open_jsonl(path: Path, layout: Layout, notes: FileNotes) -> Grid:
    """The grid of JSON lines, read twice: once for the headers, once for the rows."""
    encoding = detect(path, layout.encoding, notes)
    lines = partial(_json_lines, path, encoding, notes)
    names = _headers((_flat(r) for _, r, _ in lines() if isinstance(r, dict)), notes)
    return _grid(names, lambda: _object_rows(lines(), names, notes), layout)


def _grid(header: Sequence[str | None], rows: Any, layout: Layout) -> Grid:
    def chunks() -> Iterator[Chunk]:
        yield from without_last(chunked(rows(), len(header)), layout.footer_rows)
        _document.cache_clear()

    return Grid(tuple(header), chunks)


@lru_cache(maxsize=1)
def _document(path: Path, encoding: Encoding, modified: int) -> Any:
    """The parsed document in memory: headers and rows of a single file need one parse."""
    del modified
    return parse(b"".join(blocks(path, encoding)).decode("utf-8", "replace"))


def _read(path: Path, encoding: Encoding, notes: FileNotes) -> Any:
    if path.stat().st_size > MOST_DOCUMENT_BYTES:
        most = MOST_DOCUMENT_BYTES >> 20
        raise notes.error(f"的 JSON 超过 {most} MiB；请拆分，或与大数据局约定改为每行一条记录（jsonl）")
    try:
        return _document(path, encoding, path.stat().st_mtime_ns)
    except json.JSONDecodeError as error:
        lines = "；若每行一条记录，契约的 format 应为 jsonl" if error.msg == "Extra data" else ""
        place = f"第 {error.lineno} 行第 {error.colno} 个字符处"
        raise notes.error(f"不是有效的 JSON：{place}有误（{error.msg}）{lines}；请重新导出后报送") from error
    except RecursionError as error:
        raise notes.error("的 JSON 嵌套过深，无法读取；请按记录列表导出") from error


def _records(document: Any, path: str, notes: FileNotes) -> Any:
    """The list of records, or a mapping with `columns` and `data`."""
    for step in filter(None, path.split(".")):
        if not isinstance(document, dict) or step not in document:
            have = "、".join(map(str, document)) if isinstance(document, dict) else "列表"
            raise notes.error(f"中没有「{path}」（缺 {step}）；该处现有：{have}")
        document = document[step]
    if isinstance(document, list):
        return document
    if isinstance(document, dict) and all(isinstance(document.get(k), list) for k in ("columns", "data")):
        return document
    lists = [k for k, v in document.items() if isinstance(v, list)] if isinstance(document, dict) else []
    hint = f"；可能在：{'、'.join(lists)}" if lists else ""
    raise notes.error(f"的「{path or '根'}」处不是记录列表{hint}；请在契约 layout.records 写明路径")


def _json_lines(path: Path, encoding: Encoding, notes: FileNotes) -> Iterator[tuple[int, Any, str | None]]:
    """Line number, record, fault; blank lines are counted and passed over."""
    for number, line in enumerate(_lines(path, encoding, notes), start=1):
        if not line.strip(" \t\r\n\0\x1a"):
            continue
        try:
            yield number, parse(line), None
        except (json.JSONDecodeError, RecursionError):
            yield number, {}, BROKEN_LINE


def _lines(path: Path, encoding: Encoding, notes: FileNotes) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    for block in blocks(path, encoding):
        *lines, rest = (rest + decoder.decode(block)).split("\n")
        yield from lines
        if len(rest) > MOST_LINE_CHARS:
            raise notes.error("单行过长，不是每行一条记录；请按 JSON Lines 格式重新导出后报送")
    if rest:
        yield rest


def _table_rows(data: Sequence[Any], width: int) -> Iterator[tuple[int, Sequence[str], str | None]]:
    for number, record in enumerate(data, start=1):
        try:
            cells = [_text(v) for v in record] if isinstance(record, list) else []
            fault = None if len(cells) == width else f"应有 {width} 列，实有 {len(cells)} 列"
        except RecursionError:
            cells, fault = [], TOO_DEEP
        yield number, cells[:width] + [""] * (width - len(cells)), fault


def _object_rows(
    records: Iterable[tuple[int, Any, str | None]], names: Sequence[str], notes: FileNotes
) -> Iterator[tuple[int, Sequence[str], str | None]]:
    blank: list[int] = []
    for number, record, fault in records:
        flat = _flat(record) if isinstance(record, dict) else {}
        fault = fault or (TOO_DEEP if flat is DEEP else None)
        cells = [flat.get(name, "") for name in names]
        fault = fault or (None if isinstance(record, dict) else NOT_AN_OBJECT)
        if fault is None and is_blank(cells):
            blank.append(number)
            continue
        yield number, cells, fault
    notes.count("rows_blank", "跳过 {count} 条空记录", blank)


def _headers(records: Iterable[Mapping[str, str]], notes: FileNotes) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for record in records:
        names.update(dict.fromkeys(record))
        if len(names) > MOST_COLUMNS:
            raise notes.error(f"的字段名超过 {MOST_COLUMNS:,} 个；键名应固定，可变的内容请放入值中")
    return tuple(names)


def _flat(record: Mapping[str, Any]) -> Mapping[str, str]:
    """Dotted key → text; DEEP where it goes too deep to be followed."""
    try:
        return _flattened(record, "", MOST_DEPTH)
    except RecursionError:
        return DEEP


def _flattened(record: Mapping[str, Any], prefix: str, depth: int) -> dict[str, str]:
    if not depth:
        raise RecursionError
    found: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, dict) and value:
            found.update(_flattened(value, f"{prefix}{key}.", depth - 1))
        else:
            found[prefix + key] = _text(value)
    return found


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, str) else as_json(value)


def as_json(value: Any) -> str:
    """JSON text of a parsed value, its numbers with the digits that were sent."""
    if isinstance(value, Digits):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(as_json(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {as_json(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
