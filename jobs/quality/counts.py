"""How many rows fulfil each of many conditions on their bits, and the sums of measures, in one pass.

Rows are first counted by their bits as they stand: most rows of a delivery have the same few. Only those few
groups meet the conditions, so that counting a hundred rules costs the rows no more than counting ten.
"""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from jobs.lake.bits import BIT_COLUMNS

ROWS = "_n"


def count_groups(
    rows: DataFrame, by: str, conditions: Mapping[str, Column], sums: Mapping[str, Column]
) -> tuple[dict[str, dict[str, int]], dict[str, float]]:
    """By the value of the column `by` ("" where none is named), how many rows fulfil each condition; and the sums of all.

    `conditions` look at columns of bits only; `sums` are aggregates whose parts can be added up.
    """
    keys = [by] if by else []
    groups = _groups(rows, keys, sums)
    counted = [F.sum(F.when(one, F.col(ROWS)).otherwise(0)).alias(f"c{i}") for i, one in enumerate(conditions.values())]
    summed = [F.sum(f"_s{i}").alias(f"s{i}") for i in range(len(sums))]
    found = groups.groupBy(*keys).agg(*counted, *summed).collect()
    counts = {
        str(row[by] if by else ""): {name: int(row[f"c{i}"] or 0) for i, name in enumerate(conditions)} for row in found
    }
    return counts, {name: _total(found, f"s{i}") for i, name in enumerate(sums)}


def _total(rows: Sequence[Row], column: str) -> float:
    return float(sum(row[column] or 0 for row in rows))


def _groups(rows: DataFrame, keys: Sequence[str], sums: Mapping[str, Column]) -> DataFrame:
    """Rows counted by their bits, with the parts of the sums."""
    bits = [name for name in rows.columns if BIT_COLUMNS.fullmatch(name)]
    parts = [made.alias(f"_s{i}") for i, made in enumerate(sums.values())]
    return rows.groupBy(*keys, *bits).agg(F.count(F.lit(1)).alias(ROWS), *parts)
