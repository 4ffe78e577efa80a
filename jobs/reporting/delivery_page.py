"""Facts of one delivery → its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.lake.delivery import STATE_WORDS
from jobs.lake.results import RuleRow
from jobs.reporting import figures, words
from jobs.reporting.advice import advice
from jobs.reporting.charts import Chart, ceiling, chart
from jobs.reporting.evidence import Row
from jobs.reporting.facts import Facts, Past
from jobs.reporting.masking import masked_text, titles
from jobs.reporting.pages import Badge, Cell, Link, Table, render, table
from jobs.reporting.score import checked_count, pass_rate, weights
from jobs.reporting.sources import sources


@dataclass(frozen=True)
class Problem:
    """One rule that did not hold, with its first rows."""

    anchor: str
    number: int
    title: str
    about: tuple[tuple[str, str], ...]
    rows: Table | None
    total: int


def delivery_page(facts: Facts, first: Mapping[str, tuple[Row, ...]]) -> str:
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
        dimensions=_dimensions(facts),
        indicators=_indicators(facts),
        weights=weights(),
        total=figures.score(facts.scores.total),
        all_rules=_all_rules(facts),
        charts=trend_charts(facts.past, facts.zone),
        trend=_trend(facts),
        sources=_sources(facts),
        workbook=f"{facts.delivery.id}.xlsx",
        machine=f"{facts.delivery.id}.json",
        made_at=figures.moment(facts.now, facts.zone),
    )


def badge(facts: Facts) -> Badge:
    """The delivery's state as a badge."""
    state = facts.state()
    return Badge(STATE_WORDS[state], words.MARKS[state], words.TONES[state])


def trend_charts(past: Sequence[Past], zone: str) -> list[Chart]:
    """Score and share of failed rows over the deliveries; none for a single delivery."""
    if len(past) < 2:
        return []
    days = [figures.day(p.delivery.received_at, zone)[5:] for p in past]
    totals = [p.scores.total for p in past]
    failed = [figures.share(p.verdict.failed_rows, p.verdict.rows) for p in past]
    shares = [None if f is None else 100 * f for f in failed]
    top = ceiling(shares)
    return [
        chart("总分（0 至 100）", [(d, t, figures.score(t)) for d, t in zip(days, totals, strict=True)], 100),
        chart(
            "未通过行占比（%）",
            [(d, s, figures.percent(f)) for d, s, f in zip(days, shares, failed, strict=True)],
            top,
            "%",
        ),
    ]


def _head(facts: Facts) -> list[tuple[str, str]]:
    delivery, verdict = facts.delivery, facts.verdict
    pairs = [
        ("部门", facts.department()),
        ("数据集", f"{facts.title()}（{delivery.dataset}）"),
        ("批次号", delivery.id),
        ("收到时间", f"{figures.moment(delivery.received_at, facts.zone)}（北京时间）"),
        ("质检时间", figures.moment(verdict.judged_at if verdict else None, facts.zone)),
        ("契约版本", verdict.contract_version if verdict else figures.NONE),
        ("规则集哈希", figures.short_hash(facts.suite_hash())),
        ("入库表版本", _version(facts)),
        ("取代批次", delivery.supersedes or "无"),
        ("被取代", delivery.superseded_by or "否"),
    ]
    if facts.repeats:
        pairs.append(("重复收到", f"相同文件另收到 {figures.count(facts.repeats)} 次，未重复入库"))
    return pairs


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
    names = "、".join(masked_text(name, is_free=False) for name in delivery.names())
    declared, counted = delivery.declared_rows, delivery.counted_rows
    told = "报送时未申报" if declared is None else f"{figures.count(declared)} 行"
    if declared is not None and counted is not None:
        told += (
            "（与实收一致）" if declared == counted else f"（与实收相差 {figures.count(abs(declared - counted))} 行）"
        )
    return [
        ("文件名", names or figures.NONE),
        ("大小", figures.size(delivery.size_bytes)),
        ("SHA-256", figures.short_hash(delivery.sha256)),
        ("申报行数", told),
        ("实收行数", figures.NONE if counted is None else f"{figures.count(counted)} 行"),
    ]


def _findings(facts: Facts) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for found in facts.delivery.findings:
        places = [masked_text(str(p), is_free=False) for p in found.detail.get("first_rows", ())]
        rows.append(
            (words.finding(found.kind), masked_text(found.message, is_free=False), "、".join(places) or figures.NONE)
        )
    return table("读取文件时的发现", ("类别", "说明", "位置（前几处）"), rows)


def _repairs(facts: Facts) -> Table:
    verdict = facts.verdict
    rows: list[tuple[Cell, ...]] = []
    if verdict:
        rows = [
            (titles((r.field,), facts.contract), words.repair(r.kind), figures.count(r.rows)) for r in verdict.repairs
        ]
        if verdict.copies:
            rows.append(("整行", words.COPIES, figures.count(verdict.copies)))
    return table("按契约约定作的规范化", ("字段", "处理", "行数"), rows, (2,))


def _overview(facts: Facts) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            str(number),
            Link(rule.message, f"#problem-{number}"),
            words.SEVERITIES.get(rule.severity, rule.severity),
            rule.dimension,
            figures.count(checked_count(rule)) if rule.element_count else figures.NONE,
            figures.count(rule.unexpected_count) if rule.element_count else "整表",
            figures.percent(figures.share(rule.unexpected_count, checked_count(rule))),
        )
        for number, rule in enumerate(facts.failing(), 1)
    ]
    head = ("序号", "问题", "严重级", "六性", "检查数", "未通过", "占比")
    return table("问题汇总", head, rows, (4, 5, 6))


def _problem(number: int, rule: RuleRow, facts: Facts, first: Sequence[Row]) -> Problem:
    names = tuple(name for name in rule.fields.split(",") if name)
    severity = f"{words.SEVERITIES.get(rule.severity, rule.severity)}（{words.EFFECTS.get(rule.severity, '')}）"
    checked = checked_count(rule)
    share = figures.percent(figures.share(rule.unexpected_count, checked))
    about = (
        ("怎样改", rule.remedy),
        ("依据", rule.basis),
        ("严重级", severity),
        ("六性与指标", f"{rule.dimension} · {words.indicator(rule.indicator)}"),
        ("字段", titles(names, facts.contract) or "整行"),
        ("数量", f"检查 {figures.count(checked)}，未通过 {figures.count(rule.unexpected_count)}，占 {share}"),
        ("规则编号", rule.rule),
    )
    head = ("文件", "行号", "业务主键", "字段", "报送的值")
    cells = [(r.file, figures.count(r.row), r.key or figures.NONE, r.field or "整行", r.value) for r in first]
    rows = table(f"前 {len(cells)} 处", head, cells, (1,)) if cells else None
    return Problem(f"problem-{number}", number, rule.message, about, rows, rule.unexpected_count)


def _dimensions(facts: Facts) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in facts.scores.dimensions:
        tested = "、".join(words.indicator(i.code) for i in one.indicators if i.value is not None)
        rows.append(
            (one.name, f"{one.weight:g}", tested or figures.NONE, figures.score(one.score) if tested else "未检测")
        )
    return table("维度得分", ("维度", "权重", "已检测指标", "得分"), rows, (1, 3))


def _indicators(facts: Facts) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (d.name, words.indicator(i.code), f"{i.weight:g}", f"{i.tested} / {i.rules}", figures.percent(i.value))
        for d in facts.scores.dimensions
        for i in d.indicators
    ]
    return table("指标值", ("维度", "指标", "权重", "已检测规则", "指标值"), rows, (2, 3, 4))


def _all_rules(facts: Facts) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            rule.rule,
            rule.message,
            words.SEVERITIES.get(rule.severity, rule.severity),
            figures.count(checked_count(rule)) if rule.element_count else figures.NONE,
            figures.count(rule.unexpected_count),
            figures.percent(pass_rate(rule)),
        )
        for rule in facts.rules
    ]
    head = ("规则编号", "不通过时的含义", "严重级", "检查数", "未通过", "规则通过率 X")
    return table("全部规则", head, rows, (3, 4, 5))


def _trend(facts: Facts) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for past in facts.past:
        verdict, state = past.verdict, past.verdict.state
        note = "本批" if verdict.delivery == facts.delivery.id else ("已被取代" if past.delivery.superseded_by else "")
        rows.append(
            (
                figures.moment(past.delivery.received_at, facts.zone)[:16],
                verdict.delivery,
                Badge(STATE_WORDS[state], words.MARKS[state], words.TONES[state]),
                figures.count(verdict.rows),
                figures.count(verdict.failed_rows),
                figures.percent(figures.share(verdict.failed_rows, verdict.rows)),
                figures.score(past.scores.total),
                note,
            )
        )
    head = ("收到时间", "批次号", "状态", "检查行数", "未通过行", "占比", "总分", "备注")
    return table("历次报送", head, rows, (3, 4, 5, 6))


def _sources(facts: Facts) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (s.what, s.table, figures.NONE if s.version is None else f"第 {s.version} 版", s.suite_hash or figures.NONE)
        for s in sources(facts)
    ]
    return table("数字来源", ("数字", "来自", "表版本", "规则集哈希"), rows)
