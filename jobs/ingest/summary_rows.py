"""Rows between and below the data that are no data: totals, notes, units, and the header once more.

They are recognised by what they say, not by their place: next month's file may have one more or one fewer.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import Layout
from jobs.ingest.grid import Chunk, Grid
from jobs.ingest.headers import header_key
from jobs.ingest.notes import FileNotes
from jobs.ingest.wordings import wording

BLANK = "[\\s\u3000\u00a0]"
"""White space for Arrow's expressions too, which know only that of ASCII."""
TOTAL_WORDS = rf"(?:合{BLANK}*计|总{BLANK}*计|小{BLANK}*计)"
TOTAL = (
    rf"(?i)^{BLANK}*(?:\p{{Han}}{{0,8}}{TOTAL_WORDS}(?:{BLANK}*[（(][^）)]*[）)])?|(?:sub-?{BLANK}?|grand{BLANK})?totals?)"
    rf"{BLANK}*[:：]?{BLANK}*$"
)
"""A cell that is a total and nothing else: 合计, 全市小计, 合计（万元）, Total."""
NOTE = (
    rf"(?i)^{BLANK}*[（(*※]?{BLANK}*(?:(?:{TOTAL_WORDS}|附?注|备{BLANK}*注|说{BLANK}*明|数据来源|来源|填表[人日]?期?|制{BLANK}*表人?|"
    rf"审{BLANK}*核人?|复{BLANK}*核人?|填报[人单]?位?|单位负责人|联系电话|报出日期|notes?|source){BLANK}*\d*{BLANK}*[:：]|"
    rf"注{BLANK}*\d+[\s.、])"
)
"""How a note or a signature begins."""
FIRST_COLUMNS = 3
"""A total is named in one of the first columns; those before it are blank."""
NOTE_SHARE = 0.5
"""A note fills at most this part of the columns."""
UNIT = (
    r"^[（(]?(?:℃|°[CF]|[MkG]?Pa|bar|psi|[mM][³3](?:/[hd])?|t/h|kg/h|[kMG]Wh?|[GM]J(?:/h)?|[Ak]?V|A|Hz|[%％‰]|[mμ]g/[Lm][³3]?|NTU|"
    r"[ck]?m|mm|km|h|min|s|[kt]g?|万?元|吨|个|户|人|天|小时|分钟|千瓦时|立方米|摄氏度|兆帕|/|-|—|——)[)）]?$"
)
NO_UNIT = ("/", "-", "—", "——")
"""Marks of columns without a unit, in a row of units."""
FIRST_ROWS = 3
"""Units are below the header."""
FEWEST_UNITS = 2
MARK = "\ufeff"


def without_summary_rows(grid: Grid, levels: Sequence[Sequence[str | None]], layout: Layout, notes: FileNotes) -> Grid:
    """The grid without the rows that are no data, each named in a finding; `levels`: the rows of the header."""
    if layout.summary_rows == "keep":
        return grid
    leaves_out = _Filter(grid.own(), [header for level in levels if len(header := _keys(level)) > 1], notes)
    return replace(grid, chunks=lambda: leaves_out.of(grid.chunks()))


def _keys(row: Sequence[str | None]) -> tuple[str, ...]:
    """The row as compared with a header."""
    return tuple(header_key((cell or "").replace(MARK, "")) for cell in row)


class _Filter:
    """Recognises the rows of one file that are no data."""

    def __init__(self, width: int, headers: Sequence[tuple[str, ...]], notes: FileNotes) -> None:
        self.width, self.headers, self.notes = width, headers, notes
        self.tests: tuple[tuple[str, str, Callable[[list[str | None]], bool]], ...] = (
            ("rows_header", wording("rows_header"), self._is_header),
            ("rows_total", wording("rows_total"), self._is_total),
            ("rows_note", wording("rows_note"), self._is_note),
            ("rows_units", wording("rows_units"), self._is_units),
        )

    def of(self, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
        """The chunks without such rows; a finding about those once all are read."""
        for number, chunk in enumerate(chunks):
            places = self._left_out(chunk, 0 if number else FIRST_ROWS)
            yield _without(chunk, places) if places else chunk

    def _left_out(self, chunk: Chunk, first: int) -> list[int]:
        """Indexes of the chunk's rows that are no data; the first few may be units."""
        found: dict[str, list[int]] = {}
        for place in sorted({*self._candidates(chunk), *range(min(first, len(chunk)))}):
            row = [cell[place].as_py() for cell in chunk.cells[: self.width]]
            kind = next((kind for kind, _, is_such in self.tests if is_such(row)), None)
            if kind:
                found.setdefault(kind, []).append(place)
        for kind, message, _ in self.tests:
            rows = [f"{chunk.rows[place].as_py()}（{_said(chunk, place)}）" for place in found.get(kind, ())]
            self.notes.count(kind, message, rows)
        return sorted(place for places in found.values() for place in places)

    def _candidates(self, chunk: Chunk) -> list[int]:
        """Rows that may be such, found by the first filled cell, for all rows at once."""
        first = pc.coalesce(*chunk.cells[: min(FIRST_COLUMNS, self.width)])
        maybe = pc.match_substring_regex(first, TOTAL)
        if self.width > FIRST_COLUMNS - 1:
            maybe = pc.or_kleene(maybe, pc.match_substring_regex(first, NOTE))
        for header in self.headers:
            column = next((place for place, name in enumerate(header) if name), None)
            if column is not None and column < self.width:
                cells = pc.utf8_lower(pc.utf8_trim(chunk.cells[column], f" \t{MARK}"))
                maybe = pc.or_kleene(maybe, pc.equal(cells, header[column]))
        return [int(place) for place in pc.indices_nonzero(pc.fill_null(maybe, False)).to_pylist()]

    def _is_header(self, row: list[str | None]) -> bool:
        keys = _keys(row)
        return any(keys[: len(header)] == header[: len(keys)] for header in self.headers)

    def _is_total(self, row: list[str | None]) -> bool:
        """Whether the first word is a total and the rest are figures: nothing else is said of it in words."""
        filled = [cell for cell in row if cell]
        return (
            bool(filled)
            and bool(re.match(TOTAL.replace(r"\p{Han}", "[\u3400-\u9fff]"), filled[0]))
            and not any(re.search(r"[^\W\d_]{2,}", cell) for cell in filled[1:])
        )

    def _is_note(self, row: list[str | None]) -> bool:
        filled = [cell for cell in row if cell]
        return bool(filled) and bool(re.match(NOTE, filled[0])) and len(filled) <= NOTE_SHARE * self.width

    def _is_units(self, row: list[str | None]) -> bool:
        """Whether every filled cell is a unit of measurement, and several are."""
        filled = [cell.strip() for cell in row if cell and cell.strip()]
        if filled and filled[0] in ("单位", "计量单位"):
            filled = filled[1:]
        units = [cell for cell in filled if cell not in NO_UNIT]
        return len(units) >= FEWEST_UNITS and all(re.match(UNIT, cell) for cell in filled)


def _said(chunk: Chunk, place: int) -> str:
    """The first filled cell of the row."""
    cells = (cell[place].as_py() for cell in chunk.cells)
    return str(next(filter(None, cells), ""))[:40]


def _without(chunk: Chunk, places: Sequence[int]) -> Chunk:
    keep = np.ones(len(chunk), bool)
    keep[list(places)] = False
    return chunk.where(pa.array(keep))
