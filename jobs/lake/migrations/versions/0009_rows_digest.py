"""A digest of the rows of each delivery: the same rows may come in a file of other bytes."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("rows_digest", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("delivery", "rows_digest")
