"""Grants of data to others than its owner, and limits of single accounts in the SQL service."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
MOMENT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "access_grant",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("dataset", sa.String(120), nullable=False, index=True),
        sa.Column("department", sa.String(120), nullable=False, index=True),
        sa.Column("account", sa.String(60), nullable=False),
        sa.Column("view", sa.String(40), nullable=False),
        sa.Column("purpose", sa.String(500), nullable=False),
        sa.Column("basis", sa.String(500), nullable=False),
        sa.Column("given_by", sa.String(200), nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
    )
    op.create_table(
        "sql_limit",
        sa.Column("account", NUMBER, sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("seconds", sa.Integer, nullable=True),
        sa.Column("rows", sa.BigInteger, nullable=True),
        sa.Column("memory", sa.String(20), nullable=True),
        sa.Column("queries", sa.Integer, nullable=True),
    )


def downgrade() -> None:
    op.drop_table("sql_limit")
    op.drop_table("access_grant")
