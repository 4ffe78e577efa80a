"""Merged cells of a sheet: their value fills all cells that they cover."""

from collections.abc import Iterator, Sequence
from typing import Any

from jobs.ingest.notes import FileNotes
from jobs.ingest.wordings import wording

Range = tuple[tuple[int, int], tuple[int, int]]
"""First and last cell, each as row and column from 0."""


def across_merged(levels: list[list[str]], merged: Sequence[Range], top: int, width: int) -> list[list[str]]:
    """Header rows with the value of a merged cell filled into all cells that it covers; `top`: rows above them."""
    filled = [level + [""] * (width - len(level)) for level in levels]
    for (r1, c1), (r2, c2) in merged:
        if not top <= r1 < top + len(filled):
            continue
        for r in range(r1, min(r2 + 1, top + len(filled))):
            for c in range(c1, min(c2 + 1, width)):
                filled[r - top][c] = filled[r1 - top][c1]
    return filled


def down_merged(
    rows: Iterator[tuple[int, list[Any]]], merged: Sequence[Range], head: int, notes: FileNotes
) -> Iterator[tuple[int, list[Any]]]:
    """Rows with the value of a vertically merged cell filled into all rows that it covers."""
    begins: dict[int, list[tuple[int, int]]] = {}
    for (r1, c1), (r2, _) in merged:
        if r2 > r1 and r1 >= head:
            begins.setdefault(r1, []).append((c1, r2))
    open_cells: dict[int, tuple[int, Any]] = {}
    filled: list[int] = []
    for number, row in rows:
        index = number - 1
        for column, (last, value) in list(open_cells.items()):
            if index > last:
                del open_cells[column]
            elif column < len(row):
                row[column] = value
                filled.append(number)
        for column, last in begins.get(index, ()):
            open_cells[column] = (last, row[column] if column < len(row) else "")
        yield number, row
    notes.count("merged_cells_filled", wording("cells_merged"), filled)
