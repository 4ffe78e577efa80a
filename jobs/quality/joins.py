"""Small tables of the engine that larger ones are joined with."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# Larger tables are joined by a shuffle: a broadcast would not fit into memory together with the query.
BROADCAST_ROWS = 1_000_000


def cached(rows: DataFrame) -> tuple[DataFrame, int]:
    """The rows, computed once and cached in Spark, and their number: mostly 0, so that no join is needed."""
    # Counted before the wide pass: with the size known, most joins are skipped or become broadcasts.
    cached_rows = rows.persist()
    return cached_rows, cached_rows.count()


def broadcast(rows: DataFrame, size: int) -> DataFrame:
    """The rows, broadcast in a join where they are few."""
    return F.broadcast(rows) if size <= BROADCAST_ROWS else rows
