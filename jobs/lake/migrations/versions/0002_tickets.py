"""Tickets, their events in one chain, clocks, evidence, comments, disputes, waivers; holidays, reminders, notices."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SEQ = sa.BigInteger().with_variant(sa.Integer, "sqlite")
AT = sa.DateTime(timezone=True)
TABLES = (
    "ticket",
    "ticket_chain",
    "ticket_event",
    "ticket_clock",
    "ticket_evidence",
    "ticket_comment",
    "ticket_dispute",
    "ticket_waiver",
    "calendar_year",
    "reminder",
    "notice",
)


def upgrade() -> None:
    _create_tickets()
    _create_chain()
    _create_events()
    _create_clocks()
    _create_evidence()
    _create_comments()
    _create_disputes()
    _create_waivers()
    _create_calendar()
    _create_reminders()
    _create_notices()


def _text(name: str, length: int, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, index=index)


def _of_ticket() -> sa.Column[str]:
    return sa.Column("ticket", sa.String(20), sa.ForeignKey("ticket.id"), nullable=False, index=True)


def _create_tickets() -> None:
    op.create_table(
        "ticket",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False, unique=True),
        _text("kind", 20),
        _text("fingerprint", 64, index=True),
        _text("dataset", 120, index=True),
        _text("provider", 120, index=True),
        _text("requester", 120, index=True),
        _text("rule", 200),
        _text("rule_version", 64),
        _text("field", 120),
        _text("error_class", 120),
        _text("severity", 20),
        _text("dimension", 20),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("remedy", sa.Text, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        _text("clock_case", 40),
        sa.Column("agreed_days", sa.Integer),
        _text("state", 20, index=True),
        _text("previous_state", 20),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("failed_rows", sa.BigInteger, nullable=False),
        sa.Column("remaining_rows", sa.BigInteger, nullable=False),
        sa.Column("reopened", sa.Integer, nullable=False),
        sa.Column("recurred", sa.Integer, nullable=False),
        sa.Column("opened_at", AT, nullable=False),
        sa.Column("closed_at", AT),
        sa.Column("follows", sa.String(20)),
    )


def _create_chain() -> None:
    chain = op.create_table(
        "ticket_chain",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        _text("hash", 64),
        sa.Column("tickets", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(chain, [{"id": 1, "seq": 0, "hash": "0" * 64, "tickets": 0}])


def _create_events() -> None:
    op.create_table(
        "ticket_event",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        _of_ticket(),
        sa.Column("at", AT, nullable=False, index=True),
        _text("event", 40),
        _text("source", 20),
        _text("target", 20),
        _text("role", 40),
        _text("department", 120),
        _text("name", 120),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("effects", sa.JSON, nullable=False),
        _text("prev", 64),
        _text("hash", 64),
    )


def _create_clocks() -> None:
    op.create_table(
        "ticket_clock",
        sa.Column("id", SEQ, primary_key=True, autoincrement=True),
        _of_ticket(),
        _text("policy", 20),
        sa.Column("version", sa.Integer, nullable=False),
        _text("unit", 20),
        sa.Column("length", sa.Integer, nullable=False),
        sa.Column("most_extension", sa.Integer, nullable=False),
        sa.Column("extension", sa.Integer, nullable=False),
        sa.Column("started_at", AT, nullable=False),
        sa.Column("due_at", AT, nullable=False, index=True),
        sa.Column("is_provisional", sa.Boolean, nullable=False),
        sa.Column("pauses", sa.JSON, nullable=False),
        sa.Column("paused_at", AT),
        sa.Column("stopped_at", AT),
    )


def _create_evidence() -> None:
    op.create_table(
        "ticket_evidence",
        sa.Column("id", SEQ, primary_key=True, autoincrement=True),
        _of_ticket(),
        _text("delivery", 80),
        _text("rule_version", 64),
        _text("period", 40),
        sa.Column("failed_rows", sa.BigInteger, nullable=False),
        sa.Column("checked_rows", sa.BigInteger, nullable=False),
        sa.Column("failed_keys", sa.BigInteger),
        sa.Column("remaining_rows", sa.BigInteger, nullable=False),
        sa.Column("absent_rows", sa.BigInteger, nullable=False),
        sa.Column("seen_at", AT, nullable=False),
        sa.Column("replaced_by", sa.String(80)),
        sa.Column("proof", sa.JSON),
        sa.UniqueConstraint("ticket", "delivery", "rule_version"),
    )


def _create_comments() -> None:
    op.create_table(
        "ticket_comment",
        sa.Column("event", sa.BigInteger, sa.ForeignKey("ticket_event.seq"), primary_key=True, autoincrement=False),
        _of_ticket(),
        sa.Column("text", sa.Text, nullable=False),
    )


def _create_disputes() -> None:
    op.create_table(
        "ticket_dispute",
        sa.Column("id", SEQ, primary_key=True, autoincrement=True),
        _of_ticket(),
        _text("ground", 40),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        _text("rule_version", 64),
        sa.Column("opened_at", AT, nullable=False),
        _text("opened_by", 120),
        sa.Column("decided_at", AT),
        sa.Column("decided_by", sa.String(120)),
        sa.Column("outcome", sa.String(20)),
        sa.Column("decision", sa.Text),
    )


def _create_waivers() -> None:
    op.create_table(
        "ticket_waiver",
        sa.Column("id", SEQ, primary_key=True, autoincrement=True),
        _of_ticket(),
        sa.Column("reason", sa.Text, nullable=False),
        _text("approver", 120),
        sa.Column("until", sa.Date, nullable=False),
        sa.Column("granted_at", AT, nullable=False),
        sa.Column("ended_at", AT),
    )


def _create_calendar() -> None:
    op.create_table(
        "calendar_year",
        sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("holidays", sa.JSON, nullable=False),
        sa.Column("workdays", sa.JSON, nullable=False),
        sa.Column("loaded_at", AT, nullable=False),
        _text("loaded_by", 120),
    )


def _create_reminders() -> None:
    op.create_table(
        "reminder",
        sa.Column("id", SEQ, primary_key=True, autoincrement=True),
        sa.Column("clock", SEQ, sa.ForeignKey("ticket_clock.id"), nullable=False),
        sa.Column("pct", sa.Integer, nullable=False),
        _text("channel", 20),
        sa.Column("sent_at", AT, nullable=False),
        sa.UniqueConstraint("clock", "pct", "channel"),
    )


def _create_notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", SEQ, primary_key=True, autoincrement=True),
        _text("department", 120, index=True),
        sa.Column("at", AT, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("read_at", AT),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
