"""Failing rows of deliveries by rule and key, and which of them were redelivered."""

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
from jobs.model.rule_result import RuleRow
from jobs.pipeline.recheck import Recheck
from jobs.reporting.evidence import SHAPE

PLACE = "row:"
NO_KEY = (None, "{}")
Rows = Mapping[str, int]
"""Key → number of rows; a row without a key is counted under its place in the file."""


def failed_rows(lake: Lake, contract: Contract, delivery: str) -> dict[str, Rows]:
    """The failing rows of a delivery by rule, from its evidence."""
    table = lake.delta.open(lake.path(Zone.EVIDENCE, contract.id))
    if table is None:
        return {}
    rows_by_rule: dict[str, dict[str, int]] = {}
    filters = rows_of_id(lake.ledger, delivery).terms(table)
    rows = table.to_pyarrow_table(columns=["rule", "key", "_file", "_row"], filters=filters)
    for batch in rows.to_batches():
        for rule, key, file, row in zip(*(batch[name].to_pylist() for name in batch.schema.names), strict=True):
            row_key = place(file, row) if key in NO_KEY else key
            rows_by_key = rows_by_rule.setdefault(rule, {})
            rows_by_key[row_key] = rows_by_key.get(row_key, 0) + 1
    return dict(rows_by_rule)


def broken_by_malformed_rows_alone(
    lake: Lake, contract: Contract, delivery: str, results: Sequence[RuleRow]
) -> frozenset[str]:
    """Rules that none but malformed rows break: what such a row lacks follows from its shape, which has a ticket of its own."""
    table = lake.delta.open(lake.path(Zone.EVIDENCE, contract.id))
    if table is None or not any(result.rule == SHAPE and result.unexpected_count for result in results):
        return frozenset()
    filters = rows_of_id(lake.ledger, delivery).terms(table)
    places: dict[str, set[tuple[str, int]]] = {}
    for row in table.to_pyarrow_table(columns=["rule", "_file", "_row"], filters=filters).to_pylist():
        places.setdefault(row["rule"], set()).add((row["_file"], row["_row"]))
    malformed = places.pop(SHAPE, set())
    return frozenset(rule for rule, of_rule in places.items() if of_rule <= malformed)


def place(file: str, row: int) -> str:
    """The substitute key of a row that has none."""
    return f"{PLACE}{file}:{row}"


def redelivered_keys(lake: Lake, contract: Contract, except_by: str = "") -> dict[tuple[str, str], set[str]]:
    """(ticket, delivery) → keys of its failing rows that were redelivered; without those of the delivery `except_by`."""
    table = lake.delta.open(lake.path(Zone.PROOFS, contract.id))
    keys: dict[tuple[str, str], set[str]] = {}
    if table is None:
        return keys
    rows = table.to_pyarrow_table(columns=["ticket", "delivery", "key"], filters=[("proved_by", "!=", except_by)])
    for ticket, delivery, key in zip(*(rows[name].to_pylist() for name in rows.schema.names), strict=True):
        keys.setdefault((ticket, delivery), set()).add(key)
    return keys


def write_proofs(
    lake: Lake, contract: Contract, delivery: Delivery, rechecks: Sequence[Recheck], now: datetime
) -> None:
    """Store which failing rows the delivery redelivered, in place of its earlier proofs."""
    path, table, day = lake.path(Zone.PROOFS, contract.id), system_table(Zone.PROOFS), delivery.received_date()
    stamps = {table.replace_by: delivery.id, RECEIVED: day, "proved_at": now}
    rows = [
        {**stamps, "ticket": recheck.request.ticket, "rule": recheck.request.rule}
        | {"delivery": recheck.request.delivery, "key": key, "outcome": outcome}
        for recheck in rechecks
        for outcome, keys in (("mended", recheck.mended), ("remaining", recheck.remaining))
        for key in sorted(keys)
    ]
    if rows or lake.delta.holds(path, RowFilter(table.replace_by, delivery.id, day)):
        batches = pa.Table.from_pylist(rows, schema=table.schema).to_batches()
        lake.delta.replace(path, table, batches, delivery.id, day)
