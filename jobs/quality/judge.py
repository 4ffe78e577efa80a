"""Typed rows → judged rows: every rule's verdict in a bit mask, duplicates and lost references joined in."""

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.contracts import MALFORMED, text_column
from jobs.lake.bits import any_set, bit_columns, count_true, is_set
from jobs.quality.conditions import Compiled
from jobs.quality.plan import COPIES, Group, Plan, Reference

COPY = "_copy"
MASK = "_mask"
SEEN = "_seen"
PLACE = ("_file", "_row")


def judge(rows: DataFrame, plan: Plan, known: Callable[[str, str], DataFrame]) -> DataFrame:
    """Rows with a boolean column for each group and reference, and `_copy` for fully equal rows beyond the first.

    `known(dataset, field)` gives the distinct values of a curated field in one column named `value`.
    """
    if plan.drops_copies:
        rows = rows.withColumn("_hash", F.xxhash64("_raw"))
    judged = rows
    for group in plan.groups:
        judged = _mark_group(judged, rows, group, plan)
    for reference in plan.references:
        judged = _mark_lost(judged, reference, known(reference.dataset, reference.field))
    if COPY not in judged.columns:
        judged = judged.withColumn(COPY, F.lit(False))
    return judged


def _mark_group(judged: DataFrame, rows: DataFrame, group: Group, plan: Plan) -> DataFrame:
    columns = group.columns or ("_hash",)
    finds_copies = plan.drops_copies and (group.flag == COPIES or group.columns == plan.contract.key())
    keys = rows.select(*columns, *(["_hash"] if plan.drops_copies and group.columns else []), *PLACE)
    keys = keys.filter(_any_present(columns))
    differs = F.min("_hash") != F.max("_hash") if plan.drops_copies and group.columns else F.lit(group.rule is not None)
    found = keys.groupBy(*columns).agg(
        F.count(F.lit(1)).alias("_n"), differs.alias("_differs"), F.min(F.struct(*PLACE)).alias("_first")
    )
    found = found.filter("_n > 1").select(*(F.col(c).alias(f"_k_{c}") for c in columns), "_differs", "_first")
    same = [F.col(c).eqNullSafe(F.col(f"_k_{c}")) for c in columns]
    joined = judged.join(found, same, "left")
    marked = joined.withColumn(group.flag, F.coalesce(F.col("_differs"), F.lit(False)))
    if finds_copies:
        is_first = F.struct(*PLACE) == F.col("_first")
        marked = marked.withColumn(COPY, F.coalesce(~F.col("_differs") & ~is_first, F.lit(False)))
    return marked.drop("_differs", "_first", *(f"_k_{c}" for c in columns))


def _any_present(columns: Sequence[str]) -> Column:
    present = F.lit(False)
    for column in columns:
        present = present | F.col(column).isNotNull()
    return present


def _mark_lost(judged: DataFrame, reference: Reference, known: DataFrame) -> DataFrame:
    values = known.select(F.col("value").alias("_known")).filter("_known IS NOT NULL")
    joined = judged.join(values, F.col(reference.column) == F.col("_known"), "left")
    lost = F.col(reference.column).isNotNull() & F.col("_known").isNull()
    return joined.withColumn(reference.flag, lost).drop("_known")


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
