"""The SQL tables of tickets, as SQLAlchemy sees them; Alembic creates them (jobs/lake/migrations).

Lists of failing keys stay in the lake's evidence tables: a ticket refers to them by delivery and rule, and stores counts.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from jobs.lake.ledger_tables import SEQ, Base

AT = DateTime(timezone=True)


class TicketRow(Base):
    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_provider_state", "provider", "state", "kind"),
        Index("ix_ticket_requester_state", "requester", "state", "kind"),
        Index("ix_ticket_state_kind", "state", "kind"),
    )

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    fingerprint: Mapped[str] = mapped_column(String(64), index=True)
    dataset: Mapped[str] = mapped_column(String(120), index=True)
    provider: Mapped[str] = mapped_column(String(120))
    requester: Mapped[str] = mapped_column(String(120))
    rule: Mapped[str] = mapped_column(String(200))
    rule_version: Mapped[str] = mapped_column(String(64))
    field: Mapped[str] = mapped_column(String(120))
    error_class: Mapped[str] = mapped_column(String(120))
    severity: Mapped[str] = mapped_column(String(20))
    dimension: Mapped[str] = mapped_column(String(20))
    message: Mapped[str] = mapped_column(Text)
    remedy: Mapped[str] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(Text)
    record: Mapped[str] = mapped_column(Text)
    clock_case: Mapped[str] = mapped_column(String(40))
    agreed_days: Mapped[int | None] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(20))
    previous_state: Mapped[str] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(Integer)
    failed_rows: Mapped[int] = mapped_column(BigInteger)
    remaining_rows: Mapped[int] = mapped_column(BigInteger)
    reopened: Mapped[int] = mapped_column(Integer)
    recurred: Mapped[int] = mapped_column(Integer)
    opened_at: Mapped[datetime] = mapped_column(AT)
    closed_at: Mapped[datetime | None] = mapped_column(AT)
    follows: Mapped[str | None] = mapped_column(String(20))


class PartyRow(Base):
    """Departments that were responsible for a ticket and may still read it."""

    __tablename__ = "ticket_party"

    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    department: Mapped[str] = mapped_column(String(120), primary_key=True, index=True)


class ChainRow(Base):
    """The one row that every writer locks first: the end of the event chain, and the number of tickets."""

    __tablename__ = "ticket_chain"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
    tickets: Mapped[int] = mapped_column(BigInteger)


class EventRow(Base):
    """An event: `facts` are its inputs, `effects` its results on ticket and clock."""

    __tablename__ = "ticket_event"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.id"), index=True)
    at: Mapped[datetime] = mapped_column(AT, index=True)
    event: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(20))
    target: Mapped[str] = mapped_column(String(20))
    role: Mapped[str] = mapped_column(String(40))
    department: Mapped[str] = mapped_column(String(120))
    name: Mapped[str] = mapped_column(String(120))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    effects: Mapped[dict[str, Any]] = mapped_column(JSON)
    prev: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class ClockRow(Base):
    """A ticket's clock; a ticket that was transferred or recurred has several, the newest one counts."""

    __tablename__ = "ticket_clock"

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.id"), index=True)
    policy: Mapped[str] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(Integer)
    unit: Mapped[str] = mapped_column(String(20))
    length: Mapped[int] = mapped_column(Integer)
    most_extension: Mapped[int] = mapped_column(Integer)
    extension: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(AT)
    due_at: Mapped[datetime] = mapped_column(AT, index=True)
    is_provisional: Mapped[bool] = mapped_column()
    pauses: Mapped[list[list[str | None]]] = mapped_column(JSON)
    paused_at: Mapped[datetime | None] = mapped_column(AT)
    stopped_at: Mapped[datetime | None] = mapped_column(AT)


class EvidenceRow(Base):
    """A ticket's failing rows in `delivery` by the ticket's rule, and how many remain."""

    __tablename__ = "ticket_evidence"
    __table_args__ = (UniqueConstraint("ticket", "delivery", "rule_version"),)

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.id"), index=True)
    delivery: Mapped[str] = mapped_column(String(80))
    rule_version: Mapped[str] = mapped_column(String(64))
    period: Mapped[str] = mapped_column(String(40))
    failed_rows: Mapped[int] = mapped_column(BigInteger)
    checked_rows: Mapped[int] = mapped_column(BigInteger)
    known_rows: Mapped[int] = mapped_column(BigInteger)
    remaining_rows: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[datetime] = mapped_column(AT)
    replaced_by: Mapped[str | None] = mapped_column(String(80))
    proof: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class CommentRow(Base):
    """A comment's text; author and time are in its event, with the text's hash."""

    __tablename__ = "ticket_comment"

    event: Mapped[int] = mapped_column(ForeignKey("ticket_event.seq"), primary_key=True, autoincrement=False)
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.id"), index=True)
    text: Mapped[str] = mapped_column(Text)


class DisputeRow(Base):
    """`outcome` is upheld, dismissed, or dropped where another step ended it."""

    __tablename__ = "ticket_dispute"

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.id"), index=True)
    ground: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(Text)
    rule_version: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime] = mapped_column(AT)
    opened_by: Mapped[str] = mapped_column(String(120))
    decided_at: Mapped[datetime | None] = mapped_column(AT)
    decided_by: Mapped[str | None] = mapped_column(String(120))
    outcome: Mapped[str | None] = mapped_column(String(20))
    decision: Mapped[str | None] = mapped_column(Text)


class WaiverRow(Base):
    """`until` is the last day of the waiver, Asia/Shanghai."""

    __tablename__ = "ticket_waiver"

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    ticket: Mapped[str] = mapped_column(ForeignKey("ticket.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    approver: Mapped[str] = mapped_column(String(120))
    until: Mapped[date] = mapped_column()
    granted_at: Mapped[datetime] = mapped_column(AT)
    ended_at: Mapped[datetime | None] = mapped_column(AT)


class CalendarYearRow(Base):
    """A year's holidays that an operator loaded; days are ISO dates."""

    __tablename__ = "calendar_year"

    year: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(Text)
    holidays: Mapped[dict[str, str]] = mapped_column(JSON)
    workdays: Mapped[dict[str, str]] = mapped_column(JSON)
    loaded_at: Mapped[datetime] = mapped_column(AT)
    loaded_by: Mapped[str] = mapped_column(String(120))


class ReminderRow(Base):
    """A sent reminder: one for each percentage of a clock and channel."""

    __tablename__ = "reminder"
    __table_args__ = (UniqueConstraint("clock", "pct", "channel"),)

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    clock: Mapped[int] = mapped_column(ForeignKey("ticket_clock.id"))
    pct: Mapped[int] = mapped_column(Integer)
    channel: Mapped[str] = mapped_column(String(20))
    sent_at: Mapped[datetime] = mapped_column(AT)


class NoticeRow(Base):
    """A notice of a department in the portal."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    department: Mapped[str] = mapped_column(String(120), index=True)
    at: Mapped[datetime] = mapped_column(AT)
    title: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    read_at: Mapped[datetime | None] = mapped_column(AT)
