"""All sheets of a workbook that people made by hand, such as a list: no contract says how it looks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, WorksheetNotFound

from jobs.errors import UserError
from jobs.ingest.excel import cell_text
from jobs.ingest.sheet_cells import odd_cells
from jobs.ingest.workbook_probe import fits, visible_sheets
from jobs.model.sheet import EXACT_BELOW, Sheet, SheetCell

FIRST = 0
MOST_CELLS = 2_000_000


def read_sheets(path: Path) -> tuple[Sheet, ...]:
    """The sheets in their order, hidden ones too; UserError where the file is no readable workbook, or too large for a list."""
    try:
        if not fits(path, FIRST):
            raise _too_large(path)
        with CalamineWorkbook.from_path(str(path)) as book:
            return tuple(_sheets(path, book))
    except (CalamineError, PasswordError, WorksheetNotFound, OSError) as error:
        raise UserError(
            f"{path.name}: not a readable workbook ({error}) / 不是可读的电子表格，请另存为 xlsx"
        ) from error


def _sheets(path: Path, book: CalamineWorkbook) -> Iterator[Sheet]:
    visible, left = visible_sheets(book), MOST_CELLS
    for name in book.sheet_names:
        if name != visible[FIRST] and not fits(path, name):
            raise _too_large(path)
        sheet = book.get_sheet_by_name(name)
        height, width = (end + 1 for end in sheet.end or (-1, -1))
        left -= height * width
        if left < 0:
            raise _too_large(path)
        merged = tuple(sheet.merged_cell_ranges or ())
        yield Sheet(name, _rows(path, sheet), name not in visible, merged)


def _rows(path: Path, sheet: CalamineSheet) -> tuple[tuple[SheetCell, ...], ...]:
    odd = odd_cells(path, sheet.name)
    cells = [list(map(_cell, row)) for row in sheet.to_python(skip_empty_area=False)]
    for (row, column), text in {**odd.errors, **odd.formulas}.items():
        if row < len(cells) and column < len(cells[row]):
            cells[row][column] = SheetCell(text)
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if left == right:
            for row in range(top + 1, min(bottom + 1, len(cells))):
                cells[row][left] = cells[top][left]
    return tuple(map(tuple, cells))


def _cell(value: Any) -> SheetCell:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return SheetCell(cell_text(value).removesuffix(" 00:00:00"), is_number, not is_number or abs(value) < EXACT_BELOW)


def _too_large(path: Path) -> UserError:
    return UserError(f"{path.name}: too large for a list / 数据区域过大，请删除数据区以外的行和列后另存为 xlsx")
