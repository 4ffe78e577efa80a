"""Rows that leave silver because a full delivery no longer has them; each is recorded before it leaves."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import Contract
from jobs.contracts.names import DELIVERY, FILE, RECEIVED, REMOVED_ROWS, ROW
from jobs.lake.bits import AnyBit
from jobs.lake.key_merge import same_keys
from jobs.lake.lake import Lake
from jobs.lake.system_tables import system_table
from jobs.lake.zones import Zone
from jobs.model.delivery import ACCEPTED, Delivery
from jobs.pipeline.versions import Versions

if TYPE_CHECKING:
    from jobs.quality.evaluation import EvaluatedRows

PLACE = (DELIVERY, FILE, ROW)


@dataclass(frozen=True)
class Removal:
    """Rows of silver whose key a full delivery lacks, by key and place.

    `existing`: rows in silver before. `unread`: rows of the delivery whose key cannot be read; with any, no row is known to be gone.
    """

    rows: pa.Table
    existing: int = 0
    unread: int = 0

    def share(self) -> float:
        """Removed rows in percent of those in silver."""
        return 100 * self.rows.num_rows / self.existing if self.existing else 0.0


def removal_by(
    lake: Lake, contract: Contract, delivery: Delivery, evaluated: "EvaluatedRows", versions: Versions
) -> Removal | None:
    """What the delivery removes from silver; None where it does not hold the whole dataset, or silver is new."""
    path, key = lake.path(Zone.SILVER, contract.id), contract.key()
    version = versions(path)
    if not _is_full(contract, delivery) or version is None:
        return None
    existing = lake.delta.columns(path, version, (*key, *PLACE))
    keys, unread = _keys(contract, evaluated)
    if unread or not keys:
        return Removal(existing.slice(0, 0), existing.num_rows, unread)
    gone = ~same_keys(existing, pa.concat_tables(keys), key)
    return Removal(existing.filter(pa.array(gone)), existing.num_rows)


def _is_full(contract: Contract, delivery: Delivery) -> bool:
    return contract.write.full and not delivery.is_answer() and not delivery.superseded_by


def _keys(contract: Contract, evaluated: "EvaluatedRows") -> tuple[list[pa.Table], int]:
    """The keys of all rows of the delivery, good or held back, and the number of rows whose key cannot be read."""
    key = list(contract.key())
    about_shape = tuple(i for i, rule in enumerate(evaluated.rules) if rule.id == "row_shape")
    malformed = AnyBit("_mask", about_shape)
    columns = [*key, *(name for name in evaluated.columns() if name.startswith("_mask"))]
    keys, unread = [], 0
    for batch in evaluated.batches(columns):
        is_unread = malformed.rows(batch) if about_shape else np.zeros(batch.num_rows, dtype=bool)
        for name in key:
            if contract.field(name).required:
                is_unread = is_unread | np.asarray(batch[name].is_null())
        unread += int(is_unread.sum())
        keys.append(pa.Table.from_batches([batch]).select(key))
    return keys, unread


def removal_evidence(lake: Lake, contract: Contract, delivery: Delivery, rows: pa.Table) -> Iterator[pa.RecordBatch]:
    """Evidence of the removed rows: key, and the place from which each came; with those that an earlier attempt removed."""
    schema = system_table(Zone.EVIDENCE).schema
    recorded = _recorded(lake, contract, delivery)
    if recorded is not None:
        yield from recorded.select(schema.names).cast(schema).to_batches()
    key = contract.key()
    for batch in rows.to_batches():
        texts = [batch[name].cast(pa.string()).to_pylist() for name in key]
        keys = [
            json.dumps(dict(zip(key, parts, strict=True)), ensure_ascii=False) for parts in zip(*texts, strict=True)
        ]
        same = {DELIVERY: delivery.id, "rule": REMOVED_ROWS, "severity": "info", "field": ",".join(key)}
        columns = {name: pa.repeat(pa.scalar(text), batch.num_rows) for name, text in same.items()}
        columns |= {RECEIVED: pa.repeat(pa.scalar(delivery.received_date()), batch.num_rows)}
        columns |= {FILE: batch[FILE], ROW: batch[ROW], "key": pa.array(keys), "value": batch[DELIVERY]}
        columns["suggested"] = pa.nulls(batch.num_rows, pa.string())
        yield pa.RecordBatch.from_arrays([columns[n].cast(schema.field(n).type) for n in schema.names], schema=schema)


def removed_rows(lake: Lake, contract: Contract, delivery: Delivery) -> int | None:
    """Number of rows that the delivery removed, as recorded; None where it is no full delivery."""
    if not _is_full(contract, delivery):
        return None
    recorded = _recorded(lake, contract, delivery)
    return 0 if recorded is None else recorded.num_rows


def places_to_restore(lake: Lake, contract: Contract, delivery: Delivery, is_undone: bool) -> pa.Table | None:
    """Places of the rows that an earlier attempt of the delivery removed, where that attempt is undone.

    None where there are none, or a later full delivery lacks them too.
    """
    if not is_undone or not _is_full(contract, delivery):
        return None
    later = [d for d in lake.ledger.deliveries(contract.id) if d.seq > delivery.seq and d.state in ACCEPTED]
    if any(not other.is_answer() for other in later):
        return None
    recorded = _recorded(lake, contract, delivery)
    if recorded is None or not recorded.num_rows:
        return None
    # In evidence of removal, `value` has the delivery from which the row came.
    return pa.table({DELIVERY: recorded["value"], FILE: recorded[FILE], ROW: recorded[ROW]})


def _recorded(lake: Lake, contract: Contract, delivery: Delivery) -> pa.Table | None:
    found = lake.delta.rows(lake.path(Zone.EVIDENCE, contract.id), delivery)
    return None if found is None else found.filter(pc.equal(found["rule"], REMOVED_ROWS))
