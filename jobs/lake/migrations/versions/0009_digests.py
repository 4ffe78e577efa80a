"""Digests of each delivery: of its rows, which may come again in other bytes, and of the layout by which it was read."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("rows_digest", sa.String(64), nullable=False, server_default=""))
    op.add_column("delivery", sa.Column("layout_digest", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("delivery", "layout_digest")
    op.drop_column("delivery", "rows_digest")
