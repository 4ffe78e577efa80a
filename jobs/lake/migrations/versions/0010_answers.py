"""Of each upload: the tickets that it answers, and what a first look at the file found."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("upload", sa.Column("answers", sa.Text, nullable=False, server_default=""))
    op.add_column("upload", sa.Column("first_look", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("upload", "first_look")
    op.drop_column("upload", "answers")
