"""A ticket → the workbook in which its department corrects rows: what is wrong, row by row, and the rows as sent.

Values from a sender are text cells, never formulas. Rows as sent are for the owning department only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from jobs.access.masking import titles
from jobs.contracts import Contract
from jobs.contracts.correction import ABOUT, DATA, KEY, NUMBER, PROBLEMS, TICKET, WAY, WAYS, WORDS
from jobs.reporting import figures, labels
from jobs.reporting.correction_rows import SentRows, protect, write_data
from jobs.reporting.delivery.workbook import LAST_ROW, OPTIONS, Formats, book_formats, print_setup, sheet_of, write_text
from jobs.reporting.evidence import EvidenceLine

COLUMNS = (
    *("工单号", NUMBER, "目录代码", "数据集", KEY, "批次号", "行号", "字段", "字段英文名", "原值"),
    *("规则编号", "规则依据", "质量维度", "严重级", "问题说明", "应为/参考值（供核对）", "发现时间", "整改期限"),
)
FILLED_IN = (WAY, WORDS)
WIDTHS = (16, 10, 22, 22, 40, 26, 8, 18, 22, 30, 26, 34, 8, 8, 40, 28, 18, 14, 26, 40)
HOW = (
    f"一、“{PROBLEMS}”逐行列出问题；应为/参考值只供核对，数据由本单位负责。",
    f"二、在“{DATA}”中直接改正数据行；标色的是有问题的字段。表头和主键已锁定，代码字段从下拉列表中选择。",
    f"三、在“{PROBLEMS}”末两列写明处理情况；不更正的行请说明依据或原因，内容随工单留存。",
    "四、改完保存，在门户的工单页上传，或放入报送桶；系统自动复核，全部通过后工单关闭。",
    "五、本单位业务系统中的数据也请一并更正，否则下次报送会再次出现同样的问题。",
)


@dataclass(frozen=True)
class WorkbookHead:
    """A ticket's data for its workbook. Moments are UTC; `found_at` is when each delivery's rows were found."""

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
    found_at: Mapping[str, datetime] = field(default_factory=dict)


def write_correction_workbook(
    file: Path,
    head: WorkbookHead,
    contract: Contract,
    problems: Iterable[tuple[str, EvidenceLine]],
    sent: SentRows | None,
) -> None:
    """The workbook at `file`. `problems`: delivery and failing row; `sent` is None for readers other than the owner."""
    book = xlsxwriter.Workbook(str(file), OPTIONS)
    book.set_properties(
        {"title": f"整改包 {head.ticket}", "created": head.opened_at.astimezone(UTC).replace(tzinfo=None)}
    )
    formats = book_formats(book)
    _about(book, formats, head, contract, sent is not None)
    _problems(
        book, formats, (_cells(head, contract, n, d, row) for n, (d, row) in enumerate(problems, 1)), sent is not None
    )
    if sent is not None:
        write_data(book, formats, head.fields, contract, sent)
    book.close()


def _about(book: Any, formats: Formats, head: WorkbookHead, contract: Contract, is_owner: bool) -> None:
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
        ("质量维度与严重级", f"{head.dimension} · {labels.SEVERITIES.get(head.severity, head.severity)}"),
        ("待改行数", figures.count(head.remaining)),
        ("整改期限", due),
        *((f"填写说明 {place}", line) for place, line in enumerate(HOW if is_owner else HOW[:1], 1)),
    ]
    if not is_owner:
        pairs.append(("个人信息", "L3、L4 级字段已打码；本包不含原始数据行，只有责任单位可以下载带数据行的整改包"))
    for place, (label, value) in enumerate(pairs, 2):
        sheet.write_string(place, 0, label, formats.head)
        write_text(sheet, place, 1, value, formats.wrapped)


def _problems(book: Any, formats: Formats, problems: Iterable[tuple[str, ...]], is_owner: bool) -> None:
    """The list of problems; two columns are open for the department's answer."""
    columns = (*COLUMNS, *FILLED_IN) if is_owner else COLUMNS
    sheet, place = sheet_of(book, formats, PROBLEMS, columns, WIDTHS[: len(columns)]), 0
    for place, cells in enumerate(problems, 1):
        if place >= LAST_ROW:
            break
        for column, cell in enumerate(cells):
            write_text(sheet, place, column, cell, formats.text)
        for column in range(len(COLUMNS), len(columns)):
            sheet.write_blank(place, column, None, formats.open)
    sheet.autofilter(0, 0, max(place, 1), len(columns) - 1)
    if is_owner and place:
        column = columns.index(WAY)
        choice = {"validate": "list", "source": list(WAYS), "error_title": WAY, "error_message": "请从列表中选择"}
        sheet.data_validation(1, column, place, column, choice)
    protect(sheet)


def _cells(head: WorkbookHead, contract: Contract, place: int, delivery: str, row: EvidenceLine) -> tuple[str, ...]:
    due = figures.moment(head.due_at, head.zone)[:10] if head.due_at else ""
    found_at = figures.moment(head.found_at.get(delivery, head.opened_at), head.zone)
    severity = labels.SEVERITIES.get(head.severity, head.severity)
    named = titles(head.fields, contract) or "整行"
    return (
        *(head.ticket, str(place), contract.id, contract.title, row.key, delivery, str(row.row), named),
        *("、".join(head.fields), row.value, head.rule, head.basis, head.dimension, severity, head.message),
        *(row.suggested, found_at, due),
    )
