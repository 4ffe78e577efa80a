"""A ticket → the workbook in which its department mends it: what is wrong, row by row, and the rows as they were sent.

Whatever came from a sender is a text cell, never a formula. The rows as sent are for their owner alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from jobs.contracts import Contract
from jobs.contracts.correction import ABOUT, DATA, TICKET
from jobs.reporting import figures, words
from jobs.reporting.evidence import Row
from jobs.reporting.masking import titles
from jobs.reporting.workbook import LAST_ROW, OPTIONS, Formats, book_formats, print_setup, sheet_of, write_text

PROBLEMS = (
    *("工单号", "问题编号", "目录代码", "数据集", "业务主键", "批次号", "行号", "字段", "字段英文名", "原值"),
    *("规则编号", "规则依据", "六性", "严重级", "问题说明", "应为/参考值（供核对）", "发现时间", "整改期限"),
    *("整改方式（回填）", "整改说明（回填）"),
)
WIDTHS = (16, 10, 22, 22, 40, 26, 8, 18, 22, 30, 26, 34, 8, 8, 40, 28, 18, 14, 18, 30)
HOW = (
    "一、“问题清单”逐行列出问题；应为/参考值只供核对，数据由本单位负责。",
    f"二、在“{DATA}”中直接改正数据行；标色的是有问题的字段。不要改动前两行表头，不要改动主键。",
    "三、改完保存，在门户的工单页上传，或放入报送桶；系统自动复核，全部通过后工单关闭。",
    "四、本单位业务系统中的数据也请一并更正，否则下次报送会再次出现同样的问题。",
)


@dataclass(frozen=True)
class PackHead:
    """What a ticket says, as its pack needs it. Moments are UTC."""

    ticket: str
    rule: str
    fields: tuple[str, ...]
    message: str
    remedy: str
    basis: str
    dimension: str
    severity: str
    remaining: int
    opened_at: datetime
    due_at: datetime | None
    zone: str


@dataclass(frozen=True)
class Sent:
    """Rows as they were sent: names of bronze columns, and the rows; for their owner."""

    columns: Sequence[str]
    rows: Iterable[Mapping[str, str | None]]


def write_pack(
    file: Path, head: PackHead, contract: Contract, problems: Iterable[tuple[str, Row]], sent: Sent | None
) -> None:
    """The workbook at `file`. `problems`: delivery and failing row; `sent` is None for whoever is not the owner."""
    book = xlsxwriter.Workbook(str(file), OPTIONS)
    book.set_properties(
        {"title": f"整改包 {head.ticket}", "created": head.opened_at.astimezone(UTC).replace(tzinfo=None)}
    )
    formats = book_formats(book)
    _about(book, formats, head, contract, sent is not None)
    _problems(book, formats, head, contract, problems)
    if sent is not None:
        _data(book, formats, head, contract, sent)
    book.close()


def _about(book: Any, formats: Formats, head: PackHead, contract: Contract, is_owner: bool) -> None:
    sheet = book.add_worksheet(ABOUT)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 96)
    print_setup(sheet, is_wide=False)
    sheet.write_string(0, 0, f"{contract.title} 问题整改包", formats.title)
    due = figures.moment(head.due_at, head.zone)[:10] if head.due_at else figures.NONE
    pairs = [
        (TICKET, head.ticket),
        ("责任单位", contract.department),
        ("数据集", f"{contract.title}（{contract.id}）"),
        ("问题", head.message),
        ("怎样改", head.remedy),
        ("依据", head.basis),
        ("六性与严重级", f"{head.dimension} · {words.SEVERITIES.get(head.severity, head.severity)}"),
        ("待改行数", figures.count(head.remaining)),
        ("整改期限", due),
        *((f"填写说明 {place}", line) for place, line in enumerate(HOW if is_owner else HOW[:1], 1)),
    ]
    if not is_owner:
        pairs.append(("个人信息", "L3、L4 级字段已打码；本包不含原始数据行，只有责任单位可以下载带数据行的整改包"))
    for place, (label, value) in enumerate(pairs, 2):
        sheet.write_string(place, 0, label, formats.head)
        write_text(sheet, place, 1, value, formats.wrapped)


def _problems(
    book: Any, formats: Formats, head: PackHead, contract: Contract, problems: Iterable[tuple[str, Row]]
) -> None:
    sheet, place = sheet_of(book, formats, "问题清单", PROBLEMS, WIDTHS), 0
    due = figures.moment(head.due_at, head.zone)[:10] if head.due_at else ""
    found_at, named = figures.moment(head.opened_at, head.zone), titles(head.fields, contract) or "整行"
    severity = words.SEVERITIES.get(head.severity, head.severity)
    for place, (delivery, row) in enumerate(problems, 1):
        if place >= LAST_ROW:
            break
        cells = (
            *(head.ticket, str(place), contract.id, contract.title, row.key, delivery, str(row.row), named),
            *("、".join(head.fields), row.value, head.rule, head.basis, head.dimension, severity, head.message),
            *(row.suggested, found_at, due, "", ""),
        )
        for column, cell in enumerate(cells):
            write_text(sheet, place, column, cell, formats.text)
    sheet.autofilter(0, 0, max(place, 1), len(PROBLEMS) - 1)


def _data(book: Any, formats: Formats, head: PackHead, contract: Contract, sent: Sent) -> None:
    sheet = book.add_worksheet(DATA)
    known = {f.name: f.title for f in contract.fields}
    wrong = book.add_format({"num_format": "@", "bg_color": "#FFF2CC", "border": 1, "border_color": "#C4CCD4"})
    for column, name in enumerate(sent.columns):
        sheet.set_column(column, column, 24)
        write_text(sheet, 0, column, known.get(name, name), formats.head)
        write_text(sheet, 1, column, name, formats.head)
    for place, row in enumerate(sent.rows, 2):
        for column, name in enumerate(sent.columns):
            form = wrong if name in head.fields else formats.text
            write_text(sheet, place, column, row[name] or "", form)
    sheet.freeze_panes(2, 0)
    print_setup(sheet, is_wide=True)
