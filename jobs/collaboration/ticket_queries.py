"""Tickets and events for an actor; results never include what the actor may not see."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select, true
from sqlalchemy.orm import Session

from jobs.access.personal_numbers import masked_lines
from jobs.access.roles import acts_for_department
from jobs.collaboration.policies import Policies
from jobs.collaboration.state_machine import CLOSED, StateMachine, Waiting
from jobs.collaboration.ticket_clocks import last_row, view
from jobs.collaboration.ticket_tables import ClockRow, EventRow, EvidenceRow, TicketRow
from jobs.collaboration.visibility import counted_for, owner_of, read_in_full, reads_in_full, visible
from jobs.lake.database import utc
from jobs.model.actor import Actor
from jobs.model.ticket import OpenRows, Ticket, TicketDelivery

MOST = 500
SEVERITY_ORDER = {"critical": 0, "warning": 1, "info": 2}
COPIED = (
    "id", "kind", "state", "version", "dataset", "provider", "requester", "rule", "rule_version",
    "error_class", "severity", "dimension", "remedy", "basis", "failed_rows", "remaining_rows", "reopened",
    "recurred", "follows",
)  # fmt: skip
SEARCHED = (TicketRow.id, TicketRow.dataset, TicketRow.rule, TicketRow.provider)
WRITTEN = (TicketRow.field, TicketRow.message)
"""Written by people in a request; taken from the rules in issues."""


@dataclass(frozen=True)
class TicketQuery:
    """Conditions of a query; an empty one matches everything. Pages count from 1."""

    states: Sequence[str] = ()
    kind: str = ""
    provider: str = ""
    dataset: str = ""
    text: str = ""
    is_open: bool = False
    is_overdue: bool = False
    is_mine: bool = False
    """Only tickets that wait for the actor."""
    severity: str = ""
    order: Literal["newest", "due"] = "newest"
    page: int = 1
    size: int = 50


@dataclass(frozen=True)
class TicketPage:
    """One page, and the total number of tickets."""

    tickets: tuple[Ticket, ...]
    total: int
    page: int
    size: int


def find_tickets(session: Session, by: Policies, actor: Actor, query: TicketQuery, at: datetime) -> TicketPage:
    """A page of matching tickets: newest first; or due soonest first, of one moment the severe ones, then those of most rows."""
    where = and_(*_conditions(by, actor, query, at))
    page, size = max(1, query.page), max(1, min(query.size, MOST))
    total = session.scalar(select(func.count()).select_from(TicketRow).where(where)) or 0
    statement = _ordered(select(TicketRow).where(where), query.order).limit(size).offset((page - 1) * size)
    rows = session.scalars(statement).all()
    clocks = _last_clocks(session, [row.id for row in rows])
    return TicketPage(tuple(_ticket(by, row, clocks.get(row.id), actor, at) for row in rows), total, page, size)


def count_tickets(session: Session, by: Policies, actor: Actor, query: TicketQuery, at: datetime) -> int:
    """How many tickets match."""
    where = and_(*_conditions(by, actor, query, at))
    return session.scalar(select(func.count()).select_from(TicketRow).where(where)) or 0


def _ordered(query: Select[TicketRow], order: str) -> Select[TicketRow]:
    if order == "newest":
        return query.order_by(TicketRow.seq.desc())
    running = and_(ClockRow.ticket == TicketRow.id, ClockRow.stopped_at.is_(None))
    first_due = (ClockRow.due_at.is_(None), ClockRow.due_at)
    weight = case(SEVERITY_ORDER, value=TicketRow.severity, else_=len(SEVERITY_ORDER))
    return query.outerjoin(ClockRow, running).order_by(
        *first_due, weight, TicketRow.remaining_rows.desc(), TicketRow.seq
    )


def _last_clocks(session: Session, tickets: Sequence[str]) -> dict[str, ClockRow]:
    """The newest clock of each of these tickets, in one query."""
    newest = select(func.max(ClockRow.id)).where(ClockRow.ticket.in_(tickets)).group_by(ClockRow.ticket)
    return {row.ticket: row for row in session.scalars(select(ClockRow).where(ClockRow.id.in_(newest)))}


def _conditions(by: Policies, actor: Actor, query: TicketQuery, at: datetime) -> list[ColumnElement[bool]]:
    # What waits for the actor is of its department: for the database, another condition would hide the index.
    conditions = [] if query.is_mine else [visible(by, actor)]
    for column, value in (
        (TicketRow.kind, query.kind),
        (TicketRow.provider, query.provider),
        (TicketRow.dataset, query.dataset),
        (TicketRow.severity, query.severity),
    ):
        if value:
            conditions.append(column == value)
    if query.states:
        conditions.append(TicketRow.state.in_(query.states))
    if query.is_open:
        conditions.append(TicketRow.state.in_(by.state_machine.open_states()))
    if query.text:
        conditions.append(_holds(by, actor, query.text))
    if query.is_overdue:
        conditions.append(TicketRow.id.in_(overdue(at)))
    if query.is_mine:
        conditions.append(_waits_for(by.state_machine, actor))
    return conditions


def _holds(by: Policies, actor: Actor, text: str) -> ColumnElement[bool]:
    """Tickets that contain a text. Digits match texts by people only for actors who read those unmasked.

    Otherwise a masked number could be guessed by searching for longer and longer parts of it.
    """
    named = or_(*(column.icontains(text, autoescape=True) for column in SEARCHED))
    written = or_(*(column.icontains(text, autoescape=True) for column in WRITTEN))
    if any(character.isdigit() for character in text):
        written = and_(written, or_(TicketRow.kind.in_(by.state_machine.machine_found), read_in_full(by, actor)))
    return or_(named, written)


def _waits_for(state_machine: StateMachine, actor: Actor) -> ColumnElement[bool]:
    """Tickets in which the actor has to act next. Its form lets a database answer from the index of each side."""
    kinds = state_machine.kinds
    if not acts_for_department(actor):
        states = {kind: state_machine.states_for_role(kind, actor.role) for kind in kinds}
        return _of_states(states, true())
    sides: tuple[tuple[Waiting, ColumnElement[bool]], ...] = (
        ("provider", TicketRow.provider == actor.department),
        ("requester", TicketRow.requester == actor.department),
    )
    return or_(
        *(
            _of_states({kind: state_machine.states_waiting_for(kind, who) for kind in kinds}, side)
            for who, side in sides
        )
    )


def _of_states(states: Mapping[str, Collection[str]], side: ColumnElement[bool]) -> ColumnElement[bool]:
    """Tickets of one side whose kind is in one of its states; kinds with the same states together, those without any left out."""
    kinds: dict[tuple[str, ...], list[str]] = {}
    for kind, names in states.items():
        kinds.setdefault(tuple(sorted(names)), []).append(kind)
    found = [and_(side, TicketRow.kind.in_(of), TicketRow.state.in_(names)) for names, of in kinds.items() if names]
    return or_(false(), *found)


def overdue(at: datetime) -> ColumnElement[str]:
    """Ids of the tickets whose clock ran out before now, or before it was paused."""
    late = or_(
        and_(ClockRow.paused_at.is_(None), ClockRow.due_at < at),
        and_(ClockRow.paused_at.is_not(None), ClockRow.due_at < ClockRow.paused_at),
    )
    return select(ClockRow.ticket).where(ClockRow.stopped_at.is_(None), late)  # type: ignore[return-value]


def was_escalated(session: Session, ticket: str) -> bool:
    """Whether the ticket was escalated while its present clock ran."""
    since = select(func.max(ClockRow.started_at)).where(ClockRow.ticket == ticket).scalar_subquery()
    escalations = select(EventRow.seq).where(
        EventRow.ticket == ticket, EventRow.event == "escalate", EventRow.at >= since
    )
    return session.scalar(escalations.limit(1)) is not None


def find_open_rows(session: Session, by: Policies, dataset: str) -> tuple[OpenRows, ...]:
    """Deliveries with remaining rows, of open tickets."""
    query = (
        select(TicketRow, EvidenceRow)
        .join(EvidenceRow, EvidenceRow.ticket == TicketRow.id)
        .where(TicketRow.dataset == dataset, TicketRow.state.in_(by.state_machine.open_states()))
        .where(EvidenceRow.remaining_rows > 0)
        .order_by(TicketRow.seq, EvidenceRow.id)
    )
    return tuple(
        OpenRows(ticket.id, ticket.rule, ticket.rule_version, row.delivery, row.failed_rows, row.remaining_rows)
        for ticket, row in session.execute(query)
    )


@dataclass(frozen=True)
class TicketCounts:
    """Numbers of tickets; `overdue` are among the open ones."""

    open: int = 0
    overdue: int = 0
    closed: int = 0


def ticket_counts(session: Session, by: Policies, actor: Actor, at: datetime) -> dict[str, TicketCounts]:
    """Numbers by provider, of the tickets in the actor's numbers."""

    def counted(*where: ColumnElement[bool]) -> dict[str, int]:
        about = TicketRow.kind.in_(by.state_machine.kinds_about_data())
        query = (
            select(TicketRow.provider, func.count())
            .where(counted_for(actor), about, *where)
            .group_by(TicketRow.provider)
        )
        return {provider: number for provider, number in session.execute(query)}

    is_open = TicketRow.state.in_(by.state_machine.open_states())
    open_counts, late, closed = (
        counted(is_open),
        counted(TicketRow.id.in_(overdue(at))),
        counted(TicketRow.state == CLOSED),
    )
    return {
        p: TicketCounts(open_counts.get(p, 0), late.get(p, 0), closed.get(p, 0))
        for p in sorted({*open_counts, *late, *closed})
    }


def ticket_delivery(row: EvidenceRow) -> TicketDelivery:
    """The row as a value."""
    return TicketDelivery(
        row.delivery,
        row.period,
        row.failed_rows,
        row.checked_rows,
        row.remaining_rows,
        utc(row.seen_at),
        row.replaced_by,
    )


def ticket_of(session: Session, by: Policies, row: TicketRow, actor: Actor, at: datetime) -> Ticket:
    """The row as the actor may see it."""
    return _ticket(by, row, last_row(session, row.id), actor, at)


def _ticket(by: Policies, row: TicketRow, clock: ClockRow | None, actor: Actor, at: datetime) -> Ticket:
    in_full = reads_in_full(by, actor, row) or row.kind in by.state_machine.documents
    is_plain = in_full or row.kind in by.state_machine.machine_found
    return Ticket(
        **{name: getattr(row, name) for name in COPIED},
        field=row.field if is_plain else masked_lines(row.field),
        message=row.message if is_plain else masked_lines(row.message),
        label=by.state_machine.label(row.kind, row.state),
        owner=owner_of(by, row.dataset),
        record=_record(row, actor, in_full),
        opened_at=utc(row.opened_at),
        closed_at=utc(row.closed_at) if row.closed_at else None,
        clock=view(clock, by.keeper, at) if clock else None,
    )


def _record(row: TicketRow, actor: Actor, in_full: bool) -> str:
    """The record in question: as written for the two parties; without personal numbers for the department that works on it."""
    is_responsible = acts_for_department(actor) and actor.department == row.provider
    return row.record if in_full else masked_lines(row.record) if is_responsible else ""
