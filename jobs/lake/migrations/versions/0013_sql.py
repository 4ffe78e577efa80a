"""The SQL service: the log of queries, tokens of its users, and saved queries."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
MOMENT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "sql_query",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("at", MOMENT, nullable=False, index=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("department", sa.String(120), nullable=False, index=True),
        sa.Column("way", sa.String(20), nullable=False),
        sa.Column("sql", sa.Text, nullable=False),
        sa.Column("tables", sa.JSON, nullable=False),
        sa.Column("grade", sa.String(2), nullable=False),
        sa.Column("is_sensitive", sa.Boolean, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "sql_token",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("account", NUMBER, sa.ForeignKey("account.id"), nullable=False, index=True),
        sa.Column("stored_key", sa.String(64), nullable=False),
        sa.Column("server_key", sa.String(64), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
    )
    op.create_table(
        "sql_saved",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("owner", NUMBER, sa.ForeignKey("account.id"), nullable=False, index=True),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("sql", sa.Text, nullable=False),
        sa.Column("is_shared", sa.Boolean, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
    )


def downgrade() -> None:
    for table in ("sql_saved", "sql_token", "sql_query"):
        op.drop_table(table)
