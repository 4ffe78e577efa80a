"""The annexes of a bulletin: numbers by department, the tickets and deliveries behind them, formulas and sources."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jobs.model.delivery import STATE_WORDS, State
from jobs.reporting import figures
from jobs.reporting.bulletin.parts import Block, Line, NewPage, grid
from jobs.reporting.bulletin.terms import Terms
from jobs.reporting.bulletin.values import Values, local_day, moment
from jobs.reporting.delivery.recompute import Document

TITLES = ("各单位指标", "明细", "指标口径和数据截止时间")
TABLES = (
    ("汇聚和质量", ("deliveries", "punctual", "rows", "failed_rows", "good_share", "score")),
    ("存量和整改", ("opening", "new", "closed", "closing", "mended", "mended_in_time")),
    ("复核和校核", ("first_pass", "recurred", "false_alarms", "corrections_in_time", "overdue", "again")),
    ("整改时长", ("mean_days", "median_days", "p90_days", "net_days")),
)
WIDTHS = {"汇聚和质量": (3, 4, 5, 4, 4, 4)}
STOCK = {"opening": "期初", "new": "新增", "closed": "办结", "closing": "期末"}
SHARES = {
    "mended": "整改", "mended_in_time": "按期", "first_pass": "一次", "recurred": "重复", "false_alarms": "误报",
    "corrections_in_time": "校核",
}  # fmt: skip
ORIGINS = {"ledger": "报送台账", "verdicts": "检核结论表", "rules": "规则结果表", "events": "工单事件链"}


def annexes(document: Document, terms: Terms) -> Iterator[Block]:
    """The three annexes, each on a page of its own."""
    for place, (title, annex) in enumerate(zip(TITLES, (_departments, _lists, _formulas), strict=True), 1):
        yield NewPage()
        yield Line("annex", f"附件{place}")
        yield Line("annex_title", title)
        yield from annex(document, terms)


def _departments(document: Document, terms: Terms) -> Iterator[Block]:
    departments = [("全市", Values(document["figures"], terms))]
    departments += [
        (department["department"], Values(department["figures"], terms)) for department in document["departments"]
    ]
    for title, names in TABLES:
        yield Line("caption", title)
        head = ("单位", *(terms.measure(name).title for name in names))
        rows = [(name, *(values.shown(n) for n in names)) for name, values in departments]
        yield grid(head, rows, (9, *WIDTHS.get(title, [24 // len(names)] * len(names))), range(1, len(head)))


def _lists(document: Document, terms: Terms) -> Iterator[Block]:
    zone, counted = document["timezone"], _counted(document, terms)
    yield Line("caption", f"工单（{len(document['tickets']):,}件）")
    rows = [
        (
            ticket["id"],
            ticket["department"],
            f"{ticket['title']}：{ticket['message']}",
            ticket["label"],
            local_day(ticket["due_at"], zone),
            "、".join(counted.get(ticket["id"], ())),
        )
        for ticket in sorted(
            document["tickets"], key=lambda ticket: (not ticket["is_overdue"], not ticket["is_open"], ticket["id"])
        )
    ]
    yield grid(("工单", "单位", "问题", "状态", "到期日", "计入"), rows[: terms.listed], (6, 8, 11, 6, 7, 9))
    yield Line(
        "note",
        "“计入”中，＋为计入该指标的分子和分母，－为只计入分母；期初、新增、办结、期末为存量。" + _left(rows, terms),
    )
    yield Line("caption", f"批次（{len(document['batches']):,}批）")
    yield grid(
        ("批次号", "单位", "收到时间", "状态", "检查行数", "未通过"),
        (_batch(batch, zone) for batch in document["batches"][: terms.listed]),
        (14, 9, 7, 7, 6, 5),
        (4, 5),
    )
    yield Line("note", f"应报批次和每个数字所依据的全部编号见同名 JSON 文件。{_left(document['batches'], terms)}")
    if document["exempt"]:
        yield Line("caption", "申诉成立、不计入得分的规则结果")
        exempt = [(result["ticket"], result["rule"], result["delivery"]) for result in document["exempt"]]
        yield grid(("工单", "规则", "批次号"), exempt, (6, 12, 18))


def _counted(document: Document, terms: Terms) -> dict[str, list[str]]:
    """The numbers in which each ticket counts."""
    totals = Values(document["figures"], terms)
    counted: dict[str, list[str]] = {}
    for name, word in STOCK.items():
        for ticket, times in Counter(totals.ids(name)).items():
            counted.setdefault(ticket, []).append(word + (f"{times}次" if times > 1 else ""))
    for name, word in SHARES.items():
        part = set(totals.ids(name, "part"))
        for ticket in dict.fromkeys(totals.ids(name)):
            counted.setdefault(ticket, []).append(word + ("＋" if ticket in part else "－"))
    return counted


def _batch(batch: Mapping[str, Any], zone: str) -> tuple[str, ...]:
    counts = (figures.count(batch["rows"]), figures.count(batch["failed_rows"]))
    return (
        batch["id"],
        batch["department"],
        local_day(batch["received_at"], zone),
        STATE_WORDS[State(batch["state"])],
        *counts,
    )


def _left(rows: Iterable[Any], terms: Terms) -> str:
    left_out = len(list(rows)) - terms.listed
    return f"另有{left_out:,}条未列出，见同名 JSON 文件。" if left_out > 0 else ""


def _formulas(document: Document, terms: Terms) -> Iterator[Block]:
    yield Line("para", f"数据截止时间：{moment(document['cut_off'], document['timezone'])}。")
    for text in _basis(document, terms):
        yield Line("para", text)
    rows = [(measure.title, measure.formula, ORIGINS[measure.of]) for measure in terms.measures]
    yield grid(("指标", "计算公式", "来源"), rows, (8, 20, 6))


def _basis(document: Document, terms: Terms) -> Iterator[str]:
    sources, basis = document["sources"], document["basis"]
    versions = "、".join(
        f"{ORIGINS[name]} {sources[name]['table']} 第{figures.count(sources[name]['version'])}版"
        for name in ("verdicts", "rules")
    )
    yield f"数据来源：{versions}；{ORIGINS['ledger']} {sources['ledger']['table']}。"
    events = sources["events"]
    yield f"工单数字依据事件链第1至{events['seq']:,}条事件，链尾哈希 {events['hash']}。"
    years = basis["calendar"]["years"]
    loaded = "、".join(f"{year['year']}年（{year['source']}）" for year in basis["calendar"]["loaded"])
    yield (
        f"得分权重第{basis['weights']['version']}版，排名和口径第{terms.version}版，时限表第{basis['clocks_version']}版，工单状态机"
        f"第{basis['machine_version']}版；工作日历 {basis['calendar']['package']}"
        f"（{years[0]}—{years[-1]}年）{f'，另载入{loaded}' if loaded else ''}。重复发生按关闭后{basis['recurrence_days']}天计。"
    )
    sizes = "、".join(f"{c.name}不少于{c.least_rows:,}行" for c in terms.ranking.size_classes)
    yield f"规模分类按每月检查行数：{sizes}。权重、分类和下限均为项目默认值，国家和省没有统一规定。"
