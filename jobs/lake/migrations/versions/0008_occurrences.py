"""The same bytes may be delivered again after a newer delivery: occurrences of content, and sightings of objects."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SEQ = sa.BigInteger().with_variant(sa.Integer, "sqlite")
NAMING = {"uq": "%(table_name)s_%(column_0_N_name)s_key"}
"""PostgreSQL's default constraint names; constraints in SQLite have none, and are addressed by these."""


def upgrade() -> None:
    """Sightings are set aside while the ledger is rebuilt: SQLite drops no table that others reference."""
    sightings = _dropped_sightings()
    with op.batch_alter_table("delivery", naming_convention=NAMING) as table:
        table.add_column(sa.Column("occurrence", sa.Integer, nullable=False, server_default="1"))
        table.drop_constraint("delivery_dataset_sha256_key", type_="unique")
        table.create_unique_constraint("delivery_dataset_sha256_occurrence_key", ["dataset", "sha256", "occurrence"])
    _restore_sightings(sightings, ["object", "etag", "delivery"])


def downgrade() -> None:
    """Later occurrences of content become repeats of the first, and are no deliveries any more."""
    sightings = _dropped_sightings()
    first = _first_of_content()
    rows = {(row["object"], row["etag"]): {**row, "delivery": first[row["delivery"]]} for row in reversed(sightings)}
    delivery = sa.table("delivery", sa.column("occurrence"))
    op.execute(delivery.delete().where(delivery.c.occurrence > 1))
    with op.batch_alter_table("delivery", naming_convention=NAMING) as table:
        table.drop_constraint("delivery_dataset_sha256_occurrence_key", type_="unique")
        table.drop_column("occurrence")
        table.create_unique_constraint("delivery_dataset_sha256_key", ["dataset", "sha256"])
    _restore_sightings(list(reversed(rows.values())), ["object", "etag"])


def _first_of_content() -> dict[str, str]:
    """Delivery → the first one of the same content."""
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in ("id", "dataset", "sha256", "occurrence")]
    delivery = sa.select(*columns).select_from(sa.table("delivery", *columns))
    rows = op.get_bind().execute(delivery).all()
    first = {(row.dataset, row.sha256): row.id for row in rows if row.occurrence == 1}
    return {row.id: first[row.dataset, row.sha256] for row in rows}


def _dropped_sightings() -> list[dict[str, Any]]:
    """The rows of the sightings table in order; the table is dropped."""
    table = sa.table("sighting", *_columns())
    rows = op.get_bind().execute(sa.select(*_columns()).select_from(table).order_by(sa.column("id"))).mappings()
    sightings = [dict(row) for row in rows]
    op.drop_table("sighting")
    return sightings


def _columns() -> list[sa.ColumnClause[Any]]:
    texts = [sa.column(name, sa.String()) for name in ("delivery", "object", "etag")]
    return [*texts, sa.column("seen_at", sa.DateTime(timezone=True)), sa.column("is_repeat", sa.Boolean())]


def _restore_sightings(rows: list[dict[str, Any]], unique: list[str]) -> None:
    sighting = op.create_table(
        "sighting",
        sa.Column("id", SEQ, primary_key=True, autoincrement=True),
        sa.Column("delivery", sa.String(80), sa.ForeignKey("delivery.id"), nullable=False, index=True),
        sa.Column("object", sa.String(1024), nullable=False),
        sa.Column("etag", sa.String(200), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_repeat", sa.Boolean, nullable=False),
        sa.UniqueConstraint(*unique),
    )
    op.bulk_insert(sighting, rows)
