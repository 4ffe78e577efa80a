"""Delimited text → grid: Arrow's reader for well-formed blocks, Python's for the others."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from jobs.contracts import Layout
from jobs.ingest.cell_errors import has_error_words
from jobs.ingest.encoding import BLOCK_BYTES, Encoding, blocks, detect
from jobs.ingest.grid import SECTIONS_SEEN, Chunk, Fault, Grid, Sections, chunk_of, is_blank, without_last
from jobs.ingest.headers import distinct_header, duplicate_message, joined_header
from jobs.ingest.invisible import has_invisible, note_invisible, occurs
from jobs.ingest.notes import FileNotes
from jobs.ingest.quoting import UNPAIRED, Dialect, Parser, Records, sound_end
from jobs.ingest.summary_rows import without_summary_rows
from jobs.ingest.wordings import wording

DELIMITERS = (",", "\t", ";", "|")
MAX_LINE_BYTES = 64 << 20
MAX_HEAD_BYTES = 1 << 20
PIECES = 64
REPLACED = b"\xef\xbf\xbd"
Score = Callable[[Sequence[str | None]], int]


def open_delimited(path: Path, layout: Layout, notes: FileNotes, score: Score, block_bytes: int = BLOCK_BYTES) -> Grid:
    """The grid of a delimited file; `score` says how many columns of a header the contract knows."""
    encoding = detect(path, layout.encoding, notes)
    head = layout.skip_rows + layout.header_rows
    first = b"".join(_first_blocks(blocks(path, encoding, block_bytes), head or 1)).replace(b"\0", b"")
    if any(len(line) > MAX_HEAD_BYTES for line in first.splitlines()[: head or 1]):
        raise notes.error(wording("header_row_too_long"))
    dialect = _dialect(first, layout, score, notes)
    records = Parser(dialect).parse(first, last=True, limit=max(head, 1))
    if not records.rows:
        raise notes.error(wording("file_empty"))
    header = _header(records.rows, layout, notes)
    scan = _Scan(_TextFile(path, encoding, dialect, block_bytes), layout, notes, len(header))
    scan.named = max((i + 1 for i, name in enumerate(header) if name), default=len(header))
    sections = Sections(layout)
    grid = Grid((*header, *sections.names), scan.chunks, len(sections.names))
    return without_summary_rows(grid, records.rows[layout.skip_rows : head], layout, notes)


def _header(rows: Sequence[Sequence[str]], layout: Layout, notes: FileNotes) -> tuple[str | None, ...]:
    """The header's distinct names; empty names, one per column, where the file has no header."""
    levels = rows[layout.skip_rows : layout.skip_rows + layout.header_rows]
    if layout.header_rows and not levels:
        raise notes.error(wording("header_row_missing", rows=len(rows), place=layout.skip_rows + 1))
    width = max((len(level) for level in (levels or rows)), default=0)
    header, renamed = distinct_header(joined_header(levels, width, fill=True) if levels else ("",) * width)
    if renamed:
        notes.say("column_duplicate", duplicate_message(renamed), columns=list(renamed))
    return header


def _is_partial_line(data: bytes, last: bool) -> bool:
    return not last and b"\n" not in data


def _first_blocks(source: Iterator[bytes], lines: int) -> Iterator[bytes]:
    """The first blocks, enough to hold the header."""
    seen = size = 0
    for block in source:
        yield block
        seen += block.count(b"\n") + block.count(b"\r")
        size += len(block)
        if seen > 4 * lines + 100 or size > MAX_LINE_BYTES:
            return


def _dialect(first: bytes, layout: Layout, score: Score, notes: FileNotes) -> Dialect:
    """The declared dialect, or one with another delimiter where only that yields the contract's columns."""
    declared = Dialect(layout.delimiter, layout.quote, layout.multiline)
    if not layout.header_rows:
        return declared
    known = _known(first, layout, declared, score)
    others = [replace(declared, delimiter=d) for d in DELIMITERS if d != declared.delimiter]
    best = max(others, key=lambda d: _known(first, layout, d, score))
    # One known column proves nothing about the delimiter: a whole line may happen to equal it.
    if known > 1 or _known(first, layout, best, score) <= max(known, 1):
        return declared
    names = {",": "逗号", "\t": "制表符", ";": "分号", "|": "竖线"}
    words = [names.get(d.delimiter, d.delimiter) for d in (declared, best)]
    message = wording("delimiter_differs", declared=words[0], actual=words[1])
    notes.say("delimiter_differs", message, declared=declared.delimiter, delimiter=best.delimiter)
    return best


def _known(first: bytes, layout: Layout, dialect: Dialect, score: Score) -> int:
    head = layout.skip_rows + layout.header_rows
    rows = Parser(dialect).parse(first, last=True, limit=head).rows[layout.skip_rows :]
    return score(joined_header(rows, max((len(r) for r in rows), default=0), fill=True))


@dataclass(frozen=True)
class _TextFile:
    """A file of delimited text, with its encoding and dialect."""

    path: Path
    encoding: Encoding
    dialect: Dialect
    block_bytes: int


class _Scan:
    """One pass over the file's rows."""

    def __init__(self, text: _TextFile, layout: Layout, notes: FileNotes, width: int) -> None:
        self.path, self.encoding, self.dialect, self.block_bytes = (
            text.path,
            text.encoding,
            text.dialect,
            text.block_bytes,
        )
        self.layout, self.notes, self.width = layout, notes, width
        self.named = width
        self.row = 0
        self.arrow_width = width

    def chunks(self) -> Iterator[Chunk]:
        """Chunks of data rows, without header, blank rows, sub-headings and footer."""
        self.row, self.arrow_width = 1, self.width
        self.head_left = self.layout.skip_rows + self.layout.header_rows
        self.piece = self.block_bytes
        self.sections = Sections(self.layout)
        self.parser = Parser(self.dialect, self.width)
        return without_last(self._all(), self.layout.footer_rows)

    def _all(self) -> Iterator[Chunk]:
        pending = b""
        for block, last in self._blocks():
            pending = self._after_head(pending + block, last)
            used = 1
            while pending and used and not self.head_left:
                chunk, used = self._take(pending, last)
                if chunk is not None and len(chunk):
                    self._note_damage(chunk, pending[:used])
                    yield replace(chunk, has_errors=True) if has_error_words(pending[:used]) else chunk
                pending = pending[used:]
            if len(pending) > MAX_LINE_BYTES:
                raise self.notes.error(wording("not_lines"))
        if self.sections.seen:
            self.notes.count("section_rows", SECTIONS_SEEN, [], self.sections.seen)

    def _after_head(self, data: bytes, last: bool) -> bytes:
        """The data after skipped rows and header; consumes them as far as they are complete."""
        if not self.head_left:
            return data
        head = self.parser.parse(data, last, self.head_left)
        self.head_left -= len(head.rows)
        self.row += len(head.rows)
        return data[head.used :]

    def _blocks(self) -> Iterator[tuple[bytes, bool]]:
        """UTF-8 blocks without NUL bytes, and whether each is the last."""
        previous: bytes | None = None
        for block in blocks(self.path, self.encoding, self.block_bytes):
            nul = block.count(b"\0")
            if nul:
                self.notes.count("nul_bytes", wording("nul_bytes"), [], nul)
                block = block.replace(b"\0", b"")
            if previous is not None:
                yield previous, False
            previous = block
        # There is always a last block, even an empty one, so that pending data is flushed.
        yield previous or b"", True

    def _take(self, data: bytes, last: bool) -> tuple[Chunk | None, int]:
        """The next chunk of `data`, and the bytes used."""
        return (self._may_use_arrow() and self._take_by_arrow(data, last)) or self._take_by_parser(data, last)

    def _take_by_arrow(self, data: bytes, last: bool) -> tuple[Chunk | None, int] | None:
        """None where Arrow fails. Smaller and smaller pieces are tried, so that one odd row sends few rows to Python."""
        while True:
            piece, is_all = data[: self.piece], len(data) <= self.piece
            cut = sound_end(piece, self.dialect, last and is_all)
            chunk = self._arrow(memoryview(piece)[:cut]) if cut else None
            if chunk is not None and cut:
                self.piece = min(self.piece * 2, MAX_LINE_BYTES)
                return chunk, cut
            # Small enough, or no line end in the piece: Python continues from here.
            if self.piece <= self.block_bytes // PIECES or (is_all and not cut and _is_partial_line(data, last)):
                return None
            self.piece = min(self.piece, len(data)) // 2

    def _take_by_parser(self, data: bytes, last: bool) -> tuple[Chunk | None, int]:
        piece, is_all = data[: self.piece], len(data) <= self.piece
        records = self.parser.parse(piece, last and is_all)
        if not records.rows and not is_all:
            records = self.parser.parse(data, last)
        self.piece = min(max(self.piece, 1) * 2, MAX_LINE_BYTES)
        return (self._python(records) if records.rows else None), records.used

    def _may_use_arrow(self) -> bool:
        return self.dialect.is_simple() and self.layout.section is None

    def _arrow(self, data: memoryview) -> Chunk | None:
        """The block read by Arrow; None where a row is ragged, so that Python must find it."""
        names = [str(i) for i in range(self.arrow_width)]
        try:
            table = pacsv.read_csv(
                pa.BufferReader(pa.py_buffer(data)),
                # A single block, since Arrow refuses a row that straddles two.
                pacsv.ReadOptions(use_threads=False, column_names=names, block_size=len(data) + 1),
                pacsv.ParseOptions(
                    delimiter=self.dialect.delimiter,
                    quote_char=self.dialect.quote or False,
                    newlines_in_values=bool(self.dialect.quote),
                    ignore_empty_lines=False,
                ),
                pacsv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                    # The blocks are UTF-8 already, with the replacement character for undecodable bytes.
                    check_utf8=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        cells = [column.combine_chunks() for column in table.columns]
        if any(cell.null_count < len(cell) for cell in cells[self.width :]):
            return None
        rows = pa.array(np.arange(self.row, self.row + len(table)))
        self.row += len(table)
        return self._without_blank(Chunk(tuple(cells[: self.width]), rows, pa.nulls(len(table), pa.string())))

    def _without_blank(self, chunk: Chunk) -> Chunk:
        # A column without an empty cell rules blank rows out at once.
        if any(cell.null_count == 0 for cell in chunk.cells):
            return chunk
        blank = chunk.cells[0].is_null()
        for cell in chunk.cells[1:]:
            blank = pc.and_(blank, cell.is_null())
        if not pc.any(blank).as_py():
            return chunk
        self.notes.count("rows_blank", wording("rows_blank"), chunk.rows.filter(blank).to_pylist())
        keep = pc.invert(blank)
        return chunk.where(keep)

    def _python(self, records: Records) -> Chunk:
        cells: list[Sequence[str]] = []
        numbers: list[int] = []
        faults: dict[int, Fault] = {}
        blank: list[int] = []
        for index, row in enumerate(records.rows):
            number = self.row + index
            if is_blank(row, self.width):
                blank.append(number)
                continue
            if self.sections.takes(row):
                continue
            reason = UNPAIRED if index in records.unpaired else self._shape_fault(row)
            if reason:
                faults[len(numbers)] = Fault(reason, records.text(index))
            padded = row[: self.width] + [""] * (self.width - len(row))
            cells.append((*padded, *(v or "" for v in self.sections.values)))
            numbers.append(number)
        self._note(records, blank)
        self.row += len(records.rows)
        return chunk_of(cells, numbers, faults, self.width + len(self.sections.names))

    def _note(self, records: Records, blank: list[int]) -> None:
        self.notes.count("rows_blank", wording("rows_blank"), blank)
        irregular = [self.row + i for i in records.irregular]
        self.notes.count("quotes_irregular", wording("quotes_followed"), irregular)
        unpaired = [self.row + i for i in sorted(records.unpaired)]
        self.notes.count("quotes_unpaired", wording("quotes_unpaired"), unpaired)

    def _shape_fault(self, row: Sequence[str]) -> str | None:
        """Why the row does not fit the header; surplus empty cells, and missing unnamed ones, are accepted."""
        if self.named <= len(row) <= self.width:
            return None
        if len(row) > self.width and not any(row[self.width :]):
            # Sheets exported with empty columns have them in each row: from now on Arrow reads those too.
            self.arrow_width = len(row)
            return None
        return wording("cells_differ", width=self.width, number=len(row))

    def _note_damage(self, chunk: Chunk, data: bytes) -> None:
        if has_invisible(data):
            note_invisible(chunk, self.notes)
        if not occurs(REPLACED, data):
            return
        is_damaged = pc.match_substring(chunk.cells[0], "\ufffd").fill_null(False)
        for cell in chunk.cells[1:]:
            is_damaged = pc.or_(is_damaged, pc.match_substring(cell, "\ufffd").fill_null(False))
        rows = chunk.rows.filter(is_damaged).to_pylist()
        self.notes.count("characters_damaged", wording("characters_lost"), rows)
