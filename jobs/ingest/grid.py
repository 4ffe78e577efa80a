"""A file as a grid of text: a header and chunks of cells, whatever its format was."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import Layout

CHUNK_ROWS = 20_000
SECTIONS_SEEN = "识别出 {count} 个分组标题行，其内容已填入下方各行"
BLANK = " \t\u3000\xa0\x1a\r\n"


@dataclass(frozen=True)
class Chunk:
    """Some rows: a text array for each column (null where empty), row numbers, and what is wrong with a row."""

    cells: tuple[pa.Array, ...]
    rows: pa.Array
    malformed: pa.Array

    def __len__(self) -> int:
        return len(self.rows)

    def slice(self, start: int, length: int) -> "Chunk":
        """The rows from `start` on, without a copy."""
        cells = tuple(cell.slice(start, length) for cell in self.cells)
        return Chunk(cells, self.rows.slice(start, length), self.malformed.slice(start, length))


@dataclass(frozen=True)
class Grid:
    """Header (None: nothing stands there) and a way to read the rows, more than once if need be.

    The last `groups` columns come from the file's name or from sub-headings rather than from columns of the file.
    """

    header: tuple[str | None, ...]
    chunks: Callable[[], Iterator[Chunk]]
    groups: int = 0

    def own(self) -> int:
        """How many columns the file itself has."""
        return len(self.header) - self.groups

    def with_constants(self, values: Mapping[str, str]) -> "Grid":
        """The grid with a column for each value, the same in all rows."""
        if not values:
            return self
        chunks = self.chunks

        def widened() -> Iterator[Chunk]:
            for chunk in chunks():
                more = tuple(pa.repeat(pa.scalar(v, pa.string()), len(chunk)) for v in values.values())
                yield replace(chunk, cells=(*chunk.cells, *more))

        return Grid((*self.header, *values), widened, self.groups + len(values))


@dataclass
class Sections:
    """Sub-heading rows: remembers the groups of the last one for the rows below it."""

    layout: Layout
    seen: int = 0
    values: tuple[str | None, ...] = ()
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.pattern = re.compile(self.layout.section.pattern) if self.layout.section else None
        self.names = tuple(self.pattern.groupindex) if self.pattern else ()
        self.values = (None,) * len(self.names)

    def takes(self, cells: Sequence[str]) -> bool:
        """Whether this row is a sub-heading; if so, its groups hold from now on."""
        if self.pattern is None:
            return False
        filled = [cell for cell in cells if cell]
        match = self.pattern.search(filled[0].strip()) if len(filled) == 1 else None
        if match is None:
            return False
        self.values = tuple(match.group(name) for name in self.names)
        self.seen += 1
        return True


def text_array(values: Sequence[str | None]) -> pa.Array:
    """Texts as an array with null for an empty one; lone surrogates become the replacement character."""
    try:
        array = pa.array(values, pa.string())
    except (UnicodeEncodeError, pa.ArrowInvalid):
        whole = [v if v is None else v.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for v in values]
        array = pa.array(whole, pa.string())
    return pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array)


def chunk_of(cells: Sequence[Sequence[str]], numbers: Sequence[int], faults: Mapping[int, str], width: int) -> Chunk:
    """Rows of equal length as a chunk; `faults`: index in `cells` → what is wrong."""
    columns = list(zip(*cells, strict=True)) if cells else [()] * width
    malformed = pa.array([faults.get(i) for i in range(len(numbers))] if faults else [None] * len(numbers), pa.string())
    return Chunk(tuple(text_array(c) for c in columns), pa.array(numbers, pa.int64()), malformed)


def chunked(rows: Iterable[tuple[int, Sequence[str], str | None]], width: int) -> Iterator[Chunk]:
    """Rows (number, cells, fault) as chunks."""
    cells: list[Sequence[str]] = []
    numbers: list[int] = []
    faults: dict[int, str] = {}
    for number, row, fault in rows:
        if fault:
            faults[len(numbers)] = fault
        cells.append(row)
        numbers.append(number)
        if len(numbers) == CHUNK_ROWS:
            yield chunk_of(cells, numbers, faults, width)
            cells, numbers, faults = [], [], {}
    if numbers:
        yield chunk_of(cells, numbers, faults, width)


def without_last(chunks: Iterator[Chunk], rows: int) -> Iterator[Chunk]:
    """All but the last `rows` rows, for a footer below the data."""
    if not rows:
        yield from chunks
        return
    held: deque[Chunk] = deque()
    total = 0
    for chunk in chunks:
        held.append(chunk)
        total += len(chunk)
        while held and total - len(held[0]) >= rows:
            total -= len(held[0])
            yield held.popleft()
    keep = max(total - rows, 0)
    for chunk in held:
        if keep <= 0:
            return
        yield chunk.slice(0, min(keep, len(chunk)))
        keep -= len(chunk)


def is_blank(cells: Sequence[str], width: int = 1) -> bool:
    """Whether a row holds nothing; white space (or the end-of-file mark of DOS) alone on a line is nothing too."""
    if len(cells) == 1 < width:
        return not cells[0].strip(BLANK)
    return not any(cells)


def joined_header(levels: Sequence[Sequence[str]], width: int, fill: bool) -> tuple[str, ...]:
    """Header rows as one: levels joined by `/`, equal neighbours once; `fill`: upper levels reach to the right."""
    clean = [[" ".join(cell.split()) for cell in level] + [""] * (width - len(level)) for level in levels]
    if fill:
        for level in clean[:-1]:
            for index in range(1, width):
                level[index] = level[index] or level[index - 1]
    names = []
    for column in zip(*clean, strict=True) if clean else [()] * width:
        parts: list[str] = []
        for part in column:
            if part and part not in parts[-1:]:
                parts.append(part)
        names.append("/".join(parts))
    return tuple(names)


def distinct_header(header: Sequence[str | None]) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    """The header with a suffix where a name stands again, and the names that did."""
    seen: dict[str, int] = {}
    names: list[str | None] = []
    again: list[str] = []
    for name in header:
        if not name:
            names.append(name)
            continue
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            again.append(name)
            names.append(f"{name}_{seen[name]}")
        else:
            names.append(name)
    return tuple(names), tuple(dict.fromkeys(again))
