"""The access log as a chain of hashes; existing rows become its beginning, unchanged."""

import hashlib
import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

START = "0" * 64
PARTS = ("name", "role", "department", "action", "object", "dataset", "grade", "reason")


def upgrade() -> None:
    with op.batch_alter_table("access_log") as table:
        table.add_column(sa.Column("seq", sa.BigInteger))
        table.add_column(sa.Column("prev", sa.String(64)))
        table.add_column(sa.Column("hash", sa.String(64)))
    seq, end = _chained(op.get_bind())
    with op.batch_alter_table("access_log") as table:
        for name, kind in (("seq", sa.BigInteger()), ("prev", sa.String(64)), ("hash", sa.String(64))):
            table.alter_column(name, existing_type=kind, nullable=False)
        table.create_unique_constraint("access_log_seq_key", ["seq"])
    chain = op.create_table(
        "access_chain",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.bulk_insert(chain, [{"id": 1, "seq": seq, "hash": end}])


def _chained(connection: sa.Connection) -> tuple[int, str]:
    """Number and hash of the last row."""
    columns = [sa.column("id"), sa.column("at", sa.DateTime(timezone=True)), *(sa.column(name) for name in PARTS)]
    log = sa.table("access_log", *columns, sa.column("seq"), sa.column("prev"), sa.column("hash"))
    seq, prev = 0, START
    for row in connection.execute(sa.select(*columns).order_by(log.c.id)).mappings().all():
        seq += 1
        body = {name: row[name] for name in PARTS} | {"seq": seq, "prev": prev, "at": _utc(row["at"]).isoformat()}
        text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(text.encode()).hexdigest()
        connection.execute(log.update().where(log.c.id == row["id"]).values(seq=seq, prev=prev, hash=digest))
        prev = digest
    return seq, prev


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def downgrade() -> None:
    op.drop_table("access_chain")
    with op.batch_alter_table("access_log") as table:
        table.drop_constraint("access_log_seq_key", type_="unique")
        for name in ("hash", "prev", "seq"):
            table.drop_column(name)
