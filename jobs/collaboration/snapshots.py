"""Metrics as of a cut-off for publication: in total and by department, from the event chain up to one event.

Irrelevant events are not read: a ticket that closed before the earlier period, with no clock due in it, counts in neither
period. So the work does not grow with the history.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import Session

from jobs.collaboration.audit_log import START
from jobs.collaboration.history import TicketHistory, histories
from jobs.collaboration.metrics import LoopMetrics, metrics_of
from jobs.collaboration.policies import Policies
from jobs.collaboration.ticket_events import EVENT_COLUMNS, event_of
from jobs.collaboration.ticket_tables import CalendarYearRow, ChainRow, ClockRow, EventRow, TicketRow
from jobs.collaboration.working_days import PACKAGE
from jobs.errors import UserError
from jobs.lake.database import utc
from jobs.model.ticket import Event, TicketSummary

SUMMARY_COLUMNS = (
    *(TicketRow.id, TicketRow.kind, TicketRow.dataset, TicketRow.rule, TicketRow.field),
    *(TicketRow.severity, TicketRow.dimension, TicketRow.message),
)
LEAST = timedelta(microseconds=1)
"""Metrics are of (since, until], periods of bulletins of [since, until); moments are whole microseconds."""


@dataclass(frozen=True)
class Cutoff:
    """Two periods that follow each other, [before, since) and [since, until), and the last event that counts.

    `before` = `since`: no earlier period. `seq` None: the current end of the chain. Moments are UTC. `recurrence_days` None: as in the clock table.
    """

    before: datetime
    since: datetime
    until: datetime
    seq: int | None = None
    recurrence_days: int | None = None


@dataclass(frozen=True)
class Loop:
    """Numbers of both periods by department, "" for all of them; every ticket that they count; the end of the chain."""

    seq: int
    hash: str
    machine_version: int
    clocks_version: int
    recurrence_days: int
    calendar: Mapping[str, Any]
    now: Mapping[str, LoopMetrics]
    before: Mapping[str, LoopMetrics]
    summaries: Mapping[str, TicketSummary]


def loop(session: Session, by: Policies, cut: Cutoff) -> Loop:
    """Metrics of the period and the one before it, each as of its end."""
    seq, end = _end(session, cut.seq)
    days = cut.recurrence_days or by.keeper.table.recurrence_days
    events = _events(session, by, cut, seq)
    lives = list(histories(events, by.state_machine, cut.until - LEAST).values())
    earlier_lives = (
        list(histories(events, by.state_machine, cut.since - LEAST).values()) if cut.before < cut.since else []
    )
    return Loop(
        seq=seq,
        hash=end,
        machine_version=by.state_machine.version,
        clocks_version=by.keeper.table.version,
        recurrence_days=days,
        calendar=_calendar(session, by),
        now=_by_department(lives, by, (cut.since, cut.until), days),
        before=_by_department(earlier_lives, by, (cut.before, cut.since), days),
        summaries=_summaries(session, by, lives, cut),
    )


def _end(session: Session, seq: int | None) -> tuple[int, str]:
    """The event that the snapshot ends with, and its hash."""
    if seq is None:
        end = session.scalars(select(ChainRow)).one()
        return end.seq, end.hash
    if seq == 0:
        return 0, START
    event_hash = session.scalar(select(EventRow.hash).where(EventRow.seq == seq))
    if event_hash is None:
        raise UserError(f"事件链中没有第 {seq} 条事件；通报所引用的记录不在这个数据库中，或已被删除")
    return seq, event_hash


def _events(session: Session, by: Policies, cut: Cutoff, seq: int) -> list[Event]:
    """Events of tickets that are open, or moved or came due since the earlier period began."""
    open_now = select(TicketRow.id).where(TicketRow.state.in_(by.state_machine.open_states()))
    moved = select(EventRow.ticket).where(EventRow.at >= utc(cut.before))
    due = select(ClockRow.ticket).where(ClockRow.due_at >= utc(cut.before))
    relevant = or_(*(EventRow.ticket.in_(ids) for ids in (open_now, moved, due)))
    query = select(*EVENT_COLUMNS).where(relevant, EventRow.at < utc(cut.until), EventRow.seq <= seq)
    return [event_of(row) for row in session.execute(query.order_by(EventRow.seq)).yield_per(5000)]


def _by_department(
    lives: Sequence[TicketHistory], by: Policies, span: tuple[datetime, datetime], days: int
) -> dict[str, LoopMetrics]:
    grouped: dict[str, list[TicketHistory]] = {"": list(lives)}
    for life in lives:
        grouped.setdefault(life.provider, []).append(life)
    since, until = (moment - LEAST for moment in span)
    return {
        name: metrics_of(department_lives, by.state_machine, since, until, days)
        for name, department_lives in sorted(grouped.items())
    }


def _summaries(session: Session, by: Policies, lives: Iterable[TicketHistory], cut: Cutoff) -> dict[str, TicketSummary]:
    by_ticket = {life.ticket: life for life in lives}
    rows: dict[str, Row[Any]] = {}
    ids = sorted(by_ticket)
    for start in range(0, len(ids), 500):
        chosen = select(*SUMMARY_COLUMNS).where(TicketRow.id.in_(ids[start : start + 500]))
        rows |= {row.id: row for row in session.execute(chosen)}
    return {name: _summary(by, by_ticket[name], rows[name], cut) for name in ids}


def _summary(by: Policies, life: TicketHistory, row: Row[Any], cut: Cutoff) -> TicketSummary:
    clock, is_found = life.clock(), row.kind in by.state_machine.machine_found
    return TicketSummary(
        id=row.id,
        is_found=is_found,
        provider=life.provider,
        dataset=row.dataset,
        rule=row.rule,
        field=row.field if is_found else "",
        severity=row.severity,
        dimension=row.dimension,
        message=row.message if is_found else by.state_machine.kinds[row.kind],
        label=by.state_machine.label(row.kind, life.state),
        deliveries=tuple(life.deliveries),
        failed_rows=life.failed_rows,
        remaining_rows=life.remaining_rows,
        due_at=clock.due if clock else None,
        is_open=life.is_open(cut.until - LEAST),
        is_overdue=life.is_overdue(cut.until),
        recurred=any(cut.since <= at < cut.until for at in life.recurred_at),
        upheld=bool(life.upheld),
    )


def _calendar(session: Session, by: Policies) -> dict[str, Any]:
    """The versions of the calendar that due days are counted by."""
    rows = session.scalars(select(CalendarYearRow).order_by(CalendarYearRow.year))
    loaded = [{"year": r.year, "source": r.source, "loaded_at": utc(r.loaded_at).isoformat()} for r in rows]
    return {"package": f"{PACKAGE} {version(PACKAGE)}", "years": sorted(by.keeper.days.years), "loaded": loaded}
