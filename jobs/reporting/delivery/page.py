"""Facts of one delivery → its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.access.masking import titles
from jobs.access.personal_numbers import masked_text
from jobs.model.delivery import STATE_WORDS
from jobs.model.rule_result import RuleRow
from jobs.reporting import figures, labels
from jobs.reporting.delivery.advice import advice
from jobs.reporting.delivery.facts import Facts
from jobs.reporting.delivery.tables import (
    all_rules_table,
    changes_table,
    changes_words,
    dimensions_table,
    history_table,
    history_words,
    indicators_table,
    source_table,
    trend_charts,
    trend_table,
)
from jobs.reporting.evidence import EvidenceLine
from jobs.reporting.pages import Badge, Cell, Link, Table, render, table
from jobs.reporting.score import checked_count, is_of_each_row, weights


@dataclass(frozen=True)
class Problem:
    """One rule that failed, with its first rows."""

    anchor: str
    number: int
    title: str
    about: tuple[tuple[str, str], ...]
    rows: Table | None
    total: int
    is_whole: bool


def delivery_page(facts: Facts, first: Mapping[str, tuple[EvidenceLine, ...]]) -> str:
    """The page as HTML."""
    return render(
        "delivery.html",
        title=f"{facts.title()} 数据质量报告",
        facts=facts,
        badge=badge(facts),
        head=_head(facts),
        cards=_cards(facts),
        advice=advice(facts),
        files=_files(facts),
        findings=_findings(facts),
        repairs=_repairs(facts),
        overview=_overview(facts),
        problems=[_problem(n, rule, facts, first.get(rule.rule, ())) for n, rule in enumerate(facts.failing(), 1)],
        dimensions=dimensions_table(facts),
        indicators=indicators_table(facts),
        weights=weights(),
        total=figures.score(facts.scores.total),
        all_rules=all_rules_table(facts),
        charts=trend_charts(facts.past, facts.zone),
        trend=trend_table(facts),
        history=history_table(facts),
        history_words=history_words(facts),
        changes=changes_table(facts),
        changes_words=changes_words(facts),
        sources=source_table(facts),
        workbook=f"{facts.delivery.id}.xlsx",
        document=f"{facts.delivery.id}.json",
        made_at=figures.moment(facts.now, facts.zone),
    )


def badge(facts: Facts) -> Badge:
    """The delivery's state as a badge."""
    state = facts.state()
    return Badge(STATE_WORDS[state], labels.MARKS[state], labels.TONES[state])


def _head(facts: Facts) -> list[tuple[str, Cell]]:
    delivery, verdict = facts.delivery, facts.verdict
    declared = "未申报" if delivery.declared_rows is None else figures.count(delivery.declared_rows)
    pairs: list[tuple[str, Cell]] = [
        ("部门", facts.department()),
        ("数据集", f"{facts.title()}（{delivery.dataset}）"),
        ("批次号", delivery.id),
        ("文件名", _names(facts, 3)),
        ("SHA-256", figures.short_hash(delivery.sha256)),
        ("申报／实收", f"{declared}／{figures.count(delivery.counted_rows)} 行"),
        ("收到时间", f"{figures.moment(delivery.received_at, facts.zone)}（北京时间）"),
        ("送文日期", delivery.sent_on.isoformat() if delivery.sent_on else figures.NONE),
        ("质检时间", figures.moment(verdict.judged_at if verdict else None, facts.zone)),
        ("契约版本", verdict.contract_version if verdict else figures.NONE),
        ("规则集哈希", figures.short_hash(facts.suite_hash())),
        ("入库表版本", _version(facts)),
        ("取代批次", _other(delivery.supersedes)),
        ("被取代", _other(delivery.superseded_by)),
    ]
    if facts.repeats:
        pairs.append(("重复收到", f"相同文件另收到 {figures.count(facts.repeats)} 次，未重复入库"))
    return pairs


def _other(delivery_id: str | None) -> Cell:
    return Link(delivery_id, f"{delivery_id}.html") if delivery_id else "否"


def _names(facts: Facts, limit: int) -> str:
    names = [masked_text(name, is_free=False) for name in facts.delivery.names()]
    more = f" 等 {figures.count(len(names))} 个文件" if len(names) > limit else ""
    return "、".join(names[:limit]) + more or figures.NONE


def _version(facts: Facts) -> str:
    if facts.verdict is None or facts.verdict.silver_version < 0:
        return figures.NONE
    return f"silver.{facts.delivery.dataset} 第 {facts.verdict.silver_version} 版"


def _cards(facts: Facts) -> list[tuple[str, str, str]]:
    verdict = facts.verdict
    if verdict is None or not facts.rules:
        return []
    passed = figures.share(verdict.rows - verdict.failed_rows, verdict.rows)
    failed = figures.share(verdict.failed_rows, verdict.rows)
    return [
        ("总分", figures.score(facts.scores.total), "满分 100"),
        ("检查行数", figures.count(verdict.rows), f"去重 {figures.count(verdict.copies)} 行"),
        ("入库行数", figures.count(verdict.good_rows), f"记录合格率 {figures.percent(passed)}"),
        ("未通过行", figures.count(verdict.failed_rows), f"占 {figures.percent(failed)}"),
        ("警告行", figures.count(verdict.warned_rows), "入库并作标记"),
    ]


def _files(facts: Facts) -> list[tuple[str, str]]:
    delivery = facts.delivery
    declared, counted = delivery.declared_rows, delivery.counted_rows
    declared_text = "报送时未申报" if declared is None else f"{figures.count(declared)} 行"
    if declared is not None and counted is not None:
        declared_text += (
            "（与实收一致）" if declared == counted else f"（与实收相差 {figures.count(abs(declared - counted))} 行）"
        )
    return [
        ("文件", _names(facts, 20)),
        ("大小", figures.size(delivery.size_bytes)),
        ("申报行数", declared_text),
        ("实收行数", figures.NONE if counted is None else f"{figures.count(counted)} 行"),
    ]


def _findings(facts: Facts) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for finding in facts.delivery.findings:
        places = [masked_text(str(p), is_free=False) for p in finding.detail.get("first_rows", ())]
        rows.append(
            (
                labels.finding(finding.kind),
                masked_text(finding.message, is_free=False),
                "、".join(places) or figures.NONE,
            )
        )
    return table("读取文件时的发现", ("类别", "说明", "位置（前几处）"), rows)


def _repairs(facts: Facts) -> Table:
    verdict = facts.verdict
    rows: list[tuple[Cell, ...]] = []
    if verdict:
        rows = [
            (titles((r.field,), facts.contract), labels.repair(r.kind), figures.count(r.rows)) for r in verdict.repairs
        ]
        if verdict.copies:
            rows.append(("整行", labels.COPIES, figures.count(verdict.copies)))
    return table("按契约约定作的规范化", ("字段", "处理", "行数"), rows, (2,))


def _overview(facts: Facts) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            str(number),
            Link(rule.message, f"#problem-{number}"),
            labels.SEVERITIES.get(rule.severity, rule.severity),
            rule.dimension,
            figures.count(checked_count(rule)) if rule.element_count else figures.NONE,
            figures.count(rule.unexpected_count) if rule.element_count else "整表",
            figures.percent(figures.share(rule.unexpected_count, checked_count(rule))),
        )
        for number, rule in enumerate(facts.failing(), 1)
    ]
    head = ("序号", "问题", "严重级", "质量维度", "检查数", "未通过", "占比")
    return table("问题汇总", head, rows, (4, 5, 6))


def _problem(number: int, rule: RuleRow, facts: Facts, first: Sequence[EvidenceLine]) -> Problem:
    names = tuple(name for name in rule.fields.split(",") if name)
    severity = f"{labels.SEVERITIES.get(rule.severity, rule.severity)}（{labels.EFFECTS.get(rule.severity, '')}）"
    checked = checked_count(rule)
    share = figures.percent(figures.share(rule.unexpected_count, checked))
    about = (
        ("怎样改", rule.remedy),
        ("依据", rule.basis),
        ("严重级", severity),
        ("质量维度与指标", f"{rule.dimension} · {labels.indicator(rule.indicator)}"),
        ("字段", titles(names, facts.contract) or "整行"),
        ("数量", f"检查 {figures.count(checked)}，未通过 {figures.count(rule.unexpected_count)}，占 {share}"),
        ("规则编号", rule.rule),
    )
    rows = _first_rows(first, len(facts.delivery.objects) > 1) if first else None
    return Problem(
        f"problem-{number}", number, rule.message, about, rows, rule.unexpected_count, not is_of_each_row(rule)
    )


def _cells_of(line: EvidenceLine) -> tuple[str, ...]:
    none = figures.NONE
    return str(line.row), line.key or none, line.field or "整行", line.value, line.suggested or none


def _first_rows(first: Sequence[EvidenceLine], has_many_files: bool) -> Table:
    is_advised = any(r.suggested for r in first)
    width = 5 if is_advised else 4
    head = ("行号", "业务主键", "字段", "报送的值", "可能应为（供核对）")[:width]
    cells = [_cells_of(r)[:width] for r in first]
    if has_many_files or len({r.file for r in first}) > 1:
        rows = [(*cell, r.file) for cell, r in zip(cells, first, strict=True)]
        return table(f"前 {len(rows)} 处", (*head, "文件"), rows, (0,))
    return table(f"前 {len(cells)} 处（文件：{first[0].file}）", head, cells, (0,))
