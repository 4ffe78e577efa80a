"""Tables of texts as a workbook, a sheet each; values from elsewhere are text cells, never formulas."""

import io
from collections.abc import Iterable

import xlsxwriter

from jobs.model.sheet import TextTable

LONGEST = 32_767
"""Characters that a cell holds."""
NARROWEST, WIDEST = 8, 40
SAMPLE = 50
MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def table_workbook(tables: Iterable[TextTable]) -> bytes:
    """The workbook: a heading and rows in each sheet."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True})
    head = book.add_format({"bold": True, "bg_color": "#E8EEF7", "border": 1, "text_wrap": True, "valign": "vcenter"})
    cell = book.add_format({"border": 1, "text_wrap": True, "valign": "top", "num_format": "@"})
    for table in tables:
        sheet = book.add_worksheet(table.title)
        for column, title in enumerate(table.columns):
            sheet.set_column(column, column, _width(table, column))
            sheet.write_string(0, column, title, head)
        for number, row in enumerate(table.rows, 1):
            for column, text in enumerate(row):
                sheet.write_string(number, column, text[:LONGEST], cell)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(table.rows)), len(table.columns) - 1)
    book.close()
    return buffer.getvalue()


def _width(table: TextTable, column: int) -> int:
    """Wide enough for the texts of the first rows; a Chinese character takes two places."""
    texts = [table.columns[column], *(row[column] for row in table.rows[:SAMPLE])]
    longest = max(sum(1 if letter.isascii() else 2 for letter in text) for text in texts)
    return min(max(longest + 2, NARROWEST), WIDEST)
