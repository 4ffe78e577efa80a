"""How many rows fulfil each of many conditions on their bits, and the sums of measures, in one pass.

Rows are first counted by their bits as they stand: most rows of a delivery have the same few. Only those few
groups meet the conditions, so that counting a hundred rules costs the rows no more than counting ten.
"""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
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
    bits = [name for name in rows.columns if BIT_COLUMNS.fullmatch(name)]
    parts = [made.alias(f"_s{i}") for i, made in enumerate(sums.values())]
    groups = rows.groupBy(*keys, *bits).agg(F.count(F.lit(1)).alias(ROWS), *parts)
    counted = [F.sum(F.when(one, F.col(ROWS)).otherwise(0)).alias(f"c{i}") for i, one in enumerate(conditions.values())]
    summed = [F.sum(f"_s{i}").alias(f"s{i}") for i in range(len(parts))]
    found = [row.asDict() for row in groups.groupBy(*keys).agg(*counted, *summed).collect()]
    counts = {
        str(row.get(by, "")): {name: int(row[f"c{i}"] or 0) for i, name in enumerate(conditions)} for row in found
    }
    return counts, {name: float(sum(row[f"s{i}"] or 0 for row in found)) for i, name in enumerate(sums)}
