"""JSON lines → grid."""

import codecs
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from jobs.contracts import Layout
from jobs.ingest.alike_lines import alike_lines, in_order
from jobs.ingest.encoding import Encoding, blocks, detect
from jobs.ingest.grid import CHUNK_ROWS, Chunk, Fault, Grid, chunked, without_last
from jobs.ingest.notation import Notations
from jobs.ingest.notes import FileNotes
from jobs.ingest.record_columns import RecordColumns
from jobs.ingest.records import (
    BROKEN_LINE,
    NOT_AN_OBJECT,
    FlatRecord,
    filled_rows,
    flat_records,
    grid_of,
    notation_by_position,
    note_renamed,
    object_rows,
    parse,
)
from jobs.ingest.wordings import wording

MOST_LINE_CHARS = 16 << 20
MOST_KEPT_BYTES = 32 << 20
"""JSON lines of so many bytes are held in memory, and parsed once."""


def open_jsonl(path: Path, layout: Layout, notes: FileNotes, field_notations: Notations) -> Grid:
    """The grid of JSON lines; a long file is read twice: once for the headers, once for the rows."""
    encoding = detect(path, layout.encoding, notes)
    renamed: dict[str, str] = {}
    if path.stat().st_size <= MOST_KEPT_BYTES:
        return _open_kept(list(_lines(path, encoding, notes)), layout, notes, field_notations)

    def records() -> Iterator[FlatRecord]:
        return flat_records(_json_lines(enumerate(_lines(path, encoding, notes), start=1), renamed))

    columns = RecordColumns.of((flat for _, flat, _ in records()), field_notations.fields, notes)
    note_renamed(renamed, notes)
    return grid_of(columns.header, lambda: object_rows(records(), columns, notes), layout, field_notations)


def _open_kept(lines: Sequence[str], layout: Layout, notes: FileNotes, field_notations: Notations) -> Grid:
    """The grid of lines in memory, parsed once."""
    renamed: dict[str, str] = {}
    shapes, numbers = alike_lines(lines)
    records = list(flat_records(_json_lines(((number, lines[number - 1]) for number in numbers), renamed)))
    by_line = [(number, flat) for number, flat, _ in records] + [(int(s.numbers[0]), s.cells) for s in shapes]
    in_order_of_lines = (keys for _, keys in sorted(by_line, key=lambda pair: pair[0]))
    columns = RecordColumns.of(in_order_of_lines, field_notations.fields, notes)
    names = columns.header
    note_renamed(renamed, notes)
    if not shapes or notation_by_position(names, field_notations):
        everything = records if not shapes else list(flat_records(_json_lines(enumerate(lines, 1), {})))
        return grid_of(names, lambda: object_rows(everything, columns, notes), layout, field_notations)

    def chunks() -> Iterator[Chunk]:
        blank = [number for shape in shapes for number in shape.numbers[shape.is_blank()].tolist()]
        others = list(chunked(filled_rows(records, columns, blank), len(names)))
        notes.count("rows_blank", wording("records_blank"), sorted(blank))
        rows = in_order([*(shape.chunk(columns.keys(shape.cells)) for shape in shapes), *others])
        parts = (rows.slice(start, CHUNK_ROWS) for start in range(0, len(rows), CHUNK_ROWS))
        yield from without_last(parts, layout.footer_rows)

    return Grid(names, chunks)


def _json_lines(lines: Iterable[tuple[int, str]], renamed: dict[str, str]) -> Iterator[tuple[int, Any, Fault | None]]:
    """Line number, record, fault of numbered lines; blank ones are skipped."""
    for number, line in lines:
        if not line.strip(" \t\r\n\0\x1a"):
            continue
        try:
            record = parse(line, renamed)
        except (json.JSONDecodeError, RecursionError):
            yield number, {}, Fault(BROKEN_LINE, line.rstrip("\r\n"))
            continue
        yield number, record, None if isinstance(record, dict) else Fault(NOT_AN_OBJECT, line.rstrip("\r\n"))


def _lines(path: Path, encoding: Encoding, notes: FileNotes) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    for block in blocks(path, encoding):
        *lines, rest = (rest + decoder.decode(block)).split("\n")
        yield from lines
        if len(rest) > MOST_LINE_CHARS:
            raise notes.error(wording("json_line_too_long"))
    if rest:
        yield rest
