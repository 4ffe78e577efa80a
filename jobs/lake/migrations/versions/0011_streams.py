"""Streams: the hours of readings that become deliveries, the state of each stream, who owns the query, and keys of senders."""

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


def downgrade() -> None:
    for table in ("telemetry_key", "stream_owner", "stream_state", "stream_hour"):
        op.drop_table(table)
