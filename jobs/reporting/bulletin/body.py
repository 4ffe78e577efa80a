"""The five parts of a bulletin's text, from its document alone."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobs.reporting import figures, labels
from jobs.reporting.bulletin.parts import Block, Grid, Line, grid
from jobs.reporting.bulletin.terms import Terms
from jobs.reporting.bulletin.values import Values, chinese_date, local_day
from jobs.reporting.delivery.recompute import Document

LOOP = ("mended", "mended_in_time", "first_pass", "recurred", "false_alarms", "corrections_in_time", "mean_days")
SHOWN_IDS = 6


def body(document: Document, terms: Terms) -> Iterator[Block]:
    """Parts one to five."""
    totals = Values(document["figures"], terms)
    earlier = document["period"]["earlier"]
    yield Line("h1", "一、总体情况")
    yield from _received(document, totals, earlier)
    yield from _quality(document, totals, earlier)
    yield from _corrected(totals, earlier)
    yield Line("h1", "二、部门排名")
    yield from _places(document, terms)
    yield Line("h1", "三、突出问题")
    yield from _cases(document)
    yield Line("h1", "四、超期和反复问题")
    yield from _late(document, terms)
    yield Line("h1", "五、下步要求")
    yield from _demands(document, terms)


def _received(document: Document, totals: Values, earlier: str) -> Iterator[Block]:
    senders = len({batch["provider"] for batch in document["batches"]})
    due, met = len(totals.ids("punctual")), len(totals.ids("punctual", "part"))
    yield Line("h2", "（一）数据汇聚")
    yield Line(
        "para",
        f"本期共收到{senders}个单位报送的数据{totals.shown('deliveries')}批（{_against(totals, 'deliveries', earlier)}），"
        f"检查{totals.shown('rows')}行。按约定应报{due:,}批，按时报送{met:,}批，汇聚及时率{totals.shown('punctual')}"
        f"（{_against(totals, 'punctual', earlier)}）；解析失败或整批拒收{totals.shown('sent_back')}批。",
    )


def _quality(document: Document, totals: Values, earlier: str) -> Iterator[Block]:
    yield Line("h2", "（二）数据质量")
    yield Line(
        "para",
        f"检查的数据中，未通过{totals.shown('failed_rows')}行，记录合格率{totals.shown('good_share')}"
        f"（{_against(totals, 'good_share', earlier)}），每万行问题{totals.shown('failed_per_10k')}行。"
        f"质量总分{totals.shown('score')}（{_against(totals, 'score', earlier)}），各维度得分如下，未检测的维度不计分。",
    )
    names = ["score", *(f"score.{name}" for name in document["basis"]["weights"]["dimensions"])]
    rows = [(totals.measure(n).title, totals.shown(n), totals.before(n), totals.change(n)) for n in names]
    yield grid(("维度", "本期", earlier, "变化"), rows, (3, 2, 2, 3), (1, 2, 3))


def _corrected(totals: Values, earlier: str) -> Iterator[Block]:
    stock = {name: totals.shown(name) for name in ("opening", "new", "closed", "closing")}
    yield Line("h2", "（三）问题整改")
    yield Line(
        "para",
        f"期初未办结问题{stock['opening']}件，本期新增{stock['new']}件，办结{stock['closed']}件，期末未办结{stock['closing']}件"
        f"（{stock['opening']}＋{stock['new']}－{stock['closed']}＝{stock['closing']}），其中超期{totals.shown('overdue')}件。"
        f"整改率{totals.shown('mended')}，按期整改率{totals.shown('mended_in_time')}"
        f"（{_against(totals, 'mended_in_time', earlier)}）。主要整改指标如下，没有可计对象的以“{figures.NONE}”表示。",
    )
    rows = [
        (totals.measure(n).title, _ratio(totals, n), totals.shown(n), totals.before(n), totals.change(n)) for n in LOOP
    ]
    yield grid(("指标", "件数", "本期", earlier, "变化"), rows, (6, 3, 3, 3, 5), (1, 2, 3, 4))


def _ratio(totals: Values, name: str) -> str:
    whole = len(totals.ids(name))
    return f"{len(totals.ids(name, 'part'))}／{whole}" if totals.measure(name).unit == "percent" else str(whole)


def _places(document: Document, terms: Terms) -> Iterator[Block]:
    by = terms.ranking
    names = "、".join(f"{terms.measure(name).title}{weight:g}" for name, weight in by.weights.items())
    yield Line(
        "para",
        f"按检查行数分类排名，综合得分按{names}的权重计算，无法计算的项不计；得分相同的名次并列。检查不足{by.least_rows:,}行"
        f"或报送不足{by.least_deliveries:,}批的不参加排名。申诉成立的问题不计入得分。",
    )
    ranked = [d for d in document["departments"] if d["place"] is not None]
    for size in by.size_classes:
        in_class = [d for d in ranked if d["size_class"] == size.name]
        if in_class:
            yield Line("caption", f"{size.name}报送单位")
            yield _ranking(in_class, terms)
    yield from _unranked(document)


def _unranked(document: Document) -> Iterator[Block]:
    unranked = [f"{d['department']}（{d['note']}）" for d in document["departments"] if d["place"] is None]
    if unranked:
        yield Line("para", f"未参加排名的单位：{'、'.join(unranked)}。")


def _ranking(departments: Sequence[Mapping[str, Any]], terms: Terms) -> Grid:
    rows = []
    for department in departments:
        own = Values(department["figures"], terms)
        parts = (own.shown("score"), own.shown("punctual"), own.shown("mended_in_time"))
        rows.append(
            (
                str(department["place"]),
                department["department"],
                figures.score(department["index"]),
                *parts,
                _rise(department["change"]),
            )
        )
    head = ("名次", "单位", "综合得分", "质量总分", "及时率", "按期整改率", "名次变化")
    return grid(head, rows, (4, 13, 6, 6, 6, 7, 6), (2, 3, 4, 5))


def _rise(change: int | None) -> str:
    if change is None:
        return figures.NONE
    return "持平" if not change else f"{'升' if change > 0 else '降'}{abs(change)}"


def _cases(document: Document) -> Iterator[Block]:
    tickets = {ticket["id"]: ticket for ticket in document["tickets"]}
    if not document["cases"]:
        yield Line("para", "本期末没有未办结的质检问题。")
    for place, case in enumerate(document["cases"], 1):
        ticket = tickets[case["ticket"]]
        severity = labels.SEVERITIES.get(ticket["severity"], ticket["severity"])
        sample = f"例如：{case['sample']}。" if case["sample"] else ""
        yield Line(
            "para",
            f"{place}．{ticket['department']}“{ticket['title']}”：{ticket['message']}。涉及{ticket['failed_rows']:,}行，"
            f"未改正{ticket['remaining_rows']:,}行；{ticket['dimension']}，{severity}级；"
            f"工单{ticket['id']}，{ticket['label']}。{sample}",
        )
    if document["cases"]:
        yield Line("note", "案例中的个人信息已作脱敏处理。")


def _late(document: Document, terms: Terms) -> Iterator[Block]:
    zone = document["timezone"]
    for flag, title, none in (
        ("is_overdue", "超期未办结的问题", "截至数据截止时间，没有超期未办结的问题。"),
        ("recurred", "关闭后本期再次发生的问题", "本期没有关闭后再次发生的问题。"),
    ):
        late_tickets = sorted(
            (ticket for ticket in document["tickets"] if ticket[flag]),
            key=lambda ticket: (ticket["due_at"] or "", ticket["id"]),
        )
        if not late_tickets:
            yield Line("para", none)
            continue
        yield Line("para", f"{title}{len(late_tickets):,}件：{_by_department(late_tickets)}。")
        left_out = len(late_tickets) - terms.told
        yield Line(
            "caption", title + (f"（到期最早的{terms.told}件，另有{left_out:,}件见附件2）" if left_out > 0 else "")
        )
        rows = [
            (
                ticket["id"],
                ticket["department"],
                f"{ticket['title']}：{ticket['message']}",
                local_day(ticket["due_at"], zone),
            )
            for ticket in late_tickets[: terms.told]
        ]
        yield grid(("工单", "单位", "问题", "到期日"), rows, (5, 8, 13, 6))


def _by_department(tickets: Sequence[Mapping[str, Any]]) -> str:
    """Departments with their numbers, largest first."""
    counts = Counter(ticket["department"] for ticket in tickets)
    return "、".join(f"{name}{count:,}件" for name, count in sorted(counts.items(), key=lambda i: (-i[1], i[0])))


def _demands(document: Document, terms: Terms) -> Iterator[Block]:
    if document["demands"]:
        rows = [
            (
                str(place),
                f"{demand['what']}{_ids(demand['tickets'], demand['who'])}",
                demand["who"],
                chinese_date(demand["due_on"]),
            )
            for place, demand in enumerate(document["demands"], 1)
        ]
        yield grid(("序号", "事项", "责任单位", "时限"), rows, (3, 15, 8, 8))
    yield Line("para", f"数据由数源部门在源头改正后重新报送，系统自动复核。{terms.contact}")


def _ids(tickets: Sequence[str], who: str) -> str:
    if not tickets or who.startswith("各"):
        return ""
    more = "等" if len(tickets) > SHOWN_IDS else ""
    return f"（{'、'.join(tickets[:SHOWN_IDS])}{more}）"


def _against(totals: Values, name: str, earlier: str) -> str:
    change = totals.change(name)
    if change == figures.NONE:
        return f"{earlier}无可比数据"
    unit = "批" if name == "deliveries" and change != "持平" else ""
    return f"与{earlier}{change}" if change == "持平" else f"较{earlier}{change}{unit}"
