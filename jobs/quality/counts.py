"""How many rows meet each of many conditions on their bits, and the sums of measures, in one pass.

Rows are first grouped by their bit columns: most rows of a delivery share a few combinations. Conditions are evaluated
on those few groups, so that counting a hundred rules costs no more per row than counting ten.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from jobs.lake.bits import BIT_COLUMNS, AnyBit

ROWS = "_n"


def count_groups(
    rows: DataFrame, by: str, conditions: Mapping[str, AnyBit], sums: Mapping[str, Column]
) -> tuple[dict[str, dict[str, int]], dict[str, float]]:
    """Rows that meet each condition, by value of the column `by` ("" where none is named); and the sums over all rows.

    `conditions` read bit columns only; `sums` are aggregates whose parts can be added up.
    """
    keys = [by] if by else []
    groups = _groups(rows, keys, sums)
    counted = [
        F.sum(F.when(condition.column(), F.col(ROWS)).otherwise(0)).alias(f"c{i}")
        for i, condition in enumerate(conditions.values())
    ]
    summed = [F.sum(f"_s{i}").alias(f"s{i}") for i in range(len(sums))]
    group_rows = groups.groupBy(*keys).agg(*counted, *summed).collect()
    counts = {
        str(row[by] if by else ""): {name: int(row[f"c{i}"] or 0) for i, name in enumerate(conditions)}
        for row in group_rows
    }
    return counts, {name: _total(group_rows, f"s{i}") for i, name in enumerate(sums)}


def _total(rows: Sequence[Row], column: str) -> float:
    return float(sum(row[column] or 0 for row in rows))


def _groups(rows: DataFrame, keys: Sequence[str], sums: Mapping[str, Column]) -> DataFrame:
    """Rows counted by their bits, with the partial sums."""
    bits = [name for name in rows.columns if BIT_COLUMNS.fullmatch(name)]
    parts = [aggregate.alias(f"_s{i}") for i, aggregate in enumerate(sums.values())]
    return rows.groupBy(*keys, *bits).agg(F.count(F.lit(1)).alias(ROWS), *parts)


def count_table(rows: pa.Table, by: str, conditions: Mapping[str, AnyBit]) -> dict[str, dict[str, int]]:
    """The same counts of rows in memory."""
    values = rows[by].to_numpy(zero_copy_only=False) if by else np.full(rows.num_rows, "")
    held = {name: condition.rows(rows) for name, condition in conditions.items()}
    groups = np.unique(values) if by else [""]
    return {
        str(group): {name: int(np.count_nonzero(rows_held & (values == group))) for name, rows_held in held.items()}
        for group in groups
    }
