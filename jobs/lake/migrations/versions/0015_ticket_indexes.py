"""Indexes by which the tickets that wait for a department or a role are counted on each page of the portal."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
NEW = {
    "ix_ticket_provider_state": ["provider", "state", "kind"],
    "ix_ticket_requester_state": ["requester", "state", "kind"],
    "ix_ticket_state_kind": ["state", "kind"],
}
OLD = ("provider", "requester", "state")
"""Columns with an index of their own, which is the beginning of a new one."""


def upgrade() -> None:
    for name, columns in NEW.items():
        op.create_index(name, "ticket", columns)
    for column in OLD:
        op.drop_index(f"ix_ticket_{column}", "ticket")


def downgrade() -> None:
    for column in OLD:
        op.create_index(f"ix_ticket_{column}", "ticket", [column])
    for name in NEW:
        op.drop_index(name, "ticket")
