"""Tables and charts of a delivery's page that show scores, history and sources."""

from collections.abc import Callable, Mapping, Sequence

from jobs.access.masking import titles
from jobs.access.personal_numbers import masked_text
from jobs.model.delivery import STATE_WORDS, State
from jobs.model.distribution import MEAN, VALUE_SHARE
from jobs.reporting import figures, labels
from jobs.reporting.charts import Chart, Scale, ceiling, chart, score_scale
from jobs.reporting.delivery.facts import Facts, PastDelivery
from jobs.reporting.delivery.sources import sources
from jobs.reporting.history import EMPTY, FAILED, ROWS, limits
from jobs.reporting.pages import Badge, Cell, Table, table
from jobs.reporting.score import checked_count, pass_rate

SHOWN: Mapping[str, Callable[[float], str]] = {
    ROWS: lambda value: figures.count(round(value)),
    MEAN: lambda value: f"{value:,.4g}",
}
PLACES_SHOWN = 10
UNUSUAL = {
    ROWS: "检查行数",
    FAILED: "未通过行占比",
    EMPTY: "「{title}」空值占比",
    MEAN: "「{title}」均值",
    VALUE_SHARE: "「{title}」中“{word}”的占比",
}


def trend_charts(past: Sequence[PastDelivery], zone: str) -> list[Chart]:
    """Score and share of failed rows over the deliveries; none for a single delivery."""
    if len(past) < 2:
        return []
    days = [figures.day_and_time(p.delivery.received_at, zone) for p in past]
    totals = [p.scores.total for p in past]
    failed = [figures.share(p.verdict.failed_rows, p.verdict.rows) for p in past]
    shares = [None if f is None else 100 * f for f in failed]
    scale = score_scale(totals)
    named = [(d, t, figures.score(t)) for d, t in zip(days, totals, strict=True)]
    broken = [(d, s, figures.percent(f)) for d, s, f in zip(days, shares, failed, strict=True)]
    return [
        chart(f"总分（纵轴 {scale.bottom:g} 至 100）", named, scale),
        chart("未通过行占比", broken, Scale(ceiling(shares), unit="%")),
    ]


def dimensions_table(facts: Facts) -> Table:
    """Scores by dimension; untested ones are marked."""
    rows: list[tuple[Cell, ...]] = []
    for dimension in facts.scores.dimensions:
        tested = "、".join(labels.indicator(i.code) for i in dimension.indicators if i.value is not None)
        rows.append(
            (
                dimension.name,
                f"{dimension.weight:g}",
                tested or figures.NONE,
                figures.score(dimension.score) if tested else "未检测",
            )
        )
    return table("维度得分", ("维度", "权重", "已检测指标", "得分"), rows, (1, 3))


def indicators_table(facts: Facts) -> Table:
    """Indicators of GB/T 36344-2018 behind the scores."""
    rows: list[tuple[Cell, ...]] = [
        (d.name, labels.indicator(i.code), f"{i.weight:g}", f"{i.tested} / {i.rules}", figures.percent(i.value))
        for d in facts.scores.dimensions
        for i in d.indicators
    ]
    return table("指标值", ("维度", "指标", "权重", "已检测规则", "指标值"), rows, (2, 3, 4))


def all_rules_table(facts: Facts) -> Table:
    """Every rule that ran, with its pass rate."""
    rows: list[tuple[Cell, ...]] = [
        (
            rule.rule,
            rule.message,
            labels.SEVERITIES.get(rule.severity, rule.severity),
            figures.count(checked_count(rule)) if rule.element_count else figures.NONE,
            figures.count(rule.unexpected_count),
            figures.percent(pass_rate(rule)),
        )
        for rule in facts.rules
    ]
    head = ("规则编号", "不通过时的含义", "严重级", "检查数", "未通过", "规则通过率 X")
    return table("全部规则", head, rows, (3, 4, 5))


def trend_table(facts: Facts) -> Table:
    """The numbers behind the charts."""
    rows: list[tuple[Cell, ...]] = []
    for past in facts.past:
        verdict, state = past.verdict, past.verdict.state
        is_read = state is not State.UNREADABLE
        note = "本批" if verdict.delivery == facts.delivery.id else ("已被取代" if past.delivery.superseded_by else "")
        rows.append(
            (
                figures.moment(past.delivery.received_at, facts.zone)[:16],
                verdict.delivery,
                Badge(STATE_WORDS[state], labels.MARKS[state], labels.TONES[state]),
                figures.count(verdict.rows if is_read else None),
                figures.count(verdict.failed_rows if is_read else None),
                figures.percent(figures.share(verdict.failed_rows, verdict.rows)),
                figures.score(past.scores.total),
                note,
            )
        )
    head = ("收到时间", "批次号", "状态", "检查行数", "未通过行", "占比", "总分", "备注")
    return table("历次报送", head, rows, (3, 4, 5, 6))


def history_words(facts: Facts) -> str:
    """What the delivery was compared with, and whether anything is unusual."""
    history = facts.history
    if history is None:
        return ""
    if not history.is_judged:
        return f"与以往相比：可比的{history.day_kind}只有 {len(history.days)} 天，不足 {limits().fewest_days} 天，未作判断。"
    basis = f"最近 {len(history.days)} 个{history.day_kind}（{history.days[0]} 至 {history.days[-1]}）"
    if not history.unusual:
        return f"与以往相比：行数、未通过行占比、各字段空值占比、均值和取值占比都在{basis}的通常范围内。"
    return f"与以往相比：下列各项不在{basis}的通常范围内，请核实原因；这只是提醒，不影响入库。"


def history_table(facts: Facts) -> Table:
    """Numbers outside their usual range."""
    rows: list[tuple[Cell, ...]] = []
    for number in facts.history.unusual if facts.history else ():
        name, _, word = number.field.partition("=")
        title = titles((name,), facts.contract) if name else ""
        formatted = SHOWN.get(number.kind, figures.percent)
        rows.append(
            (
                UNUSUAL[number.kind].format(title=title, word=word),
                formatted(number.seen),
                f"{formatted(number.low)} ～ {formatted(number.high)}",
            )
        )
    return table("与以往不同之处", ("项目", "本批", "通常范围"), rows, (1, 2))


def source_table(facts: Facts) -> Table:
    """Where each group of numbers comes from."""
    rows: list[tuple[Cell, ...]] = [
        (s.what, s.table, figures.NONE if s.version is None else f"第 {s.version} 版", figures.short_hash(s.suite_hash))
        for s in sources(facts)
    ]
    return table("数字来源", ("数字", "来自", "表版本", "规则集哈希"), rows)


def changes_words(facts: Facts) -> str:
    """How the delivery differs from the one that it replaces, in a sentence."""
    changes = facts.changes
    if changes is None:
        return ""
    if not changes.is_compared:
        return f"与所取代的批次 {changes.before} 相比：任一批没有可读的行或行数过多，未逐行比较。"
    if changes.is_none():
        return f"与所取代的批次 {changes.before} 相比：逐行相同，没有改动。"
    return (
        f"与所取代的批次 {changes.before} 相比（按主键逐行比较报送的文本，首尾空白不计）：原有 {figures.count(changes.rows_before)} 行，"
        f"现有 {figures.count(changes.rows)} 行。不再报送的行随原批次撤出；更早批次有同一主键的，恢复为该批次的值。"
    )


def changes_table(facts: Facts) -> Table:
    """Rows that are new, gone and changed, with where the first ones stand."""
    changes = facts.changes
    if changes is None or not changes.is_compared or changes.is_none():
        return table("与所取代批次的差别", ("项目", "行数", "首批位置"), [], (1,))
    by_field = [(titles((name,), facts.contract), rows) for name, rows in changes.by_field]
    rows: list[tuple[Cell, ...]] = [
        ("新增的行", figures.count(len(changes.new)), _places(changes.new)),
        ("不再报送的行（位置在原批次中）", figures.count(len(changes.gone)), _places(changes.gone)),
        ("改动的行", figures.count(len(changes.changed)), _places(changes.changed)),
        *((f"其中改动「{title}」", figures.count(number), figures.NONE) for title, number in by_field),
    ]
    return table("与所取代批次的差别", ("项目", "行数", "首批位置"), rows, (1,))


def _places(places: Sequence[tuple[str, int]]) -> str:
    """The first rows, by their file where there are several."""
    files = {file for file, _ in places}
    prefix = "" if len(files) < 2 else "{} "
    shown = [f"{prefix.format(masked_text(file, is_free=False))}第 {row} 行" for file, row in places[:PLACES_SHOWN]]
    return "、".join(shown) + (" 等" if len(places) > PLACES_SHOWN else "") or figures.NONE
