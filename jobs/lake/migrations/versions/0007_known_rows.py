"""Rows to correct are counted once: rows already known to a ticket are recorded, absent rows count as remaining."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    names = ("failed_rows", "remaining_rows", "absent_rows", "known_rows", "replaced_by")
    table = sa.table("ticket_evidence", *(sa.column(name) for name in names))
    replaced = table.c.replaced_by
    with op.batch_alter_table("ticket_evidence") as batch:
        batch.add_column(sa.Column("known_rows", sa.BigInteger, nullable=False, server_default="0"))
    of_replaced = sa.case(
        (replaced.is_not(None), table.c.absent_rows), else_=table.c.remaining_rows + table.c.absent_rows
    )
    counted_again = sa.case((replaced.is_not(None), table.c.failed_rows), else_=0)
    op.execute(sa.update(table).values({table.c.remaining_rows: of_replaced, table.c.known_rows: counted_again}))
    with op.batch_alter_table("ticket_evidence") as batch:
        batch.alter_column("known_rows", existing_type=sa.BigInteger, server_default=None)
        batch.drop_column("failed_keys")
        batch.drop_column("absent_rows")


def downgrade() -> None:
    with op.batch_alter_table("ticket_evidence") as batch:
        batch.add_column(sa.Column("failed_keys", sa.BigInteger))
        batch.add_column(sa.Column("absent_rows", sa.BigInteger, nullable=False, server_default="0"))
        batch.drop_column("known_rows")
