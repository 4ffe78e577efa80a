"""Failing rows of deliveries by rule and key, and which of them came again in a later delivery."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from jobs.contracts import Contract
from jobs.contracts.names import RECEIVED
from jobs.lake.lake import Lake
from jobs.lake.row_filter import RowFilter, rows_of_id
from jobs.lake.system_tables import system_table
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery
from jobs.pipeline.recheck import Recheck

PLACE = "row:"
NO_KEY = (None, "{}")
Rows = Mapping[str, int]
"""Key → how many rows have it; a row without a key stands under its place in the file."""


def failed_rows(lake: Lake, contract: Contract, delivery: str) -> dict[str, Rows]:
    """The failing rows of a delivery by rule, from its evidence."""
    table = lake.delta.open(lake.path(Zone.EVIDENCE, contract.id))
    if table is None:
        return {}
    found: dict[str, dict[str, int]] = {}
    filters = rows_of_id(lake.ledger, delivery).terms(table)
    rows = table.to_pyarrow_table(columns=["rule", "key", "_file", "_row"], filters=filters)
    for batch in rows.to_batches():
        for rule, key, file, row in zip(*(batch[name].to_pylist() for name in batch.schema.names), strict=True):
            name = place(file, row) if key in NO_KEY else key
            mine = found.setdefault(rule, {})
            mine[name] = mine.get(name, 0) + 1
    return dict(found)


def place(file: str, row: int) -> str:
    """What stands for a row that has no key."""
    return f"{PLACE}{file}:{row}"


def redelivered_keys(lake: Lake, contract: Contract, but: str = "") -> dict[tuple[str, str], set[str]]:
    """(ticket, delivery) → keys of its failing rows that a later delivery brought again; without what `but` brought."""
    table = lake.delta.open(lake.path(Zone.PROOFS, contract.id))
    found: dict[tuple[str, str], set[str]] = {}
    if table is None:
        return found
    rows = table.to_pyarrow_table(columns=["ticket", "delivery", "key"], filters=[("proved_by", "!=", but)])
    for ticket, delivery, key in zip(*(rows[name].to_pylist() for name in rows.schema.names), strict=True):
        found.setdefault((ticket, delivery), set()).add(key)
    return found


def write_proofs(lake: Lake, contract: Contract, delivery: Delivery, found: Sequence[Recheck], now: datetime) -> None:
    """Remember which failing rows the delivery brought again, in place of what was remembered of it before."""
    path, table, day = lake.path(Zone.PROOFS, contract.id), system_table(Zone.PROOFS), delivery.received_date()
    stamps = {table.replace_by: delivery.id, RECEIVED: day, "proved_at": now}
    rows = [
        {**stamps, "ticket": one.asked.ticket, "rule": one.asked.rule}
        | {"delivery": one.asked.delivery, "key": key, "outcome": outcome}
        for one in found
        for outcome, keys in (("mended", one.mended), ("remaining", one.remaining))
        for key in sorted(keys)
    ]
    if rows or lake.delta.holds(path, RowFilter(table.replace_by, delivery.id, day)):
        batches = pa.Table.from_pylist(rows, schema=table.schema).to_batches()
        lake.delta.replace(path, table, batches, delivery.id, day)
