"""A ticket's clock, as row and as value: started, paused, resumed and stopped with the ticket's state."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.collaboration.clock_table import Terms, Unit
from jobs.collaboration.clocks import Clock, Pause, Timekeeper
from jobs.collaboration.policies import Policies
from jobs.collaboration.ticket_tables import ClockRow, TicketRow
from jobs.errors import InvalidTransition, PolicyRefusal
from jobs.lake.database import utc
from jobs.model.ticket import ClockView


def update_clocks(session: Session, by: Policies, ticket: TicketRow, restart: bool, at: datetime) -> None:
    """Bring the ticket's clock in line with its state; with `restart`, a new clock replaces the old one."""
    target, row = by.state_machine.face(ticket.kind, ticket.state).clock, running_row(session, ticket.id)
    keeper = by.keeper
    if row is not None and restart:
        _write(row, keeper.stop(clock(row), at), keeper, at)
        row = None
    if row is None:
        if target == "running":
            new_row = ClockRow(ticket=ticket.id)
            _write(new_row, keeper.start(terms(by, ticket), at), keeper, at)
            session.add(new_row)
            session.flush()
        return
    change = {"running": keeper.resume, "paused": keeper.pause}.get(target, keeper.stop)
    _write(row, change(clock(row), at), keeper, at)


def extend(session: Session, by: Policies, ticket: TicketRow, days: int, at: datetime) -> None:
    """Extend the ticket's clock; PolicyRefusal where its policy does not allow it."""
    row = _extensible(session, ticket)
    _write(row, by.keeper.extend(clock(row), days), by.keeper, at)


def check_extension(session: Session, by: Policies, ticket: TicketRow, days: int, at: datetime) -> None:
    """PolicyRefusal where the ticket's clock cannot be extended by so many days, or is overdue."""
    row = _extensible(session, ticket)
    by.keeper.extend(clock(row), days)
    if by.keeper.is_overdue(clock(row), at):
        raise PolicyRefusal("时限已过，不能再申请延期；请尽快整改，或由质量专员处理")


def _extensible(session: Session, ticket: TicketRow) -> ClockRow:
    row = running_row(session, ticket.id)
    if row is None:
        raise InvalidTransition("工单没有正在计时的时限，无须延期")
    return row


def terms(by: Policies, ticket: TicketRow) -> Terms:
    """The terms that apply to the ticket; the contract's agreed days override the general length."""
    kind = by.state_machine.face(ticket.kind, ticket.state).terms or ticket.kind
    general = by.keeper.table.terms(kind, ticket.provider, case=ticket.clock_case)
    if ticket.agreed_days and not ticket.clock_case:
        return general.model_copy(update={"length": ticket.agreed_days, "unit": "working_days"})
    return general


def running_row(session: Session, ticket: str) -> ClockRow | None:
    """The ticket's clock that is not stopped."""
    return session.scalar(select(ClockRow).where(ClockRow.ticket == ticket, ClockRow.stopped_at.is_(None)))


def last_row(session: Session, ticket: str) -> ClockRow | None:
    """The ticket's newest clock."""
    return session.scalar(select(ClockRow).where(ClockRow.ticket == ticket).order_by(ClockRow.id.desc()).limit(1))


def clock(row: ClockRow) -> Clock:
    """The row as a value."""
    return Clock(
        policy=row.policy,
        version=row.version,
        unit=cast(Unit, row.unit),
        length=row.length,
        most_extension=row.most_extension,
        started_at=utc(row.started_at),
        extension=row.extension,
        pauses=tuple(Pause(_moment(a) or utc(row.started_at), _moment(b)) for a, b in row.pauses),
        stopped_at=utc(row.stopped_at) if row.stopped_at else None,
    )


def view(row: ClockRow, keeper: Timekeeper, now: datetime) -> ClockView:
    """The clock as of now."""
    value = clock(row)
    due, elapsed = keeper.due(value, now), keeper.elapsed(value, now)
    return ClockView(
        policy=value.policy,
        state=value.state(),
        started_at=value.started_at,
        due_at=due.at,
        is_provisional=due.is_provisional,
        is_overdue=keeper.is_overdue(value, now),
        net=elapsed.net,
        gross=elapsed.gross,
        unit=value.unit,
        length=value.length + value.extension,
    )


def recompute(row: ClockRow, keeper: Timekeeper, at: datetime) -> bool:
    """Whether recomputing the clock's end after a change of the calendar changed it."""
    before = utc(row.due_at)
    value = clock(row)
    due = keeper.due(value, (row.paused_at and utc(row.paused_at)) or at)
    row.due_at, row.is_provisional = due.at, due.is_provisional
    return due.at != before


def effects(session: Session, keeper: Timekeeper, ticket: str, at: datetime) -> dict[str, Any]:
    """The newest clock, for an event; empty where there is none."""
    row = last_row(session, ticket)
    if row is None:
        return {}
    current = view(row, keeper, at)
    return {
        "clock": row.id,
        "policy": current.policy,
        "clock_state": current.state,
        "started": current.started_at.isoformat(),
        "due": current.due_at.isoformat(),
        "net": current.net,
        "gross": current.gross,
        "unit": current.unit,
    }


def _write(row: ClockRow, value: Clock, keeper: Timekeeper, at: datetime) -> None:
    due = keeper.due(value, at)
    row.policy, row.version, row.unit = value.policy, value.version, value.unit
    row.length, row.most_extension, row.extension = value.length, value.most_extension, value.extension
    row.started_at, row.due_at, row.is_provisional = value.started_at, due.at, due.is_provisional
    row.pauses = [[p.since.isoformat(), p.until.isoformat() if p.until else None] for p in value.pauses]
    row.paused_at = value.pauses[-1].since if value.state() == "paused" else None
    row.stopped_at = value.stopped_at


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
