"""An answer as a file with a watermark: who took it, when, from which query, and its grade. Each download is logged."""

import csv
import io
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from jobs.access.roles import grade_labels, role_label
from jobs.errors import UserError
from jobs.model.actor import Actor
from jobs.serving.sql.answer import Answer
from jobs.serving.sql.query_log import Entry
from jobs.serving.sql.service import SqlService

FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of texts that a spreadsheet would compute."""
EXACT_DIGITS = 15
"""Digits of a number that a spreadsheet keeps."""


def format_of(name: str) -> str:
    """The format of a file by its name; UserError for any other."""
    ending = name.rpartition(".")[2].lower()
    if ending not in FORMATS:
        raise UserError(f"the file has to end in .csv, .xlsx or .parquet, not '{name}' / 文件名须以这三种之一结尾")
    return ending


def download(service: SqlService, actor: Actor, answer: Answer, format_: str) -> bytes:
    """The answer's rows as a file; recorded before it is returned."""
    at = service.now()
    zone = ZoneInfo(service.settings.timezone)
    mark = watermark(actor, answer, at.astimezone(zone))
    data = {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet}[format_](_local(answer.table, zone), mark)
    entry = Entry(answer.id, at, actor, f"download {format_}", "", grade=answer.grade.name, rows=answer.table.num_rows)
    service.log.add(
        replace(entry, id=service.new_id(), sql=f"-- {answer.id}", is_sensitive=bool(answer.grade.datasets))
    )
    service.log.add_showing(entry, answer.grade.shown(), "download")
    return data


def watermark(actor: Actor, answer: Answer, at: datetime) -> str:
    """Who, when, the query, and the grade, in Chinese."""
    grade = f"{answer.grade.name} {grade_labels().get(answer.grade.name, '')}"
    cut = "；行数已到上限，不是全部结果" if answer.is_cut else ""
    who = f"{actor.name}（{role_label(actor.role)}，{actor.department}）"
    return f"{who}于 {at:%Y-%m-%d %H:%M:%S} 导出；查询编号 {answer.id}；分级 {grade}；不得外传{cut}"


def _local(table: pa.Table, zone: ZoneInfo) -> pa.Table:
    """The rows with moments in local time."""
    for place, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type) and column.type.tz:
            local = table.column(place).cast(pa.timestamp("us", tz=str(zone)))
            table = table.set_column(place, column.name, local)
    return table


def _csv(table: pa.Table, mark: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([f"# {mark}"])
    writer.writerow([_inert(name) for name in table.column_names])
    writer.writerows([_inert(value) for value in row] for row in _cells(table))
    return text.getvalue().encode("utf-8-sig")


def _inert(value: object) -> object:
    """Texts that a spreadsheet would compute begin with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _xlsx(table: pa.Table, mark: str) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, OPTIONS)
    book.set_properties({"title": "查询结果", "comments": mark})
    sheet = book.add_worksheet("查询结果")
    sheet.set_header(f"&L&8{mark.replace('&', '&&')[:200]}")
    sheet.write_string(0, 0, mark)
    for place, name in enumerate(table.column_names):
        sheet.write_string(1, place, name)
    for number, row in enumerate(_cells(table), 2):
        for place, value in enumerate(row):
            if isinstance(value, str) or abs(value) >= 10**EXACT_DIGITS:
                sheet.write_string(number, place, str(value))
            else:
                sheet.write_number(number, place, value)
    book.close()
    return file.getvalue()


def _parquet(table: pa.Table, mark: str) -> bytes:
    file = io.BytesIO()
    kept = table.schema.metadata or {}
    pq.write_table(table.replace_schema_metadata({**kept, b"lake.watermark": mark.encode()}), file, compression="zstd")
    return file.getvalue()


def _cells(table: pa.Table) -> list[list[str | int | float]]:
    """Rows of texts and numbers."""
    columns = [[_cell(value) for value in column.to_pylist()] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _cell(value: object) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")[:19]
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    return value if is_number and abs(value) != float("inf") else str(value)  # type: ignore[return-value,arg-type]
