"""Conditions packed into bigint columns: one bit per condition, cheap to write and to count."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

BITS = 62
"""Conditions per column; bit 63 would be the sign."""
FEW_COLUMNS = 2
"""Up to so many bit columns, asking them all costs less than one more step over every row."""
ANY = "_any"
"""Prefix of the column that says whether any condition held."""
BIT_COLUMNS = re.compile(r"_(mask|seen|fix|clock)\d+")
"""Bit columns of evaluated rows: verdicts, rows that a rule checked, repairs, clock changes."""


def bit_columns(conditions: Sequence[Column], prefix: str) -> list[Column]:
    """Conditions as `<prefix>0`, `<prefix>1`, …; a null condition counts as false."""
    columns = []
    for start in range(0, len(conditions), BITS):
        bits = [
            F.when(condition, F.lit(1 << offset).cast("bigint")).otherwise(F.lit(0).cast("bigint"))
            for offset, condition in enumerate(conditions[start : start + BITS])
        ]
        columns.append(_sum(bits).alias(f"{prefix}{start // BITS}"))
    return columns


def column_names(conditions: int, prefix: str) -> list[str]:
    """Names of the columns that so many conditions need."""
    return [f"{prefix}{start // BITS}" for start in range(0, conditions, BITS)]


def _sum(terms: Sequence[Column]) -> Column:
    """The sum as a balanced tree: Spark Connect's messages may be nested 100 deep, and a chain of 62 is deeper."""
    half = len(terms) // 2
    return terms[0] if half == 0 else _sum(terms[:half]) + _sum(terms[half:])


def balanced(join: Callable[[Column, Column], Column], columns: Sequence[Column]) -> Column:
    """All columns joined as a tree of low depth; the engine's protocol refuses expressions nested a hundred deep."""
    if len(columns) == 1:
        return columns[0]
    middle = len(columns) // 2
    return join(balanced(join, columns[:middle]), balanced(join, columns[middle:]))


def is_set(index: int, prefix: str) -> Column:
    """Whether condition number `index` held for the row."""
    return F.col(f"{prefix}{index // BITS}").bitwiseAND(F.lit(1 << index % BITS)) != 0


def any_set(indexes: Sequence[int], prefix: str) -> Column:
    """Whether any of the numbered conditions held for the row."""
    masks = _masks(indexes)
    conditions = [F.col(f"{prefix}{place}").bitwiseAND(F.lit(mask)) != 0 for place, mask in masks.items()]
    return balanced(Column.__or__, conditions) if conditions else F.lit(False)


def any_held(conditions: int, prefix: str) -> Column:
    """Whether any of so many conditions held for the row; over rows of `with_any_held`."""
    if len(column_names(conditions, prefix)) > FEW_COLUMNS:
        return F.col(ANY + prefix)
    return any_set(range(conditions), prefix)


def with_any_held(rows: DataFrame, conditions: int, prefix: str) -> DataFrame:
    """The rows, with the answer as a column where many bit columns would make it long at each of its uses."""
    if len(column_names(conditions, prefix)) <= FEW_COLUMNS:
        return rows
    return rows.select("*", any_set(range(conditions), prefix).alias(ANY + prefix))


@dataclass(frozen=True)
class AnyBit:
    """Whether any of the numbered conditions held for a row; without a prefix, true of every row."""

    prefix: str = ""
    indexes: tuple[int, ...] = ()

    def column(self) -> Column:
        """As an engine column."""
        return any_set(self.indexes, self.prefix) if self.prefix else F.lit(True)

    def rows(self, table: pa.Table | pa.RecordBatch) -> np.ndarray:
        """For rows in memory, one boolean each."""
        if not self.prefix:
            return np.ones(table.num_rows, dtype=bool)
        held = np.zeros(table.num_rows, dtype=bool)
        for place, mask in _masks(self.indexes).items():
            held |= table[f"{self.prefix}{place}"].to_numpy() & np.int64(mask) != 0
        return held


def _masks(indexes: Sequence[int]) -> dict[int, int]:
    """Number of a bit column → the bits of the numbered conditions in it."""
    masks: dict[int, int] = {}
    for index in indexes:
        masks[index // BITS] = masks.get(index // BITS, 0) | 1 << index % BITS
    return masks


def count_true(condition: Column) -> Column:
    """Aggregate: rows for which the condition holds; 0 for no rows."""
    return F.coalesce(F.sum(F.when(condition, 1).otherwise(0)), F.lit(0)).cast("bigint")


def quoted(name: str) -> str:
    """A column's name in backticks, for names with any characters."""
    return "`" + name.replace("`", "``") + "`"
