"""Small tables of the engine that larger ones are joined with."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.lake.prepared_plans import in_engine
from jobs.lake.spark_tables import to_arrow

FEW_ROWS = 100_000
"""The client holds so many."""
# Larger tables are joined by a shuffle: a broadcast would not fit into memory together with the query.
BROADCAST_ROWS = 1_000_000


def few_or_cached(rows: DataFrame, cached_tables: list[DataFrame]) -> tuple[DataFrame, int]:
    """The rows, computed once, and their number: mostly 0, so that no join is needed.

    Few rows are held by the client: a cached table costs a query more, and the engine compares it with every later plan.
    Many are cached in Spark and appended to `cached_tables`.
    """
    # Counted before the wide pass: with the size known, most joins are skipped or become broadcasts.
    table = to_arrow(rows.limit(FEW_ROWS + 1))
    if table.num_rows <= FEW_ROWS:
        return in_engine(rows.sparkSession, table), table.num_rows
    cached_rows = rows.persist()
    cached_tables.append(cached_rows)
    return cached_rows, cached_rows.count()


def broadcast(rows: DataFrame, size: int) -> DataFrame:
    """The rows, broadcast in a join where they are few."""
    return F.broadcast(rows) if size <= BROADCAST_ROWS else rows


def repeated_pairs(pairs: pa.Table, names: tuple[str, str]) -> pa.Table:
    """Each pair of numbers that occurs more than once, once. `names`: the columns, the first with few equal numbers."""
    first = pairs[names[0]].to_numpy()
    ordered = np.sort(first)
    equal = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(equal):
        return pairs.slice(0, 0)
    counted = pairs.filter(pa.array(np.isin(first, equal))).group_by(list(names)).aggregate([([], "count_all")])
    return counted.filter(pc.greater(counted["count_all"], 1)).select(names)
