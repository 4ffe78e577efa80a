"""Documents that are approved and published by the state machine of tickets: entries of the catalogue, versions of lists."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.access.roles import acts_for_department, role_label
from jobs.collaboration.audit_log import lock
from jobs.collaboration.opening import open_ticket
from jobs.collaboration.policies import Policies
from jobs.collaboration.ticket_tables import EventRow, TicketRow
from jobs.collaboration.transitions import Action, take
from jobs.errors import NotAllowed, Overtaken
from jobs.lake.database import utc
from jobs.model.actor import SYSTEM, Actor
from jobs.model.ticket import CatalogueFault, Draft, Published

FAULT = "catalogue_fault"
MENDED = {"checked": 1, "mended": 1, "remaining": 0, "absent": 0}
"""The proof of a check that a fault is gone."""


def draft(session: Session, by: Policies, document: Draft, who: Actor, at: datetime) -> TicketRow:
    """The ticket of a document's draft; Overtaken where another draft of it is open."""
    lock(session)
    same = select(TicketRow).where(TicketRow.fingerprint == document.fingerprint())
    existing = session.scalar(same.where(TicketRow.state.in_(by.state_machine.open_states())).limit(1))
    if existing is not None:
        label = by.state_machine.label(existing.kind, existing.state)
        raise Overtaken(f"「{document.message}」已有办理中的变更 {existing.id}（{label}）；请在其中修改，或先撤回")
    may_revise = next(s for s in by.state_machine.steps if s.event == "revise" and s.is_of(document.kind))
    if who.role not in may_revise.roles or (acts_for_department(who) and who.department != document.provider):
        allowed = "、".join(role_label(role) for role in may_revise.roles)
        raise NotAllowed(f"「{document.message}」须由 {document.provider} 的{allowed}编制")
    values = {
        "kind": document.kind,
        "fingerprint": document.fingerprint(),
        "dataset": document.subject,
        "provider": document.provider,
        "field": "",
        "record": document.content,
        "message": document.message,
    }
    return open_ticket(session, by, values, Action(who, {"content": document.content}, at))


def compare(
    session: Session, by: Policies, faults: Iterable[CatalogueFault], check: str, at: datetime
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of the tickets that a check opened, and of those that it closed because their fault is gone. `check` names it."""
    lock(session)
    found = {fault.fingerprint(): fault for fault in faults}
    standing = _open_faults(session, by)
    opened = tuple(_found(session, by, fault, check, at).id for mark, fault in found.items() if mark not in standing)
    gone = [ticket for mark, ticket in standing.items() if mark not in found]
    for ticket in gone:
        take(session, by, ticket, "pass", Action(SYSTEM, {"delivery": check, "proof": MENDED}, at))
    return opened, tuple(ticket.id for ticket in gone)


def _open_faults(session: Session, by: Policies) -> dict[str, TicketRow]:
    """Open tickets of faults by fingerprint, oldest first."""
    query = select(TicketRow).where(TicketRow.kind == FAULT, TicketRow.state.in_(by.state_machine.open_states()))
    return {ticket.fingerprint: ticket for ticket in session.scalars(query.order_by(TicketRow.seq))}


def _found(session: Session, by: Policies, fault: CatalogueFault, check: str, at: datetime) -> TicketRow:
    values = {
        "kind": FAULT,
        "fingerprint": fault.fingerprint(),
        "dataset": fault.dataset,
        "provider": fault.provider,
        "field": "",
        "rule": fault.check,
        "message": fault.message,
        "remedy": fault.remedy,
    }
    ticket = open_ticket(session, by, values, Action(SYSTEM, {"delivery": check}, at))
    take(session, by, ticket, by.state_machine.automatic[FAULT], Action(SYSTEM, {}, at))
    return ticket


def find_published(session: Session, kind: str, subject: str = "") -> tuple[Published, ...]:
    """Published documents of a kind, oldest first, of all subjects or of one."""
    query = (
        select(TicketRow, EventRow)
        .join(EventRow, EventRow.ticket == TicketRow.id)
        .where(TicketRow.kind == kind, EventRow.event == "publish")
        .order_by(EventRow.seq)
    )
    if subject:
        query = query.where(TicketRow.dataset == subject)
    versions: Counter[str] = Counter()
    found = []
    for ticket, event in session.execute(query):
        versions[ticket.dataset] += 1
        number = versions[ticket.dataset]
        found.append(
            Published(ticket.id, ticket.dataset, number, ticket.record, utc(event.at), event.name, event.facts)
        )
    return tuple(found)
