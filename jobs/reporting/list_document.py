"""A version of a list as a workbook or as a PDF in official form."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import xlsxwriter

from jobs.errors import Unknown
from jobs.reporting.bulletin.parts import Block, Line, grid
from jobs.reporting.bulletin.pdf import write_pdf
from jobs.reporting.bulletin.styles import fonts
from jobs.settings import Settings

MEDIA: Mapping[str, str] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
LICENCES = ("证照类型", "类型代码", "颁发机构", "颁发机构代码", "持有数", "有效数", "样例编号")
PRINTED = ("信息资源名称", "提供部门", "更新周期", "共享属性", "共享条件", "开放属性", "开放条件", *LICENCES)
"""Columns that fit a page; the workbook has all."""
WIDE, NARROW = 26, 12
WIDE_COLUMNS = ("信息资源名称", "提供部门", "信息项", "共享条件", "开放条件", "不予共享依据", *LICENCES[:4], "数据来源")
PLACE = "序号"


@dataclass(frozen=True)
class ListDocument:
    """A published version of a list: rows by column, the document number, and when it was published, in local time."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    number: str
    version: int
    at: datetime

    def heading(self) -> str:
        """Document number, version, date and size in one line."""
        parts = (self.number, f"第 {self.version} 版", f"{self.at:%Y年%-m月%-d日}发布", f"共 {len(self.rows):,} 项")
        return "　".join(filter(None, parts))


def written(document: ListDocument, ending: str, settings: Settings) -> tuple[bytes, str]:
    """Bytes and media type of the file; Unknown for another ending than xlsx and pdf."""
    if ending not in MEDIA:
        raise Unknown(f"清单没有 {ending} 格式；可以是：{'、'.join(MEDIA)}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"list.{ending}"
        if ending == "xlsx":
            write_workbook(document, file)
        else:
            write_pages(document, file, settings)
        return file.read_bytes(), MEDIA[ending]


def write_workbook(document: ListDocument, file: Path) -> None:
    """All columns, one row an entry; every cell is text."""
    book = xlsxwriter.Workbook(str(file), {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": document.title, "created": document.at.replace(tzinfo=None)})
    sheet = book.add_worksheet(document.title)
    title = book.add_format({"bold": True, "font_size": 16})
    head = book.add_format({"bold": True, "bg_color": "#E8EEF7", "border": 1, "text_wrap": True, "valign": "vcenter"})
    cell = book.add_format({"border": 1, "text_wrap": True, "valign": "top", "num_format": "@"})
    sheet.write_string(0, 0, document.title, title)
    sheet.write_string(1, 0, document.heading())
    columns = (PLACE, *document.columns)
    for column, name in enumerate(columns):
        sheet.set_column(column, column, 6 if name == PLACE else WIDE if name in WIDE_COLUMNS else NARROW)
        sheet.write_string(2, column, name, head)
    for place, row in enumerate(document.rows, 1):
        for column, name in enumerate(columns):
            sheet.write_string(place + 2, column, str(place) if name == PLACE else row.get(name, ""), cell)
    sheet.freeze_panes(3, 2)
    sheet.autofilter(2, 0, max(3, len(document.rows) + 2), len(columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    book.close()


def write_pages(document: ListDocument, file: Path, settings: Settings) -> None:
    """The columns that fit a page, in the measures of official documents."""
    columns = tuple(name for name in PRINTED if name in document.columns)
    widths = (6, *(24 if name in WIDE_COLUMNS else 14 for name in columns))
    rows = ((str(place), *(row.get(name, "") for name in columns)) for place, row in enumerate(document.rows, 1))
    number = [Line("number", document.number)] if document.number else []
    note = f"第 {document.version} 版，{document.at:%Y年%-m月%-d日}发布，共 {len(document.rows):,} 项；各项全部内容见同版电子表格。"
    parts: list[Block] = [
        *number,
        Line("title", document.title),
        Line("para", note),
        grid((PLACE, *columns), rows, widths),
    ]
    write_pdf(parts, file, fonts(settings))
