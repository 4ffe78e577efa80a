"""Which tickets an actor may see, and who reads them in full; the owner of data comes from the contract, never from a ticket."""

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from jobs.access.policy import Right
from jobs.access.rights import may, reads_request
from jobs.access.roles import acts_for_department
from jobs.collaboration.policies import Policies
from jobs.collaboration.ticket_tables import PartyRow, TicketRow
from jobs.errors import Unknown
from jobs.model.actor import Actor


def owner_of(by: Policies, dataset: str) -> str:
    """The department that owns the data by the dataset's contract; empty where there is no contract."""
    return by.owners().get(dataset, "")


def visible(by: Policies, actor: Actor) -> ColumnElement[bool]:
    """The condition under which the actor sees a ticket.

    A department sees tickets about its data, those that it is or was responsible for, and its own requests.
    """
    if not acts_for_department(actor):
        return true()
    own = [dataset for dataset, owner in by.owners().items() if owner == actor.department]
    once = select(PartyRow.ticket).where(PartyRow.department == actor.department)
    return or_(
        TicketRow.provider == actor.department,
        TicketRow.requester == actor.department,
        TicketRow.dataset.in_(own),
        TicketRow.id.in_(once),
    )


def counted_for(actor: Actor) -> ColumnElement[bool]:
    """The condition under which a ticket counts in the actor's numbers: responsible for it now, or its requester."""
    if not acts_for_department(actor):
        return true()
    return or_(TicketRow.provider == actor.department, TicketRow.requester == actor.department)


def may_see(session: Session, by: Policies, actor: Actor, ticket: TicketRow) -> bool:
    """Whether the actor sees the ticket."""
    query = select(TicketRow.id).where(TicketRow.id == ticket.id, visible(by, actor))
    return session.scalar(query) is not None


def visible_ticket(session: Session, by: Policies, ticket_id: str, actor: Actor) -> TicketRow:
    """The ticket; Unknown where it does not exist or the actor may not see it."""
    row = session.get(TicketRow, ticket_id, populate_existing=True)
    if row is None or not may_see(session, by, actor, row):
        raise Unknown(f"没有工单 {ticket_id}，或不属于您的部门；请在工单列表中核对编号")
    return row


def reads_in_full(by: Policies, actor: Actor, ticket: TicketRow) -> bool:
    """Whether the actor reads the record and texts unmasked: owner, requester, and mediators."""
    return reads_request(actor, owner_of(by, ticket.dataset), ticket.requester)


def read_in_full(by: Policies, actor: Actor) -> ColumnElement[bool]:
    """The condition under which the actor reads a ticket in full."""
    if not acts_for_department(actor):
        return true() if may(actor, Right.READ_REQUESTS) else false()
    own = [dataset for dataset, owner in by.owners().items() if owner == actor.department]
    return or_(TicketRow.dataset.in_(own), TicketRow.requester == actor.department)


def note_party(session: Session, ticket: TicketRow) -> None:
    """Record the responsible department as one that may read the ticket from now on."""
    session.merge(PartyRow(ticket=ticket.id, department=ticket.provider))
