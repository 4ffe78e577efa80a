"""Departments formerly responsible for a ticket can still read it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ticket_party = op.create_table(
        "ticket_party",
        sa.Column("ticket", sa.String(20), sa.ForeignKey("ticket.id"), primary_key=True),
        sa.Column("department", sa.String(120), primary_key=True),
    )
    op.create_index("ix_ticket_party_department", "ticket_party", ["department"])
    columns = [sa.column("ticket"), sa.column("effects", sa.JSON)]
    events = op.get_bind().execute(sa.select(*columns).select_from(sa.table("ticket_event", *columns)))
    parties = {(row.ticket, row.effects["provider"]) for row in events if row.effects.get("provider")}
    op.bulk_insert(
        ticket_party, [{"ticket": ticket, "department": department} for ticket, department in sorted(parties)]
    )


def downgrade() -> None:
    op.drop_table("ticket_party")
