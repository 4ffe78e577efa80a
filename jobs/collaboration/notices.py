"""Notices for departments in the portal."""

from datetime import datetime

from sqlalchemy.orm import Session

from jobs.collaboration.policies import Policies
from jobs.collaboration.ticket_tables import NoticeRow, TicketRow
from jobs.collaboration.visibility import owner_of


def answer_returned(session: Session, by: Policies, ticket: TicketRow, reason: str, at: datetime) -> None:
    """Notify the owner of the data and the responsible department that an answer was rejected, and why."""
    for department in sorted({owner_of(by, ticket.dataset), ticket.provider} - {""}):
        title = f"工单 {ticket.id} 的整改数据被退回"
        session.add(NoticeRow(department=department, at=at, title=title, text=reason))
