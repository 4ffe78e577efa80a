"""Which tickets an actor may see, and who reads them in full: whose data it is comes from the contract, never from a ticket."""

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session

from jobs.access.policy import Right
from jobs.access.rights import may, reads_request
from jobs.access.roles import acts_for_department
from jobs.collaboration.policies import Policies
from jobs.collaboration.ticket_tables import PartyRow, TicketRow
from jobs.model.actor import Actor


def owner_of(by: Policies, dataset: str) -> str:
    """The department whose data it is by the dataset's contract; empty where there is no contract."""
    return by.owners().get(dataset, "")


def visible(by: Policies, actor: Actor) -> ColumnElement[bool]:
    """The condition under which a ticket is shown to the actor.

    A department sees tickets about its data, those that it is or once was responsible for, and those that it asked for.
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
    """The condition under which a ticket is in the actor's numbers: responsible for it now, or asked for it."""
    if not acts_for_department(actor):
        return true()
    return or_(TicketRow.provider == actor.department, TicketRow.requester == actor.department)


def may_see(session: Session, by: Policies, actor: Actor, ticket: TicketRow) -> bool:
    """Whether the ticket is shown to the actor."""
    shown = select(TicketRow.id).where(TicketRow.id == ticket.id, visible(by, actor))
    return session.scalar(shown) is not None


def reads_in_full(by: Policies, actor: Actor, ticket: TicketRow) -> bool:
    """Whether the actor reads which record is meant, and texts without masks: owner, requester, and who mediates."""
    return reads_request(actor, owner_of(by, ticket.dataset), ticket.requester)


def read_in_full(by: Policies, actor: Actor) -> ColumnElement[bool]:
    """The condition under which the actor reads a ticket in full."""
    if not acts_for_department(actor):
        return true() if may(actor, Right.READ_REQUESTS) else false()
    own = [dataset for dataset, owner in by.owners().items() if owner == actor.department]
    return or_(TicketRow.dataset.in_(own), TicketRow.requester == actor.department)


def note_party(session: Session, ticket: TicketRow) -> None:
    """Remember who is responsible for the ticket now, as somebody who may read it from now on."""
    session.merge(PartyRow(ticket=ticket.id, department=ticket.provider))
