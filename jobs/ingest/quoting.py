"""Delimited text → records, exactly; a quote that never closes costs one row, not the rest of the file."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

UNPAIRED = "引号未配对"
MAX_RECORD_BYTES = 1 << 20
MAX_RECORD_LINES = 1000
MAX_CELL_CHARS = 1 << 24
SWALLOWED_LINES = 2
BREAKS_IN_ORDINARY_CELL = 2
LINE_ENDS = b"\r\n"


@dataclass(frozen=True)
class Dialect:
    """Delimiter, quote (empty: quotes are plain characters), and whether a quoted cell may hold line breaks."""

    delimiter: str
    quote: str
    multiline: bool

    def reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """Python's reader for this dialect."""
        # Python's default limit, 131,072 characters, would refuse merely long cells.
        csv.field_size_limit(MAX_CELL_CHARS)
        if not self.quote:
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote)

    def plain(self, line: str) -> list[str]:
        """The cells of one line where quotes are plain characters."""
        try:
            return next(csv.reader([line], delimiter=self.delimiter, quoting=csv.QUOTE_NONE), [])
        except csv.Error:  # a cell longer than the reader's limit
            return line.rstrip("\r\n").split(self.delimiter)

    def is_simple(self) -> bool:
        """Whether delimiter and quote are single bytes."""
        return self.delimiter.isascii() and self.quote.isascii()

    def sound_record(self) -> re.Pattern[str]:
        """Pattern of a record in which every quoted cell ends where its quote closes."""
        d, q = re.escape(self.delimiter), re.escape(self.quote)
        # Possessive (`*+`): text that does not match fails in one pass, however hostile.
        cell = rf"(?:{q}(?:[^{q}]|{q}{q})*+{q}|(?!{q})[^{d}\r\n]*+)"
        return re.compile(rf"{cell}(?:{d}{cell})*+[\r\n]*")


@dataclass
class Records:
    """Records in file order: cells (none for an empty line), which of them have unpaired quotes, and the bytes used.

    `lines`: all lines read; `spans`: the lines of each record.
    """

    lines: list[str]
    rows: list[list[str]] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    unpaired: set[int] = field(default_factory=set)
    irregular: list[int] = field(default_factory=list)
    used: int = 0

    def text(self, index: int) -> str:
        """The record's text in the file, without its line end."""
        start, end = self.spans[index]
        return "".join(self.lines[start:end]).rstrip("\r\n")


class _Lines:
    """Iterator over lines from a position on; `exhausted` once more were requested than there are."""

    def __init__(self, lines: list[str], start: int) -> None:
        self.lines = lines
        self.at = start
        self.exhausted = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.at >= len(self.lines):
            self.exhausted = True
            raise StopIteration
        line = self.lines[self.at]
        self.at += 1
        return line


class Parser:
    """Reads records out of UTF-8 text that begins at a record's start."""

    def __init__(self, dialect: Dialect, width: int | None = None) -> None:
        self.dialect = dialect
        self.width = width
        self.sound = dialect.sound_record() if dialect.quote else None

    def parse(self, data: bytes, last: bool, limit: int | None = None) -> Records:
        """The complete records in `data`, at most `limit`; what may continue in the next block stays unused."""
        lines = list(io.StringIO(data.decode("utf-8", "replace"), newline=""))
        # The last line may continue in the next block; so may a line end whose `\n` is still to come.
        if not last and lines and not lines[-1].endswith("\n"):
            lines.pop()
        records = Records(lines)
        at = 0
        while at < len(lines) and not _is_full(records, limit):
            at = self._run(lines, at, last, limit, records)
        return records

    def _run(self, lines: list[str], start: int, last: bool, limit: int | None, records: Records) -> int:
        """Read until the end, the limit, or a broken record; returns the line to continue from."""
        feed = _Lines(lines, start)
        at = start
        try:
            for row in self.dialect.reader(feed):
                if feed.exhausted or feed.at - at > 1:
                    fault = self._fault(row, lines[at : feed.at], feed.exhausted, last)
                    if fault == "open":
                        return len(lines)
                    if fault:
                        break
                elif self._is_irregular(lines[at]):
                    records.irregular.append(len(records.rows))
                self._take(row, lines, at, feed.at, records)
                at = feed.at
                if _is_full(records, limit):
                    return at
            else:
                return len(lines)
        except csv.Error:
            pass
        records.unpaired.add(len(records.rows))
        self._take(self.dialect.plain(lines[at]), lines, at, at + 1, records)
        return at + 1

    def _is_irregular(self, line: str) -> bool:
        """Whether a record of one line has misplaced quotes."""
        return bool(self.sound) and self.dialect.quote in line and not self._is_sound(line)

    def _is_sound(self, text: str) -> bool:
        return self.sound is None or self.sound.fullmatch(text) is not None

    @staticmethod
    def _take(row: list[str], lines: list[str], start: int, end: int, records: Records) -> None:
        records.rows.append(row)
        records.spans.append((start, end))
        records.used += sum(len(line) if line.isascii() else len(line.encode()) for line in lines[start:end])

    def _fault(self, row: list[str], record: list[str], is_open: bool, last: bool) -> str:
        """`open`: more text is needed to decide; `unpaired`: the record swallowed others; empty: it is sound."""
        size = sum(len(line) for line in record)
        is_too_long = size > MAX_RECORD_BYTES or len(record) > MAX_RECORD_LINES or not self.dialect.multiline
        if is_open:
            return "unpaired" if last or is_too_long else "open"
        return "unpaired" if is_too_long or not self._is_sound("".join(record)) or self._swallows(row, record) else ""

    def _swallows(self, row: list[str], record: list[str]) -> bool:
        """Whether lines within a cell look like records of their own."""
        # In a narrow table almost any text looks like a row, so swallowed rows cannot be recognised.
        if self.width is None or self.width < 3 or max(cell.count("\n") for cell in row) <= BREAKS_IN_ORDINARY_CELL:
            return False
        record_like = sum(1 for line in record[1:-1] if line.count(self.dialect.delimiter) == self.width - 1)
        return record_like >= SWALLOWED_LINES


def _is_full(records: Records, limit: int | None) -> bool:
    return limit is not None and len(records.rows) >= limit


def sound_end(data: bytes, dialect: Dialect, last: bool) -> int | None:
    """Offset up to which `data` is complete, well-quoted records; None where there is no such offset."""
    if not dialect.quote or dialect.quote.encode() not in data:
        return len(data) if last else _last_line_end(data)
    text = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(text == ord(dialect.quote))
    ends = np.flatnonzero(text == ord("\n"))
    # A line end with an odd number of quotes before it lies within a quoted cell.
    inside = np.searchsorted(quotes, ends) & 1
    outside = ends[inside == 0]
    if last and len(quotes) % 2 == 0:
        cut = len(data)
    elif len(outside):
        cut = int(outside[-1]) + 1
    else:
        return None
    quotes = quotes[quotes < cut]
    if not _well_quoted(text, quotes, ord(dialect.delimiter), cut):
        return None
    broken = ends[inside == 1]
    return cut if _are_ordinary(broken[broken < cut], quotes, dialect) else None


def _are_ordinary(broken: np.ndarray, quotes: np.ndarray, dialect: Dialect) -> bool:
    """Whether line ends within quotes are allowed, and no cell has too many of them."""
    if not len(broken):
        return True
    per_cell = np.bincount(np.searchsorted(quotes, broken) // 2)
    return dialect.multiline and int(per_cell.max()) <= BREAKS_IN_ORDINARY_CELL


def _last_line_end(data: bytes) -> int | None:
    cut = data.rfind(b"\n") + 1
    # A `\r` at the very end may be half of `\r\n`.
    return cut or (data.rfind(b"\r", 0, len(data) - 1) + 1) or None


def _well_quoted(text: np.ndarray, quotes: np.ndarray, delimiter: int, cut: int) -> bool:
    """RFC 4180: an opening quote begins a cell, a closing one ends it, a doubled one is a literal quote."""
    if len(quotes) % 2:
        return False
    mark = int(text[quotes[0]]) if len(quotes) else 0
    is_edge = np.zeros(256, dtype=bool)
    is_edge[[delimiter, *LINE_ENDS, mark]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    before = text[opening[opening > 0] - 1]
    after = text[closing[closing + 1 < cut] + 1]
    return bool(is_edge[before].all() and is_edge[after].all())
