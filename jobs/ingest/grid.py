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
class Fault:
    """What is wrong with the shape of a row, and its text as it was sent."""

    reason: str
    line: str


@dataclass(frozen=True)
class Chunk:
    """Some rows: a text array for each column (null where empty), row numbers, and what is wrong with a row.

    `lines` has the text of the rows that are wrong; None where no row is.
    """

    cells: tuple[pa.Array, ...]
    rows: pa.Array
    malformed: pa.Array
    lines: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def slice(self, start: int, length: int) -> "Chunk":
        """The rows from `start` on, without a copy."""
        cells = tuple(cell.slice(start, length) for cell in self.cells)
        lines = None if self.lines is None else self.lines.slice(start, length)
        return Chunk(cells, self.rows.slice(start, length), self.malformed.slice(start, length), lines)


@dataclass(frozen=True)
class Typed:
    """What a column is by its file's own word: a contract's type, the exact one where that says more, date formats."""

    type: str
    physical: str = ""
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grid:
    """Header (None: nothing stands there) and a way to read the rows, more than once if need be.

    The last `groups` columns come from the file's name or from sub-headings rather than from columns of the file.
    `types`: place → type of a column, where the file's format knows types.
    """

    header: tuple[str | None, ...]
    chunks: Callable[[], Iterator[Chunk]]
    groups: int = 0
    types: Mapping[int, Typed] = field(default_factory=dict)

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

        return replace(self, header=(*self.header, *values), chunks=widened, groups=self.groups + len(values))


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


def chunk_of(cells: Sequence[Sequence[str]], numbers: Sequence[int], faults: Mapping[int, Fault], width: int) -> Chunk:
    """Rows of equal length as a chunk; `faults`: index in `cells` → what is wrong."""
    columns = list(zip(*cells, strict=True)) if cells else [()] * width
    reasons, lines = pa.nulls(len(numbers), pa.string()), None
    if faults:
        found = [faults.get(index) for index in range(len(numbers))]
        reasons = pa.array([one.reason if one else None for one in found], pa.string())
        lines = text_array([one.line if one else None for one in found])
    return Chunk(tuple(text_array(c) for c in columns), pa.array(numbers, pa.int64()), reasons, lines)


def chunked(rows: Iterable[tuple[int, Sequence[str], Fault | None]], width: int) -> Iterator[Chunk]:
    """Rows (number, cells, fault) as chunks."""
    cells: list[Sequence[str]] = []
    numbers: list[int] = []
    faults: dict[int, Fault] = {}
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
