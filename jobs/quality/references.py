"""Values that must occur in another dataset: unknown ones, and those whose rows are held back there; for both paths."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.lake.named_rows import NamedRows
from jobs.lake.prepared_plans import in_engine
from jobs.quality.joins import broadcast, few_or_cached
from jobs.quality.plan import Plan, Reference

SENT, IS_HELD_BACK = "_sent", "_is_held_back"


@dataclass(frozen=True)
class OtherTables:
    """How a plan reads other datasets: rows as engine columns, all values of a field, or those of rows held back there."""

    rows: Callable[[str], NamedRows]
    values: Callable[[str, str], pa.ChunkedArray]
    held_back: Callable[[str, str], pa.Array]
    """Values as text, of a field of the primary key."""
    neighbours: NamedRows | None = None
    """Further rows of the same dataset that rules over neighbouring readings see."""


def with_reference_flags(
    flagged: DataFrame, plan: Plan, others: OtherTables, cached_tables: list[DataFrame]
) -> DataFrame:
    """The rows with the flag of each reference; rows held back elsewhere are read only where a value is unknown."""
    for references in plan.sources():
        first = references[0]
        known = others.rows(first.dataset).frame.select(F.col(first.field).alias("value")).distinct()
        sent = flagged.select(F.col(first.column).alias(SENT)).filter(f"{SENT} IS NOT NULL").distinct()
        absent = sent.join(known, F.col(SENT) == F.col("value"), "left_anti")
        unknown, size = few_or_cached(absent, cached_tables)
        if size == 0:
            flagged = flagged.withColumns({reference.flag: F.lit(False) for reference in references})
            continue
        judged = broadcast(_with_held_back(unknown, first, others), size)
        joined = flagged.join(judged, F.col(first.column) == F.col(SENT), "left")
        flags = {r.flag: F.col(SENT).isNotNull() & _applies(r) for r in references}
        flagged = joined.withColumns(flags).drop(SENT, IS_HELD_BACK)
    return flagged


def _with_held_back(unknown: DataFrame, reference: Reference, others: OtherTables) -> DataFrame:
    if not reference.includes_held_back:
        return unknown.withColumn(IS_HELD_BACK, F.lit(False))
    values = others.held_back(reference.dataset, reference.field)
    held_back = in_engine(unknown.sparkSession, pa.table({"_value": values})).withColumn(IS_HELD_BACK, F.lit(True))
    joined = unknown.join(broadcast(held_back, len(values)), F.col(SENT).cast("string") == F.col("_value"), "left")
    return joined.select(SENT, F.coalesce(IS_HELD_BACK, F.lit(False)).alias(IS_HELD_BACK))


def _applies(reference: Reference) -> Column:
    if reference.is_held_back:
        return F.col(IS_HELD_BACK)
    return ~F.col(IS_HELD_BACK) if reference.includes_held_back else F.lit(True)


def flags_of_references(table: pa.Table, plan: Plan, others: OtherTables) -> dict[str, np.ndarray]:
    """Flag of each reference of rows in memory; an empty value is neither unknown nor held back."""
    flags = {}
    for references in plan.sources():
        first = references[0]
        sent = table[first.column]
        known = pc.unique(others.values(first.dataset, first.field).cast(sent.type))
        unknown = pc.and_(pc.is_valid(sent), pc.invert(pc.is_in(sent, value_set=known)))
        held_back = _held_back(sent, unknown, first, others)
        for reference in references:
            flags[reference.flag] = _flag(reference, unknown, held_back)
    return flags


def _held_back(
    sent: pa.ChunkedArray, unknown: pa.ChunkedArray, reference: Reference, others: OtherTables
) -> pa.ChunkedArray:
    """Which of the unknown values are held back at their own department."""
    if not reference.includes_held_back or not pc.any(unknown).as_py():
        return pc.and_(unknown, False)
    values = others.held_back(reference.dataset, reference.field)
    return pc.and_(unknown, pc.is_in(sent.cast(pa.string()), value_set=values))


def _flag(reference: Reference, unknown: pa.ChunkedArray, held_back: pa.ChunkedArray) -> np.ndarray:
    if reference.is_held_back:
        flag = held_back
    else:
        flag = pc.and_(unknown, pc.invert(held_back)) if reference.includes_held_back else unknown
    return np.asarray(flag.to_numpy(), dtype=bool)
