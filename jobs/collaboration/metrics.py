"""Metrics of rectification in a period, as of a cut-off time, from events alone; each number with the tickets behind it.

Formulas of 整改率 and the like are the project's own; no national or provincial one is published. A ratio without a
denominator is None, never 100 %. Paused tickets, and issues that a dispute excused, count against nobody.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.collaboration.history import ClockRun, TicketHistory, histories
from jobs.collaboration.state_machine import StateMachine
from jobs.model.ticket import Event

FAULTS_OF_RULES = ("rule_false_positive", "source_right")
EXCUSED = "withdrawn"


@dataclass(frozen=True)
class Share:
    """`value` is part ÷ whole, by tickets; None where the whole is empty."""

    name: str
    title: str
    value: float | None
    part: tuple[str, ...]
    whole: tuple[str, ...]


@dataclass(frozen=True)
class Durations:
    """Working days from dispatch to closing by proof, pauses counted (gross) and left out (net); None where none closed."""

    mean: float | None
    median: float | None
    p90: float | None
    net_mean: float | None
    tickets: tuple[str, ...]


@dataclass(frozen=True)
class Stock:
    """Open tickets: opening + new − closed = closing. A ticket that reopens is new again, so an id may stand twice."""

    opening: tuple[str, ...]
    new: tuple[str, ...]
    closed: tuple[str, ...]
    closing: tuple[str, ...]

    def is_reconciled(self) -> bool:
        """Whether the numbers add up."""
        return len(self.opening) + len(self.new) - len(self.closed) == len(self.closing)


@dataclass(frozen=True)
class LoopMetrics:
    """All numbers of a period (since, until]."""

    since: datetime
    until: datetime
    shares: tuple[Share, ...]
    durations: Durations
    stock: Stock

    def share(self, name: str) -> Share:
        """The share with that name; KeyError where there is none."""
        return {share.name: share for share in self.shares}[name]


@dataclass(frozen=True)
class Span:
    since: datetime
    until: datetime

    def has(self, at: datetime | None) -> bool:
        return at is not None and self.since < at <= self.until


def loop_metrics(
    events: Iterable[Event],
    state_machine: StateMachine,
    span: Span,
    recurrence_days: int,
    provider: str = "",
) -> LoopMetrics:
    """The numbers of a period, of all departments or of the one now responsible for the tickets."""
    lives = [life for life in histories(events, state_machine, span.until).values() if provider in ("", life.provider)]
    return metrics_of(lives, state_machine, span.since, span.until, recurrence_days)


def metrics_of(
    lives: Sequence[TicketHistory], state_machine: StateMachine, since: datetime, until: datetime, recurrence_days: int
) -> LoopMetrics:
    """The numbers of a period, from ticket histories up to its end."""
    issues = [life for life in lives if life.kind in state_machine.machine_found]
    period = Span(since, until)
    shares = (
        *_rectification(issues, period),
        *_closing(issues, period, timedelta(days=recurrence_days)),
        _corrections([life for life in lives if life.kind == "correction"], period),
        _false_alarms(issues, period),
    )
    return LoopMetrics(since, until, shares, _durations(_closed(issues, period)), _stock(issues, period))


def _cycles(lives: Sequence[TicketHistory], holds: Callable[[ClockRun], bool]) -> list[ClockRun]:
    return [cycle for life in lives for cycle in life.cycles.values() if holds(cycle)]


def _closed(issues: Sequence[TicketHistory], period: Span) -> list[ClockRun]:
    return _cycles(issues, lambda c: period.has(c.closed_at))


def _rectification(issues: Sequence[TicketHistory], period: Span) -> tuple[Share, Share]:
    unexcused = [life for life in issues if life.state != EXCUSED]
    due = _due(unexcused, period)
    either = list({(c.ticket, c.clock): c for c in (*due, *_closed(unexcused, period))}.values())
    corrected = [cycle for cycle in either if cycle.closed_at]
    in_time = [cycle for cycle in due if cycle.closed_at and cycle.is_in_time()]
    return (
        _share("mended", "整改率", _tickets(corrected), _tickets(either)),
        _share("mended_in_time", "按期整改率", _tickets(in_time), _tickets(due)),
    )


def _due(lives: Sequence[TicketHistory], period: Span) -> list[ClockRun]:
    return _cycles(lives, lambda cycle: cycle.counts() and period.has(cycle.due))


def _tickets(cycles: Iterable[ClockRun]) -> list[str]:
    return [cycle.ticket for cycle in cycles]


def _closing(issues: Sequence[TicketHistory], period: Span, window: timedelta) -> tuple[Share, Share]:
    closed = _closed(issues, period)
    by_id = {life.ticket: life for life in issues}
    recurring = [
        c.ticket
        for c in closed
        if c.closed_at and any(c.closed_at < at <= c.closed_at + window for at in by_id[c.ticket].recurred_at)
    ]
    first = [c.ticket for c in closed if c.reopened == 0]
    total = [c.ticket for c in closed]
    return (
        _share("first_pass", "一次复核通过率", first, total),
        _share("recurred", "重复发生率", recurring, total),
    )


def _corrections(requests: Sequence[TicketHistory], period: Span) -> Share:
    due = _due(requests, period)
    return _share(
        "corrections_in_time", "校核按期率", [c.ticket for c in due if c.is_in_time()], [c.ticket for c in due]
    )


def _false_alarms(issues: Sequence[TicketHistory], period: Span) -> Share:
    """Tickets with an upheld dispute because the rule was wrong or the value right; a wrong addressee is no false alarm."""
    sent = [life for life in issues if period.has(life.dispatched_at)]
    wrong = [life.ticket for life in sent if any(ground in FAULTS_OF_RULES for ground in life.upheld)]
    return _share("false_alarms", "误报率", wrong, [life.ticket for life in sent])


def _durations(closed: Sequence[ClockRun]) -> Durations:
    timed = [c for c in closed if c.unit == "working_days"]
    gross, net = sorted(c.gross for c in timed), [c.net for c in timed]
    if not gross:
        return Durations(None, None, None, None, ())
    p90 = gross[math.ceil(0.9 * len(gross)) - 1]
    tickets = tuple(c.ticket for c in timed)
    return Durations(statistics.mean(gross), statistics.median(gross), p90, statistics.mean(net), tickets)


def _stock(issues: Sequence[TicketHistory], period: Span) -> Stock:
    return Stock(
        opening=_open_at(issues, period.since),
        new=_turned(issues, period, to_open=True),
        closed=_turned(issues, period, to_open=False),
        closing=_open_at(issues, period.until),
    )


def _open_at(issues: Sequence[TicketHistory], moment: datetime) -> tuple[str, ...]:
    return tuple(life.ticket for life in issues if life.is_open(moment))


def _turned(issues: Sequence[TicketHistory], period: Span, to_open: bool) -> tuple[str, ...]:
    """Tickets that opened or closed in the period, each as often as it did."""
    turns = [(life.ticket, is_open) for life in issues for at, is_open in life.turns if period.has(at)]
    return tuple(ticket for ticket, is_open in turns if is_open == to_open)


def _share(name: str, title: str, part: Sequence[str], whole: Sequence[str]) -> Share:
    return Share(name, title, len(part) / len(whole) if whole else None, tuple(part), tuple(whole))
