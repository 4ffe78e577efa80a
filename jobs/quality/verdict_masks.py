"""Typed rows → judged rows: every rule's verdict in a bit mask, duplicates and lost references joined in."""

from collections.abc import Callable, Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.contracts import MALFORMED, SENT, text_column
from jobs.contracts.names import LINE
from jobs.lake.bits import any_set, balanced, bit_columns, is_set, quoted
from jobs.quality.conditions import Compiled
from jobs.quality.lookups import observed_values, with_lookups
from jobs.quality.plan import COPIES, Group, Plan, Reference
from jobs.quality.series import with_series_flags

COPY = "_copy"
MASK = "_mask"
SEEN = "_seen"
COUNTY = "_county"
# More rows than these are joined by a shuffle: together with the work they would not fit into memory.
BROADCAST_ROWS = 1_000_000


def judge(
    rows: DataFrame,
    plan: Plan,
    read: Callable[[str], DataFrame],
    only: Callable[[DataFrame], DataFrame] | None = None,
) -> tuple[DataFrame, tuple[DataFrame, ...]]:
    """Rows with a boolean column for each group and reference, and `_copy` for fully equal rows beyond the first.

    `only` chooses the rows that are judged; keys are still grouped, and neighbours seen, over all of them.

    `read(dataset)` gives the curated rows of another dataset. The second part
    of the answer is what was kept on the engine for it: the caller gives it back when the rows are no longer needed.
    """
    came = rows.columns
    if plan.drops_copies:
        rows = rows.withColumn("_hash", _hash([quoted(name) for name in came if name.startswith(SENT)]))
    judged = with_series_flags(with_lookups(rows, plan.lookups, read), plan.series, plan.contract)
    judged = only(judged) if only else judged
    kept: list[DataFrame] = []
    # The cells of a malformed row may stand under the wrong headers: its key must neither collide with nor copy
    # another's.
    whole = F.col(MALFORMED).isNull() if MALFORMED in came else F.lit(True)
    for group in plan.groups:
        found, size = _settled(_shared_values(rows.filter(whole), group, plan))
        kept.append(found)
        judged = _mark_group(judged, (found, size), group, plan, whole)
    for reference in plan.references:
        lost, size = _settled(_lost_values(judged, reference, _known(read(reference.dataset), reference)))
        kept.append(lost)
        judged = _mark_lost(judged, (lost, size), reference)
    judged = judged if COPY in judged.columns else judged.withColumn(COPY, F.lit(False))
    return judged, tuple(kept)


def _mark_group(judged: DataFrame, shared: tuple[DataFrame, int], group: Group, plan: Plan, whole: Column) -> DataFrame:
    """The rows with the group's flag. Nothing can be said of the cells of a row that is not `whole`: it is no copy."""
    found, size = shared
    if size == 0:
        return judged.withColumn(group.flag, F.lit(False))
    finds_copies = plan.drops_copies and (group.flag == COPIES or group.columns == plan.contract.key())
    columns = group.columns or ("_hash",)
    # Joined by the hashes of the key, not by the key: the kept side holds nothing of varying width.
    same = [made == F.col(name) for name, made in _fingerprint(columns).items()]
    joined = judged.join(_broadcast(found, size), [*same, _any_present(columns), whole], "left")
    marked = joined.withColumn(group.flag, F.coalesce(F.col("_differs"), F.lit(False)))
    if finds_copies:
        is_first = _place(plan) == F.col("_first")
        marked = marked.withColumn(COPY, F.coalesce(~F.col("_differs") & ~is_first, F.lit(False)))
    return marked.drop("_differs", "_first", *_fingerprint(columns))


def _shared_values(rows: DataFrame, group: Group, plan: Plan) -> DataFrame:
    """Fingerprints of values that more than one row has, whether those rows differ, and the place of the first.

    What is grouped and kept has a fixed width, so that the engine neither sorts nor moves texts.
    """
    columns = group.columns or ("_hash",)
    with_hash = plan.drops_copies and bool(group.columns)
    prints = _fingerprint(columns)
    kept = [made.alias(name) for name, made in prints.items()]
    present = rows.filter(_any_present(columns))
    keys = present.select(*kept, *(["_hash"] if with_hash else []), _place(plan).alias("_place"))
    differs = F.min("_hash") != F.max("_hash") if with_hash else F.lit(group.rule is not None)
    counted = keys.groupBy(*prints).agg(
        F.count(F.lit(1)).alias("_n"), differs.alias("_differs"), F.min("_place").alias("_first")
    )
    return counted.filter("_n > 1").drop("_n")


def _hash(columns: Sequence[str]) -> Column:
    """A hash of all that was sent in a row, and of which cells are empty: a hash passes nulls by."""
    values = [F.col(name) for name in columns]
    return F.xxhash64(*(value.isNull() for value in values), *values)


def _fingerprint(columns: Sequence[str]) -> dict[str, Column]:
    """Two independent hashes of a row's values, 96 bits: of 20 million rows two agree by chance once in 10^14 times.

    Which of several values are null is part of it, since a hash passes nulls by.
    """
    values = [F.col(name) for name in columns]
    # A single column needs no mark: rows whose value is null are left out before.
    holes = [value.isNull() for value in values] if len(values) > 1 else []
    return {"_k_long": F.xxhash64(*holes, *values), "_k_short": F.hash(*holes, *values)}


def _place(plan: Plan) -> Column:
    """A row's place as one number: its row in its file, then its file; a product has no files."""
    if plan.contract.kind != "source":
        return F.col("_row")
    file = F.hash("_file").cast("bigint").bitwiseAND(F.lit(0xFFFFFFFF))
    return F.shiftleft(F.col("_row"), 32).bitwiseOR(file)


def sent_values(rows: DataFrame) -> list[str]:
    """Names of the columns that came, as the sender calls them."""
    return [name.removeprefix(SENT) for name in rows.columns if name.startswith(SENT)]


def _any_present(columns: Sequence[str]) -> Column:
    present = F.lit(False)
    for column in columns:
        present = present | F.col(column).isNotNull()
    return present


def _known(curated: DataFrame, reference: Reference) -> DataFrame:
    return curated.select(F.col(reference.field).alias("value")).distinct()


def _lost_values(rows: DataFrame, reference: Reference, known: DataFrame) -> DataFrame:
    sent_values = rows.select(F.col(reference.column).alias("_sent")).filter("_sent IS NOT NULL").distinct()
    return sent_values.join(known, F.col("_sent") == F.col("value"), "left_anti")


def _mark_lost(judged: DataFrame, found: tuple[DataFrame, int], reference: Reference) -> DataFrame:
    lost, size = found
    if size == 0:
        return judged.withColumn(reference.flag, F.lit(False))
    joined = judged.join(_broadcast(lost, size), F.col(reference.column) == F.col("_sent"), "left")
    return joined.withColumn(reference.flag, F.col("_sent").isNotNull()).drop("_sent")


def _settled(few: DataFrame) -> tuple[DataFrame, int]:
    """The rows, computed once and kept on the engine, and how many they are: mostly none, so that no join is needed."""
    # Settled before the wide pass: with the size known, most joins fall away or become broadcasts.
    kept = few.persist()
    return kept, kept.count()


def _broadcast(few: DataFrame, size: int) -> DataFrame:
    return F.broadcast(few) if size <= BROADCAST_ROWS else few


def masked(judged: DataFrame, plan: Plan, compiled: Compiled, keep: Sequence[str]) -> DataFrame:
    """The columns `keep`, the verdicts in `_mask…`, what they looked at in `_seen…`, `_raw` of rows that break a rule (with
    their text, where their shape is wrong), and the `_county` of each row where the plan has one. Fully equal copies are
    left out.
    """
    verdicts = bit_columns([f.unexpected for f in compiled.fused], MASK)
    seen = bit_columns(list(_looked_at(compiled).values()), SEEN)
    line = [F.col(LINE)] if LINE in judged.columns else []
    came = F.struct(*(F.col(quoted(SENT + name)).alias(name) for name in sent_values(judged)), *line)
    # What was sent is carried for rows that break a rule alone: only quarantine and evidence need it, and the cache
    # stays small.
    breaks = balanced(Column.__or__, [mask != 0 for mask in verdicts]) if verdicts else F.lit(False)
    county = [F.coalesce(F.expr(plan.county), F.lit("")).alias(COUNTY)] if plan.county else []
    others = observed_values([f.rule for f in compiled.fused], [f.unexpected for f in compiled.fused])
    return judged.filter(~F.col(COPY)).select(
        *keep, F.when(breaks, came).alias("_raw"), *others, *county, *verdicts, *seen
    )


def counts(compiled: Compiled) -> dict[str, Column]:
    """Conditions on the bits of masked rows; how many rows fulfil each gives every rule's GX metrics."""
    asked: dict[str, Column] = {"rows": F.lit(True)}
    for index in range(len(compiled.fused)):
        asked[f"bad{index}"] = is_set(index, MASK)
    for index, name in enumerate(_looked_at(compiled)):
        asked[name] = is_set(index, SEEN)
    for name, severity in (("failed", "critical"), ("warned", "warning")):
        indexes = [i for i, f in enumerate(compiled.fused) if f.rule.severity == severity]
        asked[name] = any_set(indexes, MASK)
    asked["broken"] = any_set(range(len(compiled.fused)), MASK)
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
    columns.update(dict.fromkeys(plan.contract.columns(), "string"))
    for field in plan.contract.fields:
        columns[text_column(field)] = "string"
        columns[field.name] = field.spark_type()
    columns.update({group.flag: "boolean" for group in plan.groups})
    columns.update({reference.flag: "boolean" for reference in plan.references})
    columns.update({one.flag: "boolean" for one in plan.series})
    return spark.createDataFrame([], ", ".join(f"`{name}` {kind}" for name, kind in columns.items()))
