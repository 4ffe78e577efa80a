"""A sheet of a workbook as people see it: cells as text, in rows from A1 on."""

from dataclasses import dataclass, field

EXACT_BELOW = 1e15
"""Numbers from here on may have lost digits in a spreadsheet."""
Range = tuple[tuple[int, int], tuple[int, int]]
"""First and last cell of merged ones, each as row and column from 0."""


@dataclass(frozen=True)
class SheetCell:
    """A cell as displayed. `is_exact` is False for a number of more digits than a spreadsheet keeps."""

    text: str
    is_number: bool = False
    is_exact: bool = True


@dataclass(frozen=True)
class Sheet:
    """A sheet. Cells merged downwards have the value in each row; `merged` names all merged ranges."""

    name: str
    rows: tuple[tuple[SheetCell, ...], ...]
    is_hidden: bool = False
    merged: tuple[Range, ...] = field(default=())


def column_letters(column: int) -> str:
    """The letters of a column counted from 0: A, …, Z, AA, …"""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@dataclass(frozen=True)
class TextTable:
    """A table of texts with its title, for a page, a sheet or a screen."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
