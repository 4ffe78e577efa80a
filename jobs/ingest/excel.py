"""xls and xlsx → grid: typed cells as displayed text, row numbers as Excel shows them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, load_workbook

from jobs.contracts import Layout
from jobs.ingest.grid import SECTIONS_SEEN, Chunk, Grid, Sections, chunked, is_blank, without_last
from jobs.ingest.guess_dates import TIME_HEADER
from jobs.ingest.headers import distinct_header, duplicate_message, joined_header
from jobs.ingest.invisible import note_invisible
from jobs.ingest.kinds import ENCRYPTED
from jobs.ingest.merged_cells import Range, across_merged, down_merged
from jobs.ingest.notation import PLAIN, Notation, Notations
from jobs.ingest.notes import FileNotes
from jobs.ingest.sheet_cells import Cells, OddCells, odd_cells
from jobs.ingest.summary_rows import without_summary_rows
from jobs.ingest.wordings import wording
from jobs.ingest.workbook_probe import fits, sheet_name, visible_sheets
from jobs.model.sheet import EXACT_BELOW

NOT_EXCEL = "不是有效的 Excel 文件，或已损坏；请用 Excel 打开后另存为 xlsx 再报送"
TOO_LARGE = "的数据区域过大，无法读入；多为远处单元格留有内容，请删除数据区以外的行和列后另存为 xlsx，或改用 csv 报送"
INEXACT = "有 {count} 行含 16 位以上的数字，Excel 按数值保存已使末位失真（如身份证号、信用代码）；请改用文本格式"
BARE_FORMULAS = (
    "有 {count} 个单元格只有公式、没有结果（未经计算就保存的文件），不能当作空值；请用 Excel 打开、重新计算并保存后报送"
)
MOMENTS = ("date", "timestamp")
DAYS_TO_1904 = 1462
TYPED = ("integer", "number", "boolean", "date", "timestamp")


@dataclass(frozen=True)
class _Sheet:
    sheet: CalamineSheet
    merged: tuple[Range, ...]
    odd: OddCells
    hidden: tuple[str, ...] = ()
    """Names of the workbook's hidden sheets."""


def open_excel(path: Path, layout: Layout, notes: FileNotes, field_notations: Notations) -> Grid:
    """The grid of one sheet. `field_notations`: how fields write numbers and timestamps, so that a midnight keeps its time."""
    sheet = _sheet(path, layout.sheet, notes)
    head = layout.skip_rows + layout.header_rows
    levels = [_texts(row) for _, row in islice(_rows(sheet), layout.skip_rows, head)]
    width = sheet.sheet.start[1] + sheet.sheet.width if sheet.sheet.start else 0
    if not width:
        raise notes.error(wording("sheet_empty", sheet=sheet.sheet.name))
    levels = across_merged(levels, sheet.merged, layout.skip_rows, width)
    header: tuple[str | None, ...] = joined_header(levels, width, fill=not sheet.merged)
    header, renamed = distinct_header(_without_empty(header, sheet, head))
    if renamed:
        notes.say("column_duplicate", duplicate_message(renamed), columns=list(renamed))
    _note_hidden(sheet, notes)
    sections = Sections(layout)
    scan = _Scan(path, layout, notes, header, field_notations)
    grid = Grid((*header, *sections.names), scan.chunks, len(sections.names))
    return without_summary_rows(grid, levels, layout, notes)


def _note_hidden(sheet: _Sheet, notes: FileNotes) -> None:
    """Findings about what Excel does not show or counts otherwise."""
    name = sheet.sheet.name
    if sheet.hidden:
        is_hidden, names = name in sheet.hidden, "、".join(sheet.hidden)
        words = (
            wording("sheet_read_is_hidden", name=name)
            if is_hidden
            else wording("sheets_hidden", name=name, names=names)
        )
        notes.say("sheets_hidden", words, sheets=list(sheet.hidden))
    notes.count("rows_hidden", wording("rows_hidden"), sheet.odd.hidden_rows)
    if sheet.odd.counts_from_1904:
        notes.say("date_system_1904", wording("date_system_1904"))


@dataclass(frozen=True)
class _Scan:
    path: Path
    layout: Layout
    notes: FileNotes
    header: tuple[str | None, ...]
    field_notations: Notations

    def chunks(self) -> Iterator[Chunk]:
        """Chunks of data rows, without header, blank rows, sub-headings and footer."""
        sections = Sections(self.layout)
        width = len(self.header) + len(sections.names)
        for chunk in without_last(chunked(self._data(sections), width), self.layout.footer_rows):
            note_invisible(chunk, self.notes)
            yield replace(chunk, has_errors=True)
        if sections.seen:
            self.notes.count("section_rows", SECTIONS_SEEN, [], sections.seen)
        _loaded.cache_clear()

    def _data(self, sections: Sections) -> Iterator[tuple[int, Sequence[str], None]]:
        sheet = _sheet(self.path, self.layout.sheet, self.notes)
        head = self.layout.skip_rows + self.layout.header_rows
        column_notations = [self.field_notations.of(i, name) for i, name in enumerate(self.header)]
        blank: list[int] = []
        inexact: list[int] = []
        formulas = _by_row(sheet.odd.formulas)
        for number, row in down_merged(_rows(sheet), sheet.merged, head, self.notes):
            if number <= head:
                continue
            if sheet.odd.counts_from_1904:
                _count_from_1900(row, column_notations, self.header)
            cells = _texts(row, column_notations)
            _fill_formulas(cells, formulas.get(number, {}), column_notations)
            if _is_inexact(row):
                inexact.append(number)
            if is_blank(cells):
                blank.append(number)
            elif not sections.takes(cells):
                yield number, (*cells, *(v or "" for v in sections.values)), None
        self.notes.count("rows_blank", wording("rows_blank"), blank)
        self.notes.count("id_precision_lost", INEXACT, inexact)
        bare = len(sheet.odd.formulas) + sheet.odd.unplaced
        self.notes.count("formulas_without_values", BARE_FORMULAS, sorted(formulas), bare)


def _fill_formulas(cells: list[str], formulas: Mapping[int, str], column_notations: Sequence[Notation]) -> None:
    """Write uncalculated formulas into `cells` as text, so that the row fails its type rule instead of losing the value."""
    for column, formula in formulas.items():
        if column < len(cells) and column_notations[column].kind in TYPED and not cells[column]:
            cells[column] = formula


def _count_from_1900(row: list[Any], column_notations: Sequence[Notation], header: Sequence[str | None]) -> None:
    """Turn bare day numbers of the 1904 date system, in columns of dates, into those that everyone else counts."""
    for place, (value, notation) in enumerate(zip(row, column_notations, strict=False)):
        is_date = notation.kind in MOMENTS or (not notation.kind and TIME_HEADER.search(header[place] or ""))
        if is_date and type(value) is float and value >= 0:
            row[place] = value + DAYS_TO_1904


def _is_inexact(row: Sequence[Any]) -> bool:
    return any(type(value) is float and abs(value) >= EXACT_BELOW for value in row)


def sheet_sizes(path: Path, notes: FileNotes) -> dict[str, int]:
    """Visible sheet → number of cells in its used range."""
    book = _book(path, notes)
    sheets = [(name, book.get_sheet_by_name(name)) for name in visible_sheets(book)]
    return {name: sheet.height * sheet.width if sheet.start else 0 for name, sheet in sheets}


def top_rows(path: Path, sheet: str | int, count: int, notes: FileNotes) -> list[list[str]]:
    """The first rows of a sheet as text, from cell A1 on."""
    return [_texts(row) for _, row in islice(_rows(_sheet(path, sheet, notes)), count)]


def _book(path: Path, notes: FileNotes) -> CalamineWorkbook:
    try:
        return load_workbook(str(path))
    except PasswordError as error:
        raise notes.error(wording(ENCRYPTED)) from error
    except CalamineError as error:
        raise notes.error(NOT_EXCEL) from error


class _NoSheetError(Exception):
    pass


@lru_cache(maxsize=1)
def _loaded(path: Path, size: int, modified: int, name_or_position: str | int) -> _Sheet:
    """One sheet in memory, cached: header and rows of a file need one load."""
    del size, modified
    book = load_workbook(str(path))
    name = sheet_name(book, name_or_position)
    if name is None:
        raise _NoSheetError(book.sheet_names)
    sheet = book.get_sheet_by_name(name)
    hidden = tuple(other for other in book.sheet_names if other not in visible_sheets(book))
    return _Sheet(sheet, tuple(sheet.merged_cell_ranges or ()), odd_cells(path, name), hidden)


def _sheet(path: Path, name_or_position: str | int, notes: FileNotes) -> _Sheet:
    if not fits(path, name_or_position):
        raise notes.error(TOO_LARGE)
    try:
        state = path.stat()
        return _loaded(path, state.st_size, state.st_mtime_ns, name_or_position)
    except _NoSheetError as error:
        which = (
            f"工作表「{name_or_position}」"
            if isinstance(name_or_position, str)
            else f"第 {name_or_position + 1} 个工作表"
        )
        raise notes.error(wording("sheet_missing", which=which, present="、".join(error.args[0]))) from error
    except PasswordError as error:
        raise notes.error(wording(ENCRYPTED)) from error
    except CalamineError as error:
        raise notes.error(NOT_EXCEL) from error


def _by_row(cells: Cells) -> dict[int, dict[int, str]]:
    """Row number as Excel shows it → column from 0 → text."""
    texts_by_row: dict[int, dict[int, str]] = {}
    for (row, column), text in cells.items():
        texts_by_row.setdefault(row + 1, {})[column] = text
    return texts_by_row


def _rows(sheet: _Sheet) -> Iterator[tuple[int, list[Any]]]:
    """Row number as Excel shows it, and the cells from column A on."""
    padding: list[Any] = [""] * (sheet.sheet.start[1] if sheet.sheet.start else 0)
    errors = _by_row(sheet.odd.errors)
    for index, cells in enumerate(sheet.sheet.iter_rows()):
        padded = padding + list(cells)
        for column, text in errors.get(index + 1, {}).items():
            if column < len(padded):
                padded[column] = text
        yield index + 1, padded


def _without_empty(header: Sequence[str | None], sheet: _Sheet, head: int) -> tuple[str | None, ...]:
    """The header with None for columns without name and values: the used range of a sheet is often too wide."""
    unnamed = {i for i, name in enumerate(header) if not name}
    for number, row in _rows(sheet):
        if not unnamed:
            break
        if number > head:
            unnamed -= {i for i, cell in enumerate(row) if cell != ""}
    return tuple(None if i in unnamed else name for i, name in enumerate(header))


def _texts(row: Sequence[Any], column_notations: Sequence[Notation] = ()) -> list[str]:
    column_notations = column_notations or [PLAIN] * len(row)
    return [v if type(v) is str else cell_text(v, notation) for v, notation in zip(row, column_notations, strict=False)]


def cell_text(value: Any, notation: Notation = PLAIN) -> str:
    """A cell as text: whole numbers without `.0`, others in full without exponent, dates in ISO order."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return notation.number(_number(value))
    if isinstance(value, datetime | date):
        return _moment(value, notation.kind)
    if isinstance(value, time):
        return value.isoformat("milliseconds" if value.microsecond else "seconds")
    if isinstance(value, timedelta):
        return _duration(value)
    return str(value)


def _number(value: float) -> str:
    if value.is_integer():
        return str(int(value)) if abs(value) < EXACT_BELOW else format(Decimal(repr(value)), "f")
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text else text


def _moment(value: date | datetime, kind: str) -> str:
    if not isinstance(value, datetime):
        return f"{value.isoformat()} 00:00:00" if kind == "timestamp" else value.isoformat()
    if value.microsecond >= 999_000:
        value = value.replace(microsecond=0) + timedelta(seconds=1)
    if kind == "date" and value.time() == time():
        return value.date().isoformat()
    return value.isoformat(" ", "milliseconds" if value.microsecond >= 1000 else "seconds")


def _duration(value: timedelta) -> str:
    minutes, seconds = divmod(round(value.total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
