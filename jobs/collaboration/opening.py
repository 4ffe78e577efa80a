"""Issues of a delivery → tickets: opened, extended or reopened; the same delivery again changes nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.access.roles import acts_for_department
from jobs.collaboration import ticket_clocks
from jobs.collaboration.audit_log import lock
from jobs.collaboration.policies import Policies
from jobs.collaboration.state_machine import CLOSED
from jobs.collaboration.ticket_tables import DisputeRow, EvidenceRow, TicketRow
from jobs.collaboration.transitions import Action, Passage, record, take
from jobs.collaboration.visibility import note_party
from jobs.errors import NotAllowed
from jobs.lake.database import utc
from jobs.model.actor import SYSTEM, Actor
from jobs.model.ticket import Issue, Request

KIND = "issue"
FALSE_POSITIVE = "rule_false_positive"
FURTHER = "further"


def find(session: Session, by: Policies, issue: Issue, who: Actor, at: datetime) -> TicketRow:
    """The ticket of the issue."""
    lock(session)
    earlier = session.scalars(
        select(TicketRow).where(TicketRow.fingerprint == issue.fingerprint()).order_by(TicketRow.seq.desc())
    ).all()
    for ticket in earlier:
        if _is_known(session, ticket, issue):
            return ticket
    last = earlier[0] if earlier else None
    if last is None:
        return _new(session, by, issue, Action(who, {"delivery": issue.delivery}, at), None)
    event = _event(session, by, last, issue, at)
    if not event:
        return _new(session, by, issue, Action(who, {"delivery": issue.delivery}, at), last.id)
    _add_evidence(session, last, issue, at)
    last.rule_version, last.severity, last.message = issue.rule_version, issue.severity, issue.message
    if event != FURTHER or not issue.brings_nothing_new():
        take(session, by, last, event, Action(SYSTEM, {"delivery": issue.delivery}, at))
    return last


def request(session: Session, by: Policies, submission: Request, who: Actor, at: datetime) -> TicketRow:
    """The ticket of a correction request or objection; an equal request that is still open has one ticket."""
    lock(session)
    same = select(TicketRow).where(TicketRow.fingerprint == submission.fingerprint())
    existing = session.scalar(same.where(TicketRow.state.in_(by.state_machine.open_states())).limit(1))
    if existing is not None:
        return existing
    if acts_for_department(who) and who.department != submission.requester:
        raise NotAllowed(f"只能以本部门（{who.department}）的名义提交；申请写的是 {submission.requester}")
    values = {
        "kind": submission.kind,
        "fingerprint": submission.fingerprint(),
        "dataset": submission.dataset,
        "provider": submission.provider,
        "requester": submission.requester,
        "field": submission.field,
        "record": submission.record,
        "message": submission.message,
        "clock_case": "assisted" if submission.needs_assistance else "",
    }
    return open_ticket(
        session, by, values, Action(who, {"reason": submission.message, "evidence": submission.evidence}, at)
    )


def _is_known(session: Session, ticket: TicketRow, issue: Issue) -> bool:
    """Whether the ticket already has evidence of this delivery by this version of the rule."""
    same = select(EvidenceRow.id).where(
        EvidenceRow.ticket == ticket.id,
        EvidenceRow.delivery == issue.delivery,
        EvidenceRow.rule_version == issue.rule_version,
    )
    return session.scalar(same) is not None


def _event(session: Session, by: Policies, last: TicketRow, issue: Issue, at: datetime) -> str:
    """The event that adds the issue to the last ticket of its fingerprint; empty where it needs a new ticket."""
    if not by.state_machine.states[last.state].end:
        return FURTHER
    age = at - utc(last.closed_at) if last.closed_at else timedelta()
    if last.state == CLOSED:
        return "recur" if age <= timedelta(days=by.keeper.table.recurrence_days) else ""
    return FURTHER if _is_exempt(session, last, issue) else ""


def _is_exempt(session: Session, last: TicketRow, issue: Issue) -> bool:
    """Whether an upheld dispute found this version of the rule to be wrong here."""
    upheld = select(DisputeRow.id).where(
        DisputeRow.ticket == last.id,
        DisputeRow.outcome == "upheld",
        DisputeRow.ground == FALSE_POSITIVE,
        DisputeRow.rule_version == issue.rule_version,
    )
    return session.scalar(upheld) is not None


def _new(session: Session, by: Policies, issue: Issue, act: Action, follows: str | None) -> TicketRow:
    names = ("dataset", "provider", "rule", "rule_version", "field", "error_class", "severity", "dimension")
    values = {name: getattr(issue, name) for name in (*names, "message", "remedy", "basis", "agreed_days")}
    values |= {"kind": KIND, "fingerprint": issue.fingerprint(), "clock_case": issue.clock_case(), "follows": follows}
    values |= {"failed_rows": issue.failed_rows, "remaining_rows": issue.failed_rows}
    ticket = open_ticket(session, by, values, act)
    _add_evidence(session, ticket, issue, act.at)
    event = by.state_machine.automatic.get(KIND)
    if event:
        take(session, by, ticket, event, Action(SYSTEM, {}, act.at))
    return ticket


def open_ticket(session: Session, by: Policies, values: dict[str, Any], act: Action) -> TicketRow:
    """A ticket in its initial state, with its opening event."""
    end = lock(session)
    end.tickets += 1
    empty = dict.fromkeys(
        ("requester", "rule", "rule_version", "error_class", "severity", "dimension", "remedy", "basis", "record"), ""
    )
    counts = dict.fromkeys(("version", "failed_rows", "remaining_rows", "reopened", "recurred"), 0)
    columns = {**empty, **counts, "clock_case": "", "previous_state": "", "opened_at": act.at, **values}
    ticket = TicketRow(
        id=f"T-{end.tickets:06d}", seq=end.tickets, state=by.state_machine.start[str(values["kind"])], **columns
    )
    session.add(ticket)
    session.flush()
    note_party(session, ticket)
    ticket_clocks.update_clocks(session, by, ticket, False, act.at)
    record(session, by, ticket, Passage("open", ""), act)
    return ticket


def _add_evidence(session: Session, ticket: TicketRow, issue: Issue, at: datetime) -> None:
    """Add the issue's rows; they replace those of the same delivery by another version of the rule."""
    for row in evidence(session, ticket.id):
        if row.delivery == issue.delivery:
            row.replaced_by, row.remaining_rows, row.known_rows = issue.delivery, 0, row.failed_rows
    session.add(
        EvidenceRow(
            ticket=ticket.id,
            delivery=issue.delivery,
            rule_version=issue.rule_version,
            period=issue.period,
            failed_rows=issue.failed_rows,
            checked_rows=issue.checked_rows,
            known_rows=issue.known_rows,
            remaining_rows=issue.failed_rows if issue.left_rows is None else issue.left_rows,
            seen_at=at,
        )
    )
    session.flush()
    count_rows(session, ticket)


def evidence(session: Session, ticket: str) -> Sequence[EvidenceRow]:
    """The ticket's evidence by delivery, oldest first."""
    return session.scalars(select(EvidenceRow).where(EvidenceRow.ticket == ticket).order_by(EvidenceRow.id)).all()


def count_rows(session: Session, ticket: TicketRow) -> None:
    """Sum the failed and remaining rows; a row that failed in several deliveries counts once."""
    rows = evidence(session, ticket.id)
    ticket.failed_rows = sum(row.failed_rows - row.known_rows for row in rows)
    ticket.remaining_rows = sum(row.remaining_rows for row in rows)
