"""All reports → the index page, and a page for each department."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from jobs.contracts import Contract, Registry
from jobs.lake.lake import Lake
from jobs.model.delivery import STATE_WORDS, State
from jobs.reporting import figures, labels, report_store
from jobs.reporting.delivery.advice import period
from jobs.reporting.entries import Entry, Punctuality, answers, ended_entries, entries, punctuality, regular_entries
from jobs.reporting.pages import Badge, Cell, Link, Links, Table, render, table
from jobs.reporting.trends import dataset_trends

LISTED = 2000
FIRST_TO_FIX = 10
HEAD = ("部门", "数据集", "批次", "收到时间", "状态", "总分", "检查行数", "未通过", "警告", "报告")


def write_index(lake: Lake, registry: Registry, now: datetime) -> str:
    """Write the index and the departments' pages; the index's key. Each results table is read once."""
    all_entries = entries(lake, registry)
    regular, answers_to_tickets = regular_entries(all_entries), answers(all_entries)
    zone = lake.settings.timezone
    contracts = registry.sources()
    providers = sorted({c.provider for c in contracts} | {e.delivery.provider for e in regular})
    report_store.put(
        lake,
        report_store.INDEX,
        index_page(regular, contracts, now, zone, answers_to_tickets).encode(),
        report_store.HTML,
    )
    for provider in providers:
        own_entries = [e for e in all_entries if e.delivery.provider == provider]
        page = provider_page(provider, own_entries, [c for c in contracts if c.provider == provider], now, zone)
        report_store.put(lake, report_store.provider_key(provider), page.encode(), report_store.HTML)
    return report_store.INDEX


def index_page(
    deliveries: Sequence[Entry],
    contracts: Sequence[Contract],
    now: datetime,
    zone: str,
    answers_to_tickets: Sequence[Entry] = (),
) -> str:
    """The page over all departments, newest deliveries first; answers to tickets in a separate list."""
    listed = list(reversed(deliveries))[:LISTED]
    return render(
        "index.html",
        title="数据质量报告总览",
        departments=_departments(deliveries, contracts, now),
        rows=[(_row(e, zone, ""), bool(e.delivery.superseded_by)) for e in listed],
        head=HEAD,
        numeric=(5, 6, 7, 8),
        left_out=len(deliveries) - len(listed),
        answers=_answers(answers_to_tickets, zone, ""),
        department_names=sorted({e.department for e in listed}),
        dataset_names=sorted({e.title for e in listed}),
        state_names=[word for state, word in STATE_WORDS.items() if any(e.state() is state for e in listed)],
        made_at=figures.moment(now, zone),
    )


def provider_page(
    provider: str, own_entries: Sequence[Entry], contracts: Sequence[Contract], now: datetime, zone: str
) -> str:
    """One department's page: its datasets, what to fix first, what is late, trends, and answers to tickets."""
    deliveries = regular_entries(own_entries)
    times = [punctuality(c, _of(deliveries, c.id), now) for c in contracts]
    name = next((c.department for c in contracts), deliveries[0].department if deliveries else provider)
    prefix = "../"
    latest = list(reversed(deliveries))[:LISTED]
    return render(
        "provider.html",
        title=f"{name} 数据质量",
        name=name,
        datasets=_datasets(times, zone, prefix),
        to_fix=_to_fix(deliveries, prefix),
        late=[_late(t, now, zone) for t in times if t.is_late],
        never=[t.contract.title for t in times if t.last is None],
        trends=dataset_trends(deliveries, contracts, zone),
        deliveries=table("全部批次", HEAD[1:], [_row(e, zone, prefix)[1:] for e in latest], (4, 5, 6, 7)),
        answers=_answers(answers(own_entries), zone, prefix),
        made_at=figures.moment(now, zone),
    )


def _answers(answers_to_tickets: Sequence[Entry], zone: str, prefix: str) -> Table:
    """Answers to tickets, newest first: evaluated like deliveries, but not counted as such."""
    rows: list[tuple[Cell, ...]] = []
    for entry in list(reversed(answers_to_tickets))[:LISTED]:
        verdict = entry.read()
        rows.append(
            (
                entry.title,
                "、".join(entry.delivery.answers),
                entry.delivery.id,
                figures.moment(entry.delivery.received_at, zone)[:16],
                badge(entry.state()),
                figures.count(verdict.rows if verdict else None),
                figures.count(verdict.failed_rows if verdict else None),
                _links(entry, prefix),
            )
        )
    head = ("数据集", "回应的工单", "批次", "收到时间", "状态", "检查行数", "未通过", "报告")
    return table("不计入报送批次、得分和报送时间", head, rows, (5, 6))


def badge(state: State) -> Badge:
    """A state as a badge."""
    return Badge(STATE_WORDS[state], labels.MARKS[state], labels.TONES[state])


def _of(deliveries: Iterable[Entry], dataset: str) -> list[Entry]:
    return [e for e in deliveries if e.delivery.dataset == dataset]


def _row(entry: Entry, zone: str, prefix: str) -> tuple[Cell, ...]:
    delivery, verdict = entry.delivery, entry.read()
    name = delivery.id + ("（已被取代）" if delivery.superseded_by else "")
    return (
        Link(entry.department, f"{prefix}{delivery.provider}/index.html"),
        entry.title,
        name,
        figures.moment(delivery.received_at, zone)[:16],
        badge(entry.state()),
        figures.score(entry.scores.total),
        figures.count(verdict.rows if verdict else None),
        figures.count(verdict.failed_rows if verdict else None),
        figures.count(verdict.warned_rows if verdict else None),
        _links(entry, prefix),
    )


def _links(entry: Entry, prefix: str) -> Cell:
    if not entry.has_report:
        return figures.NONE
    delivery = entry.delivery
    base = f"{prefix}{delivery.provider}/{delivery.dataset}/{delivery.id}"
    return Links((Link("查看", f"{base}.html"), Link("Excel", f"{base}.xlsx")))


def _departments(deliveries: Sequence[Entry], contracts: Sequence[Contract], now: datetime) -> Table:
    names = {c.provider: c.department for c in contracts}
    for entry in deliveries:
        names.setdefault(entry.delivery.provider, entry.department)
    by_provider: dict[str, list[Entry]] = {provider: [] for provider in names}
    for entry in deliveries:
        by_provider[entry.delivery.provider].append(entry)
    rows: list[tuple[Cell, ...]] = []
    for provider, own_entries in sorted(by_provider.items()):
        own_contracts = [c for c in contracts if c.provider == provider]
        link = Link(names[provider] or provider, f"{provider}/index.html")
        rows.append((link, *_numbers(own_contracts, own_entries, now)))
    head = ("部门", "数据集", "批次", "最近一批待整改", "报送逾期", "最近一批平均总分")
    return table("各部门情况", head, rows, range(1, 6))


def _numbers(contracts: Sequence[Contract], own_entries: Sequence[Entry], now: datetime) -> tuple[str, ...]:
    """A department's datasets, deliveries, open and late ones, and the mean score of its newest."""
    totals = [e.scores.total for e in _latest(own_entries) if e.scores.total is not None]
    mean = sum(totals) / len(totals) if totals else None
    late = sum(punctuality(c, _of(own_entries, c.id), now).is_late for c in contracts)
    counts = (len(contracts), len(own_entries), sum(e.is_open() for e in _latest(own_entries)), late)
    return (*map(figures.count, counts), figures.score(mean))


def _latest(mine: Iterable[Entry]) -> list[Entry]:
    """The last delivery of each dataset that has ended: of a stream there is always an hour that is not over yet."""
    return list({e.delivery.dataset: e for e in ended_entries(list(mine))}.values())


def _datasets(times: Sequence[Punctuality], zone: str, prefix: str) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for time in times:
        entry, sla = time.last, time.contract.sla
        agreed = f"每 {period(sla['frequency'])}" if "frequency" in sla else "未约定"
        due = "已逾期" if time.is_late else figures.moment(time.due_at, zone)[:16]
        if entry is None:
            rows.append(
                (time.contract.title, agreed, "尚未报送", figures.NONE, figures.NONE, figures.NONE, due, figures.NONE)
            )
            continue
        verdict = entry.read()
        rows.append(
            (
                time.contract.title,
                agreed,
                badge(entry.state()),
                figures.moment(entry.delivery.received_at, zone)[:16],
                figures.score(entry.scores.total),
                figures.count(verdict.failed_rows if verdict else None),
                due,
                _links(entry, prefix),
            )
        )
    head = ("数据集", "约定周期", "最近一批", "收到时间", "总分", "未通过行", "下一批最迟", "报告")
    return table("数据集与最近一批结果", head, rows, (4, 5))


def _to_fix(mine: Sequence[Entry], prefix: str) -> Table:
    waiting = [
        (labels.SEVERITY_ORDER.get(rule.severity, 9), -rule.unexpected_count, entry, rule)
        for entry in _latest(mine)
        if not entry.delivery.superseded_by
        for rule in entry.rules
        if rule.severity != "info" and (not rule.success or rule.unexpected_count)
    ]
    waiting.sort(key=lambda item: (item[0], item[1], item[2].delivery.id, item[3].rule))
    rows: list[tuple[Cell, ...]] = []
    for _, _, entry, rule in waiting[:FIRST_TO_FIX]:
        failed_rows = figures.count(rule.unexpected_count) if rule.element_count else "整表"
        severity = labels.SEVERITIES.get(rule.severity, rule.severity)
        rows.append(
            (str(len(rows) + 1), entry.title, rule.message, severity, failed_rows, rule.remedy, _links(entry, prefix))
        )
    head = ("序号", "数据集", "问题", "严重级", "数量", "怎样改", "报告")
    return table("各数据集最近一批中，先改严重的和数量多的", head, rows, (4,))


def _late(time: Punctuality, now: datetime, zone: str) -> str:
    if time.due_at is None:
        return time.contract.title
    hours = (now - time.due_at).total_seconds() / 3600
    over = f"{hours / 24:,.1f} 天" if hours >= 48 else f"{hours:,.1f} 小时"
    return f"{time.contract.title}：最迟应于 {figures.moment(time.due_at, zone)[:16]} 报送，已逾期 {over}"
