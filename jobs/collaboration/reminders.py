"""Reminders: one digest a department, when a clock reaches 50, 80 or 100 %; never twice."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session

from jobs.collaboration.audit_log import lock
from jobs.collaboration.notices import BUREAU
from jobs.collaboration.policies import Policies
from jobs.collaboration.ticket_clocks import clock
from jobs.collaboration.ticket_tables import ClockRow, ReminderRow, TicketRow

FIRST_SENT_ON = "dispatch"


@dataclass(frozen=True)
class DigestLine:
    """One ticket in a digest: the share of its clock that is reached, and what has to be done."""

    ticket: str
    clock: int
    pcts: tuple[int, ...]
    due_at: datetime
    is_overdue: bool
    text: str


@dataclass(frozen=True)
class Digest:
    """The reminders of one department, the most urgent first."""

    department: str
    title: str
    lines: tuple[DigestLine, ...]

    def texts(self) -> Iterator[str]:
        """The texts of the lines."""
        return (line.text for line in self.lines)


@dataclass(frozen=True)
class SentDigest:
    """The outcome of one digest on one channel; `tickets` is 0 where another process sent it, or where `error` says why it failed."""

    department: str
    channel: str
    tickets: int
    error: str


class Message(Protocol):
    """What a channel sends: to whom, a title, and lines of text."""

    @property
    def department(self) -> str: ...

    @property
    def title(self) -> str: ...

    def texts(self) -> Iterator[str]:
        """The texts of the lines."""


class Channel(Protocol):
    """A notification channel to departments."""

    @property
    def name(self) -> str: ...

    def reaches(self, department: str) -> bool:
        """Whether the channel reaches the department."""

    def send(self, message: Message) -> None:
        """Send it; ServiceUnavailable where the channel does not accept it."""


def digests(session: Session, by: Policies, channel: str, at: datetime) -> tuple[Digest, ...]:
    """Reminders not yet sent on the channel, by department."""
    lines: dict[str, list[DigestLine]] = {}
    running = select(ClockRow, TicketRow).join(TicketRow, TicketRow.id == ClockRow.ticket)
    still = and_(ClockRow.stopped_at.is_(None), ClockRow.paused_at.is_(None))
    sent = _sent(session, channel)
    for row, ticket in session.execute(running.where(still).order_by(ClockRow.due_at, ClockRow.id)):
        reached = by.keeper.reminders_due(clock(row), at)
        new = tuple(pct for pct in reached if (row.id, pct) not in sent)
        if new:
            lines.setdefault(_whose(by, ticket), []).append(_line(by, ticket, row, new, at))
    return tuple(_digest(department, department_lines) for department, department_lines in sorted(lines.items()))


def claim(session: Session, digest: Digest, channel: str, at: datetime) -> Digest | None:
    """The lines of the digest that no other process has claimed, marked as sent; None where there are none."""
    lock(session)
    sent = _sent(session, channel)
    unsent = tuple(line for line in digest.lines if not any((line.clock, pct) in sent for pct in line.pcts))
    session.add_all(
        ReminderRow(clock=line.clock, pct=pct, channel=channel, sent_at=at) for line in unsent for pct in line.pcts
    )
    return replace(digest, lines=unsent) if unsent else None


def release(session: Session, digest: Digest, channel: str) -> None:
    """Undo the claim of a digest that could not be sent."""
    for line in digest.lines:
        session.execute(
            delete(ReminderRow).where(
                ReminderRow.clock == line.clock, ReminderRow.pct.in_(line.pcts), ReminderRow.channel == channel
            )
        )


def _sent(session: Session, channel: str) -> set[tuple[int, int]]:
    rows = session.execute(
        select(ReminderRow.clock, ReminderRow.pct)
        .join(ClockRow, ClockRow.id == ReminderRow.clock)
        .where(ReminderRow.channel == channel, ClockRow.stopped_at.is_(None))
    )
    return {(clock_id, pct) for clock_id, pct in rows}


def _whose(by: Policies, ticket: TicketRow) -> str:
    """Who has to act: the bureau before the ticket is dispatched, then the responsible department."""
    waits_for_bureau = any(
        step.event == FIRST_SENT_ON or ticket.state == by.state_machine.start[ticket.kind]
        for step in by.state_machine.steps_from(ticket.kind, ticket.state)
    )
    return BUREAU if waits_for_bureau else ticket.provider


def _line(by: Policies, ticket: TicketRow, row: ClockRow, pcts: tuple[int, ...], at: datetime) -> DigestLine:
    due = by.keeper.due(clock(row), at)
    is_overdue = by.keeper.is_overdue(clock(row), at)
    day = f"{by.keeper.local_day(due.at)}{'（暂定）' if due.is_provisional else ''}"
    share = f"已逾期，应于 {day} 办结" if is_overdue else f"时限已过 {max(pcts)}%，{day} 到期"
    rows = f"，余 {ticket.remaining_rows:,} 行" if ticket.remaining_rows else ""
    is_found = ticket.kind in by.state_machine.machine_found
    problem = (
        f".{ticket.rule or ticket.field} {ticket.message}" if is_found else f" {by.state_machine.kinds[ticket.kind]}"
    )
    subject = f"{ticket.dataset}{problem}{rows}"  # groups read it: no text that a person wrote
    text = f"{ticket.id} {by.state_machine.label(ticket.kind, ticket.state)}：{share}。{subject}"
    return DigestLine(ticket.id, row.id, pcts, due.at, is_overdue, text)


def _digest(department: str, lines: list[DigestLine]) -> Digest:
    late = sum(line.is_overdue for line in lines)
    overdue = f"，其中 {late} 个已逾期" if late else ""
    return Digest(department, f"【数据整改提醒】{department}：{len(lines)} 个工单临近到期{overdue}", tuple(lines))
