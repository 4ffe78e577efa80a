"""Who acts: role, department and name; and whose tickets they may see."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, true

from jobs.collaboration.ticket_tables import TicketRow

DEPARTMENT_ROLES = ("reporter", "approver")
"""Roles that see and move the tickets of their own department only."""

CONFIDANTS = ("quality_officer", "machine")
"""Roles outside the two parties that see which record a request is about."""


@dataclass(frozen=True)
class Actor:
    """Somebody who acts; `department` is the id that contracts call provider."""

    role: str
    department: str
    name: str

    def is_bound(self) -> bool:
        """Whether the actor sees the own department's tickets only."""
        return self.role in DEPARTMENT_ROLES

    def visible(self) -> ColumnElement[bool]:
        """The condition under which a ticket is shown to the actor."""
        if not self.is_bound():
            return true()
        return or_(TicketRow.provider == self.department, TicketRow.requester == self.department)

    def may_see(self, ticket: TicketRow) -> bool:
        """Whether the ticket is shown to the actor."""
        return not self.is_bound() or self.department in (ticket.provider, ticket.requester)

    def may_see_record(self, ticket: TicketRow) -> bool:
        """Whether the actor may read which record a request names: the two parties and who mediates."""
        return self.role in CONFIDANTS or self.department in (ticket.provider, ticket.requester)


MACHINE = Actor("machine", "bureau", "数据湖")
