"""Notices for departments in the portal."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.collaboration.policies import Policies
from jobs.collaboration.ticket_tables import NoticeRow, TicketRow
from jobs.collaboration.visibility import owner_of

BUREAU = "bureau"
MOST_LINES = 50
GATHERED = timedelta(hours=1)
"""Events of one kind within so long are one notice, as long as nobody has read it."""


def notify(session: Session, by: Policies, ticket: TicketRow, event: str, at: datetime) -> None:
    """Notify whom the state machine names of the event; equal events shortly after one another share a notice."""
    party = by.state_machine.notices.get(event)
    if party is None:
        return
    department = BUREAU if party == "bureau" else ticket.provider if party == "provider" else ticket.requester
    if not department:
        return
    title, line = f"工单{by.state_machine.event_label(event)}", _line(by, ticket)
    recent = select(NoticeRow).where(
        NoticeRow.department == department,
        NoticeRow.title == title,
        NoticeRow.read_at.is_(None),
        NoticeRow.at >= at - GATHERED,
    )
    notice = session.scalar(recent.order_by(NoticeRow.id.desc()).limit(1))
    if notice is None or notice.text.count("\n") + 1 >= MOST_LINES:
        session.add(NoticeRow(department=department, at=at, title=title, text=line))
    elif line not in notice.text.split("\n"):
        notice.text = f"{notice.text}\n{line}"


def _line(by: Policies, ticket: TicketRow) -> str:
    """The ticket's id, and what it is about; what people wrote in a request is not repeated."""
    machine = by.state_machine
    is_plain = ticket.kind in (*machine.machine_found, *machine.documents)
    what = ticket.message if is_plain else machine.kinds[ticket.kind]
    return f"{ticket.id} {what}"


def answer_returned(session: Session, by: Policies, ticket: TicketRow, reason: str, at: datetime) -> None:
    """Notify the owner of the data and the responsible department that an answer was rejected, and why."""
    for department in sorted({owner_of(by, ticket.dataset), ticket.provider} - {""}):
        title = f"工单 {ticket.id} 的整改数据被退回"
        session.add(NoticeRow(department=department, at=at, title=title, text=reason))
