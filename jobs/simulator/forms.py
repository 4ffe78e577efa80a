"""Ways to write rows into a file: CSV, zipped CSV, messy workbook, JSON, JSON lines. Same rows, same bytes."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

import xlsxwriter

from jobs.simulator.rows import Cell, Row

EPOCH = (1980, 1, 1, 0, 0, 0)


class Form(Protocol):
    """How a file looks."""

    def write(self, path: Path, rows: Sequence[Row]) -> int:
        """Write the file; number of its first data row, as a person sees it."""


@dataclass(frozen=True)
class CsvForm:
    """Delimited text with a header line. `headers`: field → header, in column order; `constants`: header → value."""

    headers: Mapping[str, str]
    encoding: str = "utf-8"
    constants: Mapping[str, str] | None = None

    def write(self, path: Path, rows: Sequence[Row]) -> int:
        """The file at `path`; its data begin in line 2."""
        path.write_bytes(self.content(rows))
        return 2

    def content(self, rows: Sequence[Row]) -> bytes:
        """The file's bytes."""
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\r\n")
        constants = self.constants or {}
        writer.writerow([*self.headers.values(), *constants])
        for row in rows:
            line = ["" if (v := row.cells.get(field)) is None else v for field in self.headers]
            writer.writerow(_shaped([*line, *constants.values()], row.surplus))
        return buffer.getvalue().encode(self.encoding)


def _shaped(line: list[Cell], surplus: int) -> list[Cell]:
    return line[:surplus] if surplus < 0 else [*line, *(["多余"] * surplus)]


@dataclass(frozen=True)
class ZipForm:
    """A CSV in an archive that also holds a note without data."""

    csv: CsvForm
    member: str
    note: str

    def write(self, path: Path, rows: Sequence[Row]) -> int:
        """The archive at `path`; the member's data begin in line 2."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in ((self.member, self.csv.content(rows)), ("说明.txt", self.note.encode())):
                archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
        return 2


@dataclass(frozen=True)
class ExcelForm:
    """A workbook with title rows, a header of one or two levels, and footer rows.

    `headers`: field → header; `group/name` makes a merged upper level. The first column is 序号.
    """

    headers: Mapping[str, str]
    sheet: str
    titles: Sequence[str]
    footers: Sequence[str]

    def write(self, path: Path, rows: Sequence[Row]) -> int:
        """The workbook at `path`; texts stay texts, numbers stay numbers."""
        book = xlsxwriter.Workbook(str(path), {"constant_memory": False})
        book.set_properties({"created": datetime(2026, 1, 1), "author": "city"})
        sheet = book.add_worksheet(self.sheet)
        bold = book.add_format({"bold": True, "align": "center"})
        for index, title in enumerate(self.titles):
            sheet.merge_range(index, 0, index, len(self.headers), title, bold)
        first = self._header(sheet, bold, len(self.titles))
        for index, row in enumerate(rows):
            sheet.write_number(first + index, 0, index + 1)
            for column, field in enumerate(self.headers, 1):
                _cell(sheet, first + index, column, row.cells.get(field))
        for index, footer in enumerate(self.footers):
            sheet.write_string(first + len(rows) + index, 0, footer.format(rows=len(rows)))
        book.close()
        return first + 1

    def _header(self, sheet: Any, bold: Any, top: int) -> int:
        names = [header.rpartition("/") for header in self.headers.values()]
        if not any(map(itemgetter(0), names)):
            sheet.write_row(top, 0, ["序号", *(name for _, _, name in names)], bold)
            return top + 1
        sheet.merge_range(top, 0, top + 1, 0, "序号", bold)
        sheet.write_row(top + 1, 1, [name for _, _, name in names], bold)
        groups = [group for group, _, _ in names]
        for group in dict.fromkeys(groups):
            first, number = groups.index(group) + 1, groups.count(group)
            last = len(groups) - groups[::-1].index(group)
            if number > 1:
                sheet.merge_range(top, first, top, last, group, bold)
            else:
                sheet.write_string(top, first, group, bold)
        return top + 2


def _cell(sheet: Any, row: int, column: int, value: Cell) -> None:
    if isinstance(value, str):
        sheet.write_string(row, column, value)
    elif value is not None:
        sheet.write_number(row, column, value)


@dataclass(frozen=True)
class JsonForm:
    """One document with the records at `data.list`; `paths`: field → dotted key. An empty cell is written as `--`."""

    paths: Mapping[str, str]

    def write(self, path: Path, rows: Sequence[Row]) -> int:
        """The document at `path`; the first record is number 1."""
        records = [_nested(self.paths, row, "--") for row in rows]
        document = {"code": 200, "message": "ok", "data": {"total": len(records), "list": records}}
        path.write_text(json.dumps(document, ensure_ascii=False, indent=1), "utf-8")
        return 1


@dataclass(frozen=True)
class JsonLinesForm:
    """A record a line; an empty cell is null."""

    paths: Mapping[str, str]

    def write(self, path: Path, rows: Sequence[Row]) -> int:
        """The lines at `path`; the first is number 1."""
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for row in rows:
                file.write(json.dumps(_nested(self.paths, row, None), ensure_ascii=False) + "\n")
        return 1


def _nested(paths: Mapping[str, str], row: Row, empty: str | None) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for field, dotted in paths.items():
        *parents, last = dotted.split(".")
        place = record
        for parent in parents:
            place = place.setdefault(parent, {})
        value = row.cells.get(field)
        place[last] = empty if value is None else value
    return record
