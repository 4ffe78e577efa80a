"""Builds of products: the recipe by which the last one was made, so that another recipe builds the whole product again."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("build", sa.Column("recipe", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("build", "recipe")
