"""Streams: the hours of readings that become deliveries, the state of each stream, who owns the query, keys of senders, and alarms."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "stream_hour",
        sa.Column("dataset", sa.String(120), primary_key=True),
        sa.Column("hour", MOMENT, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("delivery", sa.String(80), nullable=False, unique=True),
        sa.Column("last_received", MOMENT, nullable=False),
        sa.Column("sealed_at", MOMENT, nullable=True, index=True),
        sa.Column("facts", sa.JSON, nullable=False),
    )
    op.create_table(
        "stream_state",
        sa.Column("dataset", sa.String(120), primary_key=True),
        sa.Column("writer", sa.String(80), nullable=False),
        sa.Column("batch", sa.BigInteger, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
    )
    op.create_table(
        "stream_owner",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("checkpoint", sa.String(80), nullable=False),
    )
    op.create_table(
        "telemetry_key",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("provider", sa.String(120), nullable=False, index=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("note", sa.String(200), nullable=False, server_default=""),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=True),
    )
    _alarms()


def _alarms() -> None:
    op.create_table(
        "alarm_watch",
        sa.Column("dataset", sa.String(120), primary_key=True),
        sa.Column("rule", sa.String(120), primary_key=True),
        sa.Column("device", sa.String(200), primary_key=True),
        sa.Column("last_at", MOMENT, nullable=True),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("alarm", sa.BigInteger, nullable=True),
    )
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "alarm",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        sa.Column("dataset", sa.String(120), nullable=False, index=True),
        sa.Column("rule", sa.String(120), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("authority", sa.String(120), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False, index=True),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("escalates_at", MOMENT, nullable=False),
        sa.Column("is_escalated", sa.Boolean, nullable=False),
    )
    op.create_table(
        "alarm_event",
        sa.Column("seq", number, primary_key=True, autoincrement=True),
        sa.Column("alarm", sa.BigInteger, nullable=False, index=True),
        sa.Column("change", sa.String(20), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("is_sent", sa.Boolean, nullable=False, index=True),
    )


def downgrade() -> None:
    for table in (
        "alarm_event",
        "alarm",
        "alarm_watch",
        "telemetry_key",
        "stream_owner",
        "stream_state",
        "stream_hour",
    ):
        op.drop_table(table)
