"""Facts of one delivery → an Excel workbook; values from a sender are text cells, never formulas."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import xlsxwriter

from jobs.access.masking import titles
from jobs.access.personal_numbers import masked_text
from jobs.model.delivery import STATE_WORDS
from jobs.model.verdict import Verdict
from jobs.reporting import figures, labels
from jobs.reporting.delivery.facts import Facts
from jobs.reporting.delivery.sources import sources
from jobs.reporting.evidence import EvidenceLine
from jobs.reporting.score import checked_count, pass_rate, weights

LAST_ROW = 1_048_576
LONGEST = 32_767
FONT = {"font_name": "宋体", "font_size": 11}
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_format_properties": FONT,
}
DETAIL = ("文件", "行号", "业务主键", "字段", "报送的值", "问题", "规则编号", "严重级", "可能应为（供核对）")
DETAIL_WIDTHS = (26, 10, 40, 20, 34, 40, 26, 8, 30)
SUMMARY = (
    "序号",
    "问题",
    "字段",
    "严重级",
    "质量维度",
    "指标",
    "检查数",
    "未通过数",
    "规则通过率 X",
    "怎样改",
    "依据",
    "规则编号",
)
SUMMARY_WIDTHS = (6, 40, 20, 8, 8, 22, 12, 12, 14, 46, 36, 26)


@dataclass(frozen=True)
class Formats:
    """The cell formats of the book."""

    head: Any
    text: Any
    wrapped: Any
    number: Any
    plain: Any
    rate: Any
    title: Any
    open: Any
    wrong: Any


def write_workbook(file: Path, facts: Facts, rows: Iterable[EvidenceLine], last_row: int = LAST_ROW) -> None:
    """Write the workbook at `file`; the same facts give the same bytes."""
    book = xlsxwriter.Workbook(str(file), OPTIONS)
    made_at = (facts.verdict.judged_at if facts.verdict else facts.delivery.received_at).astimezone(UTC)
    book.set_properties({"title": f"{facts.title()} 数据质量报告", "created": made_at.replace(tzinfo=None)})
    formats = book_formats(book)
    _about(book, formats, facts)
    _summary(book, formats, facts)
    _details(book, formats, facts, rows, last_row)
    _repairs(book, formats, facts)
    _changes(book, formats, facts)
    book.close()


def book_formats(book: Any) -> Formats:
    """The formats of a new book."""
    line = {**FONT, "border": 1, "border_color": "#C4CCD4", "valign": "top"}
    return Formats(
        head=book.add_format({**line, "bold": True, "bg_color": "#E8EEF3", "text_wrap": True}),
        text=book.add_format({**line, "num_format": "@"}),
        wrapped=book.add_format({**line, "num_format": "@", "text_wrap": True}),
        number=book.add_format({**line, "num_format": "#,##0"}),
        plain=book.add_format({**line, "num_format": "0"}),
        rate=book.add_format({**line, "num_format": "0.00%"}),
        title=book.add_format({**FONT, "bold": True, "font_size": 15}),
        open=book.add_format({**line, "num_format": "@", "locked": False}),
        wrong=book.add_format({**line, "num_format": "@", "locked": False, "bg_color": "#FFF2CC"}),
    )


def _about(book: Any, formats: Formats, facts: Facts) -> None:
    sheet = book.add_worksheet("说明")
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 96)
    print_setup(sheet, is_wide=False)
    sheet.write_string(0, 0, f"{facts.title()} 数据质量报告", formats.title)
    for place, (label, value) in enumerate(_notes(facts), 2):
        sheet.write_string(place, 0, label, formats.head)
        write_text(sheet, place, 1, value, formats.wrapped)


def _notes(facts: Facts) -> list[tuple[str, str]]:
    delivery, verdict = facts.delivery, facts.verdict
    pairs = [
        ("部门", facts.department()),
        ("数据集", f"{facts.title()}（{delivery.dataset}）"),
        ("批次号", delivery.id),
        ("文件名", "、".join(masked_text(name, is_free=False) for name in delivery.names())),
        ("收到时间（北京时间）", figures.moment(delivery.received_at, facts.zone)),
        ("SHA-256", delivery.sha256),
        ("状态", STATE_WORDS[facts.state()]),
        ("原因", masked_text(facts.reason(), is_free=False) or figures.NONE),
        ("申报行数", figures.count(delivery.declared_rows)),
        ("实收行数", figures.count(delivery.counted_rows)),
        *_row_counts(verdict),
        ("总分", figures.score(facts.scores.total)),
    ]
    pairs += [
        (f"{d.name}得分", figures.score(d.score) if d.score is not None else "未检测") for d in facts.scores.dimensions
    ]
    pairs += [
        (
            "计算方法",
            f"规则通过率 X = 1 − 未通过数 ÷ 检查数；维度得分为指标值的加权平均 × 100；权重第 {weights().version} 版",
        ),
        ("个人信息", "L3、L4 级字段及文本中的证件号码、电话号码已打码；完整的值请在本部门业务系统中按行号查找"),
        ("行号", "文件中的行号，与 Excel 左侧行号一致"),
        ("契约版本", verdict.contract_version if verdict else figures.NONE),
        ("规则集哈希", facts.suite_hash() or figures.NONE),
    ]
    return pairs + _versions(facts)


def _row_counts(verdict: Verdict | None) -> list[tuple[str, str]]:
    numbers = (verdict.rows, verdict.good_rows, verdict.failed_rows) if verdict else (None, None, None)
    return list(zip(("检查行数", "入库行数", "未通过行数"), map(figures.count, numbers), strict=True))


def _versions(facts: Facts) -> list[tuple[str, str]]:
    return [(f"来源：{s.what}", f"{s.table} 第 {s.version} 版") for s in sources(facts) if s.version is not None]


def _summary(book: Any, formats: Formats, facts: Facts) -> None:
    sheet = sheet_of(book, formats, "问题汇总", SUMMARY, SUMMARY_WIDTHS)
    failing = facts.failing()
    for place, rule in enumerate(failing, 1):
        names = tuple(name for name in rule.fields.split(",") if name)
        severity = labels.SEVERITIES.get(rule.severity, rule.severity)
        row = (place, rule.message, titles(names, facts.contract) or "整行", severity, rule.dimension)
        numbers = (labels.indicator(rule.indicator), checked_count(rule), rule.unexpected_count)
        _row(sheet, place, (*row, *numbers), formats)
        rate = pass_rate(rule)
        if rate is None:
            sheet.write_string(place, 8, figures.NONE, formats.text)
        else:
            sheet.write_number(place, 8, rate, formats.rate)
        for column, value in enumerate((rule.remedy, rule.basis, rule.rule), 9):
            write_text(sheet, place, column, value, formats.wrapped)
    sheet.autofilter(0, 0, max(len(failing), 1), len(SUMMARY) - 1)


def _details(book: Any, formats: Formats, facts: Facts, rows: Iterable[EvidenceLine], last_row: int) -> None:
    messages = {rule.rule: rule.message for rule in facts.rules}
    sheet, number, place = sheet_of(book, formats, "问题明细", DETAIL, DETAIL_WIDTHS), 1, 0
    text, plain = formats.text, formats.plain
    for row in rows:
        if place == last_row - 1:
            sheet.autofilter(0, 0, place, len(DETAIL) - 1)
            number += 1
            sheet, place = sheet_of(book, formats, f"问题明细{number}", DETAIL, DETAIL_WIDTHS), 0
        place += 1
        write = sheet.write_string
        write(place, 0, row.file[:LONGEST], text)
        sheet.write_number(place, 1, row.row, plain)
        write(place, 2, row.key[:LONGEST], text)
        write(place, 3, row.field or "整行", text)
        write(place, 4, row.value[:LONGEST], text)
        write(place, 5, messages.get(row.rule, row.rule), text)
        write(place, 6, row.rule, text)
        write(place, 7, labels.SEVERITIES.get(row.severity, row.severity), text)
        write(place, 8, row.suggested[:LONGEST], text)
    sheet.autofilter(0, 0, max(place, 1), len(DETAIL) - 1)


def _repairs(book: Any, formats: Formats, facts: Facts) -> None:
    head = ("字段", "字段英文名", "处理", "行数")
    sheet = sheet_of(book, formats, "修复记录", head, (24, 28, 36, 12))
    verdict, place = facts.verdict, 0
    for place, repair in enumerate(verdict.repairs if verdict else (), 1):
        name = titles((repair.field,), facts.contract)
        _row(sheet, place, (name, repair.field, labels.repair(repair.kind), repair.rows), formats)
    if verdict and verdict.copies:
        place += 1
        _row(sheet, place, ("整行", "", labels.COPIES, verdict.copies), formats)
    sheet.autofilter(0, 0, max(place, 1), len(head) - 1)


def _changes(book: Any, formats: Formats, facts: Facts) -> None:
    """Every row that differs from the delivery that this one replaces; no sheet where none was compared."""
    changes = facts.changes
    if changes is None or not changes.is_compared:
        return
    head = ("差别", "文件", "行号", "改动的字段")
    sheet = sheet_of(book, formats, "与原批次的差别", head, (30, 26, 10, 60))
    fields = [titles(names, facts.contract) for names in changes.changed_fields]
    kinds = (
        ("新增的行", changes.new, [""] * len(changes.new)),
        ("改动的行", changes.changed, fields),
        (f"不再报送的行（位置在原批次 {changes.before} 中）", changes.gone, [""] * len(changes.gone)),
    )
    lines = [
        (kind, file, row, names) for kind, places, of in kinds for (file, row), names in zip(places, of, strict=True)
    ]
    for place, (kind, file, row, names) in enumerate(lines[: LAST_ROW - 1], 1):
        write_text(sheet, place, 0, kind, formats.text)
        write_text(sheet, place, 1, masked_text(file, is_free=False), formats.text)
        sheet.write_number(place, 2, row, formats.plain)
        write_text(sheet, place, 3, names, formats.text)
    sheet.autofilter(0, 0, max(len(lines), 1), len(head) - 1)


def sheet_of(book: Any, formats: Formats, name: str, head: Sequence[str], widths: Sequence[int]) -> Any:
    """A new sheet with its head, frozen and repeated in print."""
    sheet = book.add_worksheet(name)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    for column, word in enumerate(head):
        sheet.write_string(0, column, word, formats.head)
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    print_setup(sheet, is_wide=True)
    return sheet


def print_setup(sheet: Any, is_wide: bool) -> None:
    """A4, page numbers."""
    sheet.set_paper(9)
    if is_wide:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
    sheet.set_footer("&C第 &P 页，共 &N 页")


def _row(sheet: Any, place: int, values: Sequence[str | int], formats: Formats) -> None:
    for column, value in enumerate(values):
        if isinstance(value, int):
            sheet.write_number(place, column, value, formats.number)
        else:
            write_text(sheet, place, column, value, formats.wrapped)


def write_text(sheet: Any, place: int, column: int, value: str, form: Any) -> None:
    """A text cell, cut at Excel's limit."""
    sheet.write_string(place, column, value[:LONGEST], form)
