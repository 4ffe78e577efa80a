"""Typed rows → judged rows: every rule's verdict in a bit mask, duplicates and lost references joined in."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.contracts import MALFORMED, text_column
from jobs.lake.bits import any_set, bit_columns, count_true, is_set
from jobs.quality.conditions import Compiled
from jobs.quality.plan import COPIES, Group, Plan, Reference

COPY = "_copy"
MASK = "_mask"
SEEN = "_seen"
BROADCAST_ROWS = 1_000_000
"""More rows than these are joined by a shuffle: they would not fit beside the work."""


def judge(
    rows: DataFrame, plan: Plan, known: Callable[[str, str], DataFrame]
) -> tuple[DataFrame, tuple[DataFrame, ...]]:
    """Rows with a boolean column for each group and reference, and `_copy` for fully equal rows beyond the first.

    `known(dataset, field)` gives the distinct values of a curated field in one column named `value`. The second part
    of the answer is what was kept on the engine for it: the caller gives it back when the rows are no longer needed.
    """
    if plan.drops_copies:
        rows = rows.withColumn("_hash", F.xxhash64("_raw"))
    judged = rows
    kept: list[DataFrame] = []
    for group in plan.groups:
        found, size = _settled(_shared_values(rows, group, plan))
        kept.append(found)
        judged = _mark_group(judged, (found, size), group, plan)
    for reference in plan.references:
        lost, size = _settled(_lost_values(rows, reference, known(reference.dataset, reference.field)))
        kept.append(lost)
        judged = _mark_lost(judged, (lost, size), reference)
    judged = judged if COPY in judged.columns else judged.withColumn(COPY, F.lit(False))
    return judged, tuple(kept)


def _mark_group(judged: DataFrame, shared: tuple[DataFrame, int], group: Group, plan: Plan) -> DataFrame:
    columns = group.columns or ("_hash",)
    found, size = shared
    if size == 0:
        return judged.withColumn(group.flag, F.lit(False))
    finds_copies = plan.drops_copies and (group.flag == COPIES or group.columns == plan.contract.key())
    found = found.select(*(F.col(c).alias(f"_k_{c}") for c in columns), "_differs", "_first")
    same = [F.col(c).eqNullSafe(F.col(f"_k_{c}")) for c in columns]
    joined = judged.join(_broadcast(found, size), same, "left")
    marked = joined.withColumn(group.flag, F.coalesce(F.col("_differs"), F.lit(False)))
    if finds_copies:
        is_first = _place() == F.col("_first")
        marked = marked.withColumn(COPY, F.coalesce(~F.col("_differs") & ~is_first, F.lit(False)))
    return marked.drop("_differs", "_first", *(f"_k_{c}" for c in columns))


def _shared_values(rows: DataFrame, group: Group, plan: Plan) -> DataFrame:
    """Values that more than one row has, whether those rows differ, and the place of the first.

    What is kept beside each value has a fixed width, so that the engine groups by hash and need not sort.
    """
    columns = group.columns or ("_hash",)
    with_hash = plan.drops_copies and bool(group.columns)
    keys = rows.select(*columns, *(["_hash"] if with_hash else []), _place().alias("_place")).filter(
        _any_present(columns)
    )
    differs = F.min("_hash") != F.max("_hash") if with_hash else F.lit(group.rule is not None)
    first = F.min("_place").alias("_first")
    return keys.groupBy(*columns).agg(F.count(F.lit(1)).alias("_n"), differs.alias("_differs"), first).filter("_n > 1")


def _place() -> Column:
    """A row's place as one number of fixed width: its row in its file, then its file."""
    return F.col("_row").cast("decimal(38,0)") * F.lit(Decimal(10**19)) + F.xxhash64("_file")


def _any_present(columns: Sequence[str]) -> Column:
    present = F.lit(False)
    for column in columns:
        present = present | F.col(column).isNotNull()
    return present


def _lost_values(rows: DataFrame, reference: Reference, known: DataFrame) -> DataFrame:
    sent = rows.select(F.col(reference.column).alias("_sent")).filter("_sent IS NOT NULL").distinct()
    return sent.join(known, F.col("_sent") == F.col("value"), "left_anti")


def _mark_lost(judged: DataFrame, found: tuple[DataFrame, int], reference: Reference) -> DataFrame:
    lost, size = found
    if size == 0:
        return judged.withColumn(reference.flag, F.lit(False))
    joined = judged.join(_broadcast(lost, size), F.col(reference.column) == F.col("_sent"), "left")
    return joined.withColumn(reference.flag, F.col("_sent").isNotNull()).drop("_sent")


def _settled(few: DataFrame) -> tuple[DataFrame, int]:
    """The rows, computed once and kept on the engine, and how many they are: mostly none, so that no join is needed."""
    kept = few.persist()
    return kept, kept.count()


def _broadcast(few: DataFrame, size: int) -> DataFrame:
    return F.broadcast(few) if size <= BROADCAST_ROWS else few


def masked(judged: DataFrame, compiled: Compiled, keep: Sequence[str]) -> DataFrame:
    """The columns `keep`, the verdicts in `_mask…`, what they looked at in `_seen…`, and `_raw` of rows that break a rule.

    Fully equal copies are left out.
    """
    verdicts = bit_columns([f.unexpected for f in compiled.fused], MASK)
    seen = bit_columns(list(_looked_at(compiled).values()), SEEN)
    bits = [*(f"{MASK}{i}" for i in range(len(verdicts))), *(f"{SEEN}{i}" for i in range(len(seen)))]
    with_bits = judged.filter(~F.col(COPY)).select(*keep, "_raw", *verdicts, *seen)
    breaks = any_set(range(len(compiled.fused)), MASK)
    return with_bits.select(*keep, F.when(breaks, F.col("_raw")).alias("_raw"), *bits)


def counts(compiled: Compiled) -> dict[str, Column]:
    """Aggregates over masked rows that give every rule's GX metrics in one pass."""
    asked: dict[str, Column] = {"rows": F.count(F.lit(1))}
    for index in range(len(compiled.fused)):
        asked[f"bad{index}"] = count_true(is_set(index, MASK))
    for index, name in enumerate(_looked_at(compiled)):
        asked[name] = count_true(is_set(index, SEEN))
    for name, severity in (("failed", "critical"), ("warned", "warning")):
        indexes = [i for i, f in enumerate(compiled.fused) if f.rule.severity == severity]
        asked[name] = count_true(any_set(indexes, MASK))
    asked["broken"] = count_true(any_set(range(len(compiled.fused)), MASK))
    return asked


def _looked_at(compiled: Compiled) -> dict[str, Column]:
    """Conditions that the rules' denominators need, each once."""
    found: dict[str, Column] = {}
    for fused in compiled.fused:
        for kind, column in (("applies", fused.applies), ("missing", fused.missing), ("considered", fused.considered)):
            if column is not None:
                found.setdefault(f"{kind}:{column}", column)
    return found


def empty_rows(spark: SparkSession, plan: Plan) -> DataFrame:
    """No rows, in the shape that judged rows of the plan's dataset have."""
    columns = {MALFORMED: "string"}
    for field in plan.contract.fields:
        columns[text_column(field)] = "string"
        columns[field.name] = field.spark_type()
        if field.source.censored:
            columns[f"{field.name}_qualifier"] = "string"
    columns.update({group.flag: "boolean" for group in plan.groups})
    columns.update({reference.flag: "boolean" for reference in plan.references})
    return spark.createDataFrame([], ", ".join(f"`{name}` {kind}" for name, kind in columns.items()))
