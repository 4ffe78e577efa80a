"""Scores of each dataset of a department over its last deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.contracts import Contract
from jobs.reporting import figures
from jobs.reporting.charts import Chart, chart, score_scale
from jobs.reporting.entries import Entry

SHOWN = 12


@dataclass(frozen=True)
class Trend:
    """A dataset's chart with the same numbers as text."""

    title: str
    chart: Chart
    change: str


def dataset_trends(own_entries: Sequence[Entry], contracts: Sequence[Contract], zone: str) -> list[Trend]:
    """One trend per dataset with at least two evaluated deliveries."""
    trends = []
    for contract in contracts:
        evaluated = [e for e in own_entries if e.delivery.dataset == contract.id and e.verdict][-SHOWN:]
        if len(evaluated) < 2:
            continue
        totals = [e.scores.total for e in evaluated]
        days = [figures.day_and_time(e.delivery.received_at, zone) for e in evaluated]
        marks = [(d, t, figures.score(t)) for d, t in zip(days, totals, strict=True)]
        scale = score_scale(totals)
        drawn = chart(f"{contract.title} · 总分（纵轴 {scale.bottom:g} 至 100）", marks, scale)
        trends.append(Trend(contract.title, drawn, _change(totals)))
    return trends


def _change(totals: Sequence[float | None]) -> str:
    now, before = totals[-1], totals[-2]
    if now is None or before is None:
        return f"最近一批 {figures.score(now)}，上一批 {figures.score(before)}。"
    word = "持平" if abs(now - before) < 0.005 else f"{'上升' if now > before else '下降'} {abs(now - before):.2f}"
    return f"最近一批 {figures.score(now)}，上一批 {figures.score(before)}，{word}。"
