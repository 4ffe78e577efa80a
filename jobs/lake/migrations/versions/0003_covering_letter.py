"""Data of the covering letter: day of a delivery, tickets it answers; and when its tickets were opened."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("sent_on", sa.Date))
    op.add_column("delivery", sa.Column("answers", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("delivery", sa.Column("governed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("delivery", "governed_at")
    op.drop_column("delivery", "answers")
    op.drop_column("delivery", "sent_on")
