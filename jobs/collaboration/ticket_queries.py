"""Tickets and events read for an actor; what an actor may not see is not in the answer, whatever is asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from jobs.collaboration.actors import Actor
from jobs.collaboration.policies import Policies
from jobs.collaboration.ticket import Event, Ticket
from jobs.collaboration.ticket_clocks import last_row, view
from jobs.collaboration.ticket_tables import ClockRow, EventRow, TicketRow
from jobs.lake.database import utc

MOST = 500
COPIED = (
    "id", "kind", "state", "version", "dataset", "provider", "requester", "rule", "rule_version", "field",
    "error_class", "severity", "dimension", "message", "remedy", "basis", "failed_rows", "remaining_rows", "reopened",
    "recurred", "follows",
)  # fmt: skip
SEARCHED = (
    TicketRow.id,
    TicketRow.dataset,
    TicketRow.rule,
    TicketRow.field,
    TicketRow.message,
    TicketRow.provider,
)


@dataclass(frozen=True)
class Wanted:
    """What is asked for; what is empty does not matter. Pages count from 1."""

    states: Sequence[str] = ()
    kind: str = ""
    provider: str = ""
    dataset: str = ""
    text: str = ""
    is_open: bool = False
    is_overdue: bool = False
    page: int = 1
    size: int = 50


@dataclass(frozen=True)
class Page:
    """One page, and how many tickets there are in all."""

    tickets: tuple[Ticket, ...]
    total: int
    page: int
    size: int


def find_tickets(session: Session, by: Policies, actor: Actor, wanted: Wanted, at: datetime) -> Page:
    """A page of what is asked for, newest first."""
    where = and_(*_conditions(by, actor, wanted, at))
    page, size = max(1, wanted.page), max(1, min(wanted.size, MOST))
    total = session.scalar(select(func.count()).select_from(TicketRow).where(where)) or 0
    rows = session.scalars(
        select(TicketRow).where(where).order_by(TicketRow.seq.desc()).limit(size).offset((page - 1) * size)
    ).all()
    return Page(tuple(ticket_of(session, by, row, actor, at) for row in rows), total, page, size)


def _conditions(by: Policies, actor: Actor, wanted: Wanted, at: datetime) -> list[ColumnElement[bool]]:
    found = [actor.visible()]
    for column, value in (
        (TicketRow.kind, wanted.kind),
        (TicketRow.provider, wanted.provider),
        (TicketRow.dataset, wanted.dataset),
    ):
        if value:
            found.append(column == value)
    if wanted.states:
        found.append(TicketRow.state.in_(wanted.states))
    if wanted.is_open:
        found.append(TicketRow.state.in_(by.machine.open_states()))
    if wanted.text:
        found.append(or_(*(column.icontains(wanted.text, autoescape=True) for column in SEARCHED)))
    if wanted.is_overdue:
        found.append(TicketRow.id.in_(overdue(at)))
    return found


def overdue(at: datetime) -> ColumnElement[str]:
    """Ids of the tickets whose clock ran out before now, or before it was paused."""
    late = or_(
        and_(ClockRow.paused_at.is_(None), ClockRow.due_at < at),
        and_(ClockRow.paused_at.is_not(None), ClockRow.due_at < ClockRow.paused_at),
    )
    return select(ClockRow.ticket).where(ClockRow.stopped_at.is_(None), late)  # type: ignore[return-value]


def find_events(session: Session, ticket: str) -> tuple[Event, ...]:
    """What happened to a ticket, oldest first."""
    rows = session.scalars(select(EventRow).where(EventRow.ticket == ticket).order_by(EventRow.seq))
    return tuple(event_of(row) for row in rows)


def events_until(session: Session, actor: Actor, until: datetime) -> Iterator[Event]:
    """Events up to a moment, of all tickets that the actor may see, in their order."""
    mine = select(TicketRow.id).where(actor.visible())
    rows = session.scalars(
        select(EventRow).where(EventRow.at <= until, EventRow.ticket.in_(mine)).order_by(EventRow.seq)
    )
    for row in rows.yield_per(1000):
        yield event_of(row)


def ticket_of(session: Session, by: Policies, row: TicketRow, actor: Actor, at: datetime) -> Ticket:
    """The row as the actor may see it."""
    clock = last_row(session, row.id)
    return Ticket(
        **{name: getattr(row, name) for name in COPIED},
        label=by.machine.label(row.kind, row.state),
        record=row.record if actor.may_see_record(row) else "",
        opened_at=utc(row.opened_at),
        closed_at=utc(row.closed_at) if row.closed_at else None,
        clock=view(clock, by.keeper, at) if clock else None,
    )


def event_of(row: EventRow) -> Event:
    """The row as a value."""
    return Event(
        row.seq,
        row.ticket,
        utc(row.at),
        row.event,
        row.source,
        row.target,
        row.role,
        row.department,
        row.name,
        row.facts,
        row.effects,
    )
