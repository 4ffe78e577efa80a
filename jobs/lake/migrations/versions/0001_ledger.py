"""Deliveries, sightings, builds."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SEQ = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _create_deliveries()
    _create_sightings()
    _create_builds()


def _create_deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("seq", SEQ, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(80), nullable=False, unique=True),
        sa.Column("dataset", sa.String(120), nullable=False, index=True),
        sa.Column("provider", sa.String(120), nullable=False),
        sa.Column("state", sa.String(32), nullable=False, index=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("objects", sa.JSON, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("etag", sa.String(200), nullable=False),
        sa.Column("sender", sa.String(200), nullable=False),
        sa.Column("declared_rows", sa.BigInteger),
        sa.Column("counted_rows", sa.BigInteger),
        sa.Column("supersedes", sa.String(80)),
        sa.Column("superseded_by", sa.String(80)),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("conform_started", sa.Boolean, nullable=False),
        sa.UniqueConstraint("dataset", "sha256"),
    )


def _create_sightings() -> None:
    op.create_table(
        "sighting",
        sa.Column("id", SEQ, primary_key=True, autoincrement=True),
        sa.Column("delivery", sa.String(80), sa.ForeignKey("delivery.id"), nullable=False, index=True),
        sa.Column("object", sa.String(1024), nullable=False),
        sa.Column("etag", sa.String(200), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_repeat", sa.Boolean, nullable=False),
        sa.UniqueConstraint("object", "etag"),
    )


def _create_builds() -> None:
    op.create_table(
        "build",
        sa.Column("product", sa.String(120), primary_key=True),
        sa.Column("inputs", sa.JSON, nullable=False),
        sa.Column("table_version", sa.Integer, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("build")
    op.drop_table("sighting")
    op.drop_table("delivery")
