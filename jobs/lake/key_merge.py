"""Rows in memory merged by key with the rows of a table, as `Merge.sql` merges them on the engine; Arrow and pandas alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from deltalake import DeltaTable

from jobs.contracts.names import DELIVERY, FILE, ROW, SEQ
from jobs.lake.merge import Merge, quoted_list


@dataclass(frozen=True)
class Replacement:
    """What one commit writes: `rows` in place of those that match `predicate`; appended where it is empty."""

    rows: pa.Table
    predicate: str = ""


def replacement(table: DeltaTable, rows: pa.Table, merge: Merge) -> Replacement:
    """What merging `rows`, of one delivery and with the table's columns, writes; reads the table's keys alone.

    Rows of deliveries that `merge` removes leave, with or without another in their place.
    """
    removed = [name for name in (merge.retried, *merge.replaced) if name]
    own = [*pc.unique(rows[DELIVERY]).to_pylist(), *removed]
    of_removed = pa.array(removed, pa.string())
    # delta-rs refuses rows that the predicate does not match: it names the new delivery too.
    leaving = f"{DELIVERY} IN ({quoted_list(own)})" if removed else ""
    if not rows.num_rows:
        return Replacement(rows, leaving)
    existing = _existing(table, rows, merge)
    written, is_replaced = _merged(existing, rows, merge, pc.is_in(existing[DELIVERY], of_removed))
    replaced = existing.filter(pa.array(is_replaced))
    if not replaced.num_rows:
        return Replacement(written, leaving)
    # The table's other rows within the predicate are written back as they are.
    touched = table.to_pyarrow_dataset().to_table(filter=_touched(replaced) & ~ds.field(DELIVERY).isin(of_removed))
    kept = touched.filter(pa.array(~same_keys(touched, replaced, merge.key)))
    predicate = f"({_touched_sql(replaced)}) OR {DELIVERY} IN ({quoted_list(own)})"
    return Replacement(pa.concat_tables([kept.cast(written.schema), written]), predicate)


def without(table: DeltaTable, rows: pa.Table) -> Replacement:
    """What removing these rows writes, by delivery, file and row number; reads only the rows between them."""
    touched = table.to_pyarrow_dataset().to_table(filter=_touched(rows))
    kept = touched.filter(pa.array(~same_keys(touched, rows, (DELIVERY, FILE, ROW))))
    return Replacement(kept, _touched_sql(rows))


def _existing(table: DeltaTable, rows: pa.Table, merge: Merge) -> pa.Table:
    """Key, sequence and place of the rows that may have one of the keys."""
    own = {field.name for field in table.schema().fields}
    columns = dict.fromkeys((*merge.key, SEQ, DELIVERY, ROW, *(n for n in (merge.earliest,) if n in own)))
    within = within_range(rows.to_batches(), merge.key)
    return table.to_pyarrow_dataset().to_table(columns=list(columns), filter=within)


def within_range(batches: Iterable[pa.RecordBatch], key: Sequence[str]) -> ds.Expression:
    """Rows whose key fields lie within the range of those in the batches; a field that is empty in some of them is ignored."""
    ends = [[_ends(batch[name]) for name in key] for batch in batches if batch.num_rows]
    within = ds.scalar(True)
    for name, found in zip(key, zip(*ends, strict=True), strict=bool(ends)):
        if all(end is not None for end in found):
            span = pc.min_max(pa.concat_arrays(found))
            within &= (ds.field(name) >= span["min"]) & (ds.field(name) <= span["max"])
    return within


def _ends(values: pa.Array) -> pa.Array | None:
    """The least and the greatest value; None where one is null."""
    if values.null_count:
        return None
    span = pc.min_max(values)
    return pa.array([span["min"].as_py(), span["max"].as_py()], values.type)


def _merged(existing: pa.Table, rows: pa.Table, merge: Merge, leaves: pa.ChunkedArray) -> tuple[pa.Table, np.ndarray]:
    """The rows to write, and which existing rows they replace; `leaves`: existing rows that are removed in any case."""
    ours, theirs = _codes(rows, existing, merge.key)
    is_leaving = np.asarray(leaves.to_numpy(), dtype=bool)
    newest = pd.Series(existing[SEQ].to_numpy()[~is_leaving]).groupby(theirs[~is_leaving]).max().reindex(ours)
    is_new = newest.isna().to_numpy()
    is_later = rows[SEQ].to_numpy() >= newest.fillna(0).to_numpy()
    if merge.newer is not None:
        of_newer = np.asarray(pc.is_in(existing[DELIVERY], pa.array(merge.newer, existing[DELIVERY].type)))
        is_later = ~np.isin(ours, theirs[of_newer & ~is_leaving])
    is_update = ~is_new & is_later & merge.latest_wins
    is_replaced = np.isin(theirs, ours[is_update]) & ~is_leaving
    written = rows.filter(pa.array(is_new | is_update))
    gives_date = is_replaced | is_leaving
    if merge.earliest in existing.column_names and gives_date.any():
        dates = existing[merge.earliest].filter(pa.array(gives_date)).to_pylist()
        known = _earliest(dates, theirs[gives_date], ours[is_new | is_update])
        earliest = pc.min_element_wise(
            written[merge.earliest], pa.chunked_array([known.cast(written[merge.earliest].type)])
        )
        written = written.set_column(written.column_names.index(merge.earliest), merge.earliest, earliest)
    return written, is_replaced


def _earliest(dates: Sequence[date | None], keys: np.ndarray, wanted: np.ndarray) -> pa.Array:
    """The smallest date of each wanted key; null where it has none."""
    by_key: dict[int, date] = {}
    for key, day in zip(keys.tolist(), dates, strict=True):
        if day is not None and day < by_key.get(key, date.max):
            by_key[key] = day
    return pa.array([by_key.get(key) for key in wanted.tolist()], pa.date32())


def _codes(rows: pa.Table, others: pa.Table, key: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """One number for each key of both tables, the same for equal keys; null equals null."""
    codes = np.zeros(rows.num_rows + others.num_rows, dtype=np.int64)
    for name in key:
        both = pa.concat_arrays([*rows[name].chunks, *(c.cast(rows[name].type) for c in others[name].chunks)])
        values = both.dictionary_encode(null_encoding="encode").indices.to_numpy()
        # Numbered anew after each column, so that the product of two numbers stays small.
        codes = np.unique(codes * (len(codes) + 1) + values, return_inverse=True)[1]
    return codes[: rows.num_rows], codes[rows.num_rows :]


def same_keys(rows: pa.Table, others: pa.Table, key: Sequence[str]) -> np.ndarray:
    """Which of the rows have a key that others have; null equals null."""
    ours, theirs = _codes(rows, others, key)
    return np.isin(ours, theirs)


def _touched(replaced: pa.Table) -> ds.Expression:
    ends = pc.min_max(replaced[ROW])
    deliveries = pc.unique(replaced[DELIVERY])
    return ds.field(DELIVERY).isin(deliveries) & (ds.field(ROW) >= ends["min"]) & (ds.field(ROW) <= ends["max"])


def _touched_sql(replaced: pa.Table) -> str:
    """The same rows in SQL: whole deliveries between two rows, however many keys there are."""
    ends = pc.min_max(replaced[ROW])
    deliveries = quoted_list(pc.unique(replaced[DELIVERY]).to_pylist())
    return f"{DELIVERY} IN ({deliveries}) AND {ROW} BETWEEN {ends['min']} AND {ends['max']}"
