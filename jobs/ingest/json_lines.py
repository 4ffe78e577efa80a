"""JSON lines → grid."""

import codecs
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from jobs.contracts import Layout
from jobs.ingest.alike_lines import Alike, alike_lines, in_order
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
BLOCK_CHARS = 8 << 20
"""Lines of a longer file that are read together."""


@dataclass(frozen=True)
class Block:
    """Lines that were read together: those that are alike, and the records of the others, by their numbers in the file."""

    shapes: Sequence[Alike]
    records: Sequence[FlatRecord]

    def keys_in_order(self) -> Iterator[Iterable[str]]:
        """The keys of each record and of each shape, in the order of their lines."""
        numbered = [(number, flat) for number, flat, _ in self.records]
        numbered += [(int(shape.numbers[0]), shape.cells) for shape in self.shapes]
        return (keys for _, keys in sorted(numbered, key=lambda pair: pair[0]))

    def rows(self, columns: RecordColumns, blank: list[int]) -> Iterator[Chunk]:
        """The rows that are not blank; `blank` gets the numbers of the others."""
        others = list(chunked(filled_rows(self.records, columns, blank), len(columns.header)))
        blank += [number for shape in self.shapes for number in shape.numbers[shape.is_blank()].tolist()]
        parts = [*(shape.chunk(columns.keys(shape.cells)) for shape in self.shapes), *others]
        rows = in_order(parts) if parts else None
        return (rows.slice(start, CHUNK_ROWS) for start in range(0, len(rows), CHUNK_ROWS)) if rows else iter(())


def open_jsonl(path: Path, layout: Layout, notes: FileNotes, field_notations: Notations) -> Grid:
    """The grid of JSON lines; a long file is read twice: once for the headers, once for the rows."""
    encoding = detect(path, layout.encoding, notes)
    renamed: dict[str, str] = {}

    def parsed() -> Iterator[Block]:
        return _blocks(_lines(path, encoding, notes), renamed)

    def one_by_one() -> Iterator[FlatRecord]:
        return flat_records(_json_lines(enumerate(_lines(path, encoding, notes), 1), {}))

    kept = list(parsed()) if path.stat().st_size <= MOST_KEPT_BYTES else None
    keys = chain.from_iterable(block.keys_in_order() for block in kept or parsed())
    columns = RecordColumns.of(keys, field_notations.fields, notes)
    note_renamed(renamed, notes)
    if notation_by_position(columns.header, field_notations):
        return grid_of(columns.header, lambda: object_rows(one_by_one(), columns, notes), layout, field_notations)

    def chunks() -> Iterator[Chunk]:
        blank: list[int] = []
        rows = chain.from_iterable(block.rows(columns, blank) for block in kept or parsed())
        yield from without_last(rows, layout.footer_rows)
        notes.count("rows_blank", wording("records_blank"), sorted(blank))

    return Grid(columns.header, chunks)


def _blocks(lines: Iterable[str], renamed: dict[str, str]) -> Iterator[Block]:
    """The lines in blocks, one after the other."""
    above, together, chars = 0, [], 0
    for line in lines:
        together.append(line)
        chars += len(line)
        if chars >= BLOCK_CHARS:
            yield _block(together, above, renamed)
            above, together, chars = above + len(together), [], 0
    yield _block(together, above, renamed)


def _block(lines: Sequence[str], above: int, renamed: dict[str, str]) -> Block:
    """Lines read together; `above`: how many lines are before them."""
    shapes, numbers = alike_lines(lines)
    records = flat_records(_json_lines(((above + number, lines[number - 1]) for number in numbers), renamed))
    return Block([replace(shape, numbers=shape.numbers + above) for shape in shapes], list(records))


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
