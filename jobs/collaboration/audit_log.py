"""All events of all tickets in one hash chain, so that a changed, moved or missing event is detected.

One chain for the database, not one a ticket: with chains by ticket, a ticket that is deleted with its
chain leaves no trace. The price is that writers are serialised; each locks the end of the chain for a few milliseconds.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from jobs.collaboration.ticket_tables import ChainRow, CommentRow, EventRow, TicketRow
from jobs.lake.database import utc
from jobs.model.actor import Actor

START = "0" * 64
PARTS = ("ticket", "event", "source", "target", "role", "department", "name", "facts", "effects", "prev", "seq")


@dataclass(frozen=True)
class EventDraft:
    """An event of a ticket, before it is recorded."""

    ticket: str
    event: str
    source: str
    target: str
    facts: Mapping[str, Any]
    effects: Mapping[str, Any]


@dataclass(frozen=True)
class ChainAudit:
    """Outcome of walking the chain: `broken` is the first event that does not fit, and `reason` says in Chinese why.

    That the end of the chain was cut off together with its end row shows only against a `seq` and `head` noted elsewhere.
    """

    events: int
    seq: int
    head: str
    broken: int | None = None
    ticket: str = ""
    reason: str = ""


def lock(session: Session) -> ChainRow:
    """The end of the chain, locked by the session until it ends; the first statement of every writer."""
    session.execute(update(ChainRow).where(ChainRow.id == 1).values(seq=ChainRow.seq))
    return session.scalars(select(ChainRow).with_for_update()).one()


def append(session: Session, draft: EventDraft, actor: Actor, at: datetime) -> EventRow:
    """The new end of the chain."""
    end = lock(session)
    row = EventRow(
        seq=end.seq + 1,
        at=utc(at),
        prev=end.hash,
        **asdict(draft),
        **asdict(actor),
    )
    row.hash = _hash(row)
    end.seq, end.hash = row.seq, row.hash
    session.add(row)
    session.flush()
    return row


def verify(session: Session, noted: tuple[int, str] | None = None) -> ChainAudit:
    """Walk the chain from its beginning; `noted` is a seq with its hash from an earlier audit."""
    prev, count = START, 0
    last: dict[str, EventRow] = {}
    comments = {row.event: row.text for row in session.scalars(select(CommentRow))}
    for row in session.scalars(select(EventRow).order_by(EventRow.seq)).yield_per(1000):
        reason = _fault(row, count + 1, prev, noted, comments.get(row.seq))
        if reason:
            return ChainAudit(count, row.seq, row.hash, row.seq, row.ticket, reason)
        prev, count = row.hash, row.seq
        last[row.ticket] = row
    end = session.scalars(select(ChainRow)).one()
    if (end.seq, end.hash) != (count, prev) or (noted and noted[0] > count):
        return ChainAudit(
            count, end.seq, end.hash, count + 1, "", f"链尾与记录不符：第 {count + 1} 条事件起被删除，或链尾被改动"
        )
    return _compared(session, last, count, prev)


def _fault(row: EventRow, expected: int, prev: str, noted: tuple[int, str] | None, comment: str | None) -> str:
    """Why an event is inconsistent with the chain, in Chinese; empty where it is consistent."""
    if row.seq != expected:
        return f"第 {expected} 条事件缺失"
    if row.prev != prev:
        return "与前一条事件的哈希不相接"
    if row.hash != _hash(row):
        return "内容与哈希不符，事件被改动"
    if noted and noted[0] == row.seq and noted[1] != row.hash:
        return "与此前记下的哈希不符，链被重写"
    if comment is not None and row.effects.get("text_sha256") != text_hash(comment):
        return "留言内容与哈希不符，留言被改动"
    return ""


def _compared(session: Session, last: dict[str, EventRow], count: int, head: str) -> ChainAudit:
    """The audit, with the first ticket whose state differs from its last event, or whose ticket is missing."""
    for ticket in session.scalars(select(TicketRow).order_by(TicketRow.seq)):
        event = last.get(ticket.id)
        if event is None or event.target != ticket.state:
            seq = event.seq if event else count + 1
            return ChainAudit(count, count, head, seq, ticket.id, f"工单 {ticket.id} 的状态与最后一条事件不符")
        del last[ticket.id]
    for event in last.values():
        return ChainAudit(count, count, head, event.seq, event.ticket, f"工单 {event.ticket} 被删除")
    return ChainAudit(count, count, head)


def text_hash(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _hash(row: EventRow) -> str:
    """SHA-256 of the event's canonical JSON, which includes the hash of the previous one."""
    return event_hash({name: getattr(row, name) for name in PARTS} | {"at": utc(row.at).isoformat()})


def event_hash(body: Mapping[str, Any]) -> str:
    """SHA-256 of canonical JSON."""
    return text_hash(json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")))
