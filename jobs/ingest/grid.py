"""A file of any format as a grid of text: a header and chunks of cells."""

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
    """Some rows: a text array per column (null where empty), row numbers, and what is wrong with a row.

    `lines` has the text of malformed rows; None where there are none. `has_errors`: a cell may have an error such as #N/A.
    """

    cells: tuple[pa.Array, ...]
    rows: pa.Array
    malformed: pa.Array
    lines: pa.Array | None = None
    has_errors: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def slice(self, start: int, length: int) -> "Chunk":
        """The rows from `start` on, without a copy."""
        return self._each(lambda column: column.slice(start, length))

    def where(self, keep: pa.Array) -> "Chunk":
        """The rows for which `keep` is true."""
        return self._each(lambda column: column.filter(keep))

    def _each(self, part: Callable[[pa.Array], pa.Array]) -> "Chunk":
        lines = None if self.lines is None else part(self.lines)
        cells = tuple(map(part, self.cells))
        return replace(self, cells=cells, rows=part(self.rows), malformed=part(self.malformed), lines=lines)


@dataclass(frozen=True)
class Typed:
    """A column's type as its file declares it: the contract type, the physical type where it is more exact, date formats."""

    type: str
    physical: str = ""
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grid:
    """Header (None: an empty column) and a function that reads the rows, repeatable.

    The last `groups` columns come from the file's name or from sub-headings rather than from columns of the file.
    `types`: position → type of a column, for formats with types.
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
                constants = tuple(pa.repeat(pa.scalar(v, pa.string()), len(chunk)) for v in values.values())
                yield replace(chunk, cells=(*chunk.cells, *constants))

        return replace(self, header=(*self.header, *values), chunks=widened, groups=self.groups + len(values))


@dataclass
class Sections:
    """Sub-heading rows: stores the groups of the last one for the rows below it."""

    layout: Layout
    seen: int = 0
    values: tuple[str | None, ...] = ()
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.pattern = re.compile(self.layout.section.pattern) if self.layout.section else None
        self.names = tuple(self.pattern.groupindex) if self.pattern else ()
        self.values = (None,) * len(self.names)

    def takes(self, cells: Sequence[str]) -> bool:
        """Whether the row is a sub-heading; if so, its groups apply from now on."""
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
        encodable = [
            v if v is None else v.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for v in values
        ]
        array = pa.array(encodable, pa.string())
    return pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array)


def chunk_of(cells: Sequence[Sequence[str]], numbers: Sequence[int], faults: Mapping[int, Fault], width: int) -> Chunk:
    """Rows of equal length as a chunk; `faults`: index in `cells` → what is wrong."""
    columns = list(zip(*cells, strict=True)) if cells else [()] * width
    reasons, lines = pa.nulls(len(numbers), pa.string()), None
    if faults:
        fault_by_row = [faults.get(index) for index in range(len(numbers))]
        reasons = pa.array([fault.reason if fault else None for fault in fault_by_row], pa.string())
        lines = text_array([fault.line if fault else None for fault in fault_by_row])
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
    buffered: deque[Chunk] = deque()
    total = 0
    for chunk in chunks:
        buffered.append(chunk)
        total += len(chunk)
        while buffered and total - len(buffered[0]) >= rows:
            total -= len(buffered[0])
            yield buffered.popleft()
    remaining = max(total - rows, 0)
    for chunk in buffered:
        if remaining <= 0:
            return
        yield chunk.slice(0, min(remaining, len(chunk)))
        remaining -= len(chunk)


def is_blank(cells: Sequence[str], width: int = 1) -> bool:
    """Whether a row holds nothing; white space (or the end-of-file mark of DOS) alone on a line is nothing too."""
    if len(cells) == 1 < width:
        return not cells[0].strip(BLANK)
    return not any(cells)
