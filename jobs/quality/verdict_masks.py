"""Typed rows → evaluated rows: every rule's verdict in a bit mask, duplicates and unknown references joined in."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.contracts import MALFORMED, SENT
from jobs.lake.bits import AnyBit, bit_columns, column_names, quoted, with_any_held
from jobs.lake.named_rows import NamedRows
from jobs.lake.prepared_plans import in_engine
from jobs.lake.spark_tables import to_arrow
from jobs.quality.conditions import Compiled
from jobs.quality.joins import FEW_ROWS, broadcast, few_or_cached, repeated_pairs
from jobs.quality.lookups import observed_values
from jobs.quality.plan import COPIES, Group, Plan
from jobs.quality.references import OtherTables, with_reference_flags
from jobs.quality.series import with_neighbour_flags
from jobs.quality.wanted import Wanted

COPY = "_copy"
MASK = "_mask"
SEEN = "_seen"
COUNTY = "_county"
PRINTS = ("_k_long", "_k_short")
"""Columns of `fingerprint_of`."""
COUNTED_ROWS = 5_000_000
"""The client counts the fingerprints of up to so many rows, 12 bytes each."""


def with_rule_flags(
    rows: NamedRows,
    plan: Plan,
    others: OtherTables,
    only: Callable[[DataFrame], DataFrame] | None = None,
) -> tuple[NamedRows, tuple[DataFrame, ...]]:
    """Rows with a boolean column for each group and reference, and `_copy` for fully equal rows beyond the first.

    `only` selects the rows to evaluate; keys are still grouped, and neighbours read, over all of them.

    The second part of the result is what was cached for it: the caller unpersists it when the rows are no longer needed.
    """
    frame, columns = rows.frame, rows.columns
    if plan.drops_copies:
        frame = frame.withColumn("_hash", hash_of([quoted(name) for name in columns if name.startswith(SENT)]))
    flagged = with_neighbour_flags(frame, plan, others)
    flagged = only(flagged) if only else flagged
    cached_tables: list[DataFrame] = []
    # The cells of a malformed row may be under the wrong headers: its key must neither collide with nor copy
    # another's.
    well_formed = F.col(MALFORMED).isNull() if MALFORMED in columns else F.lit(True)
    for group in plan.groups:
        known = replace(rows, frame=frame.filter(well_formed))
        shared, size = _shared(known, group, plan, cached_tables)
        flagged = _mark_group(flagged, (shared, size), group, plan, well_formed)
    flagged = with_reference_flags(flagged, plan, others, cached_tables)
    if not any(_finds_copies(group, plan) for group in plan.groups):
        flagged = flagged.withColumn(COPY, F.lit(False))
    return NamedRows(flagged, columns), tuple(cached_tables)


def _finds_copies(group: Group, plan: Plan) -> bool:
    """Whether the group also finds fully equal rows."""
    return plan.drops_copies and (group.flag == COPIES or group.columns == plan.contract.key())


def _mark_group(
    flagged: DataFrame, shared_values: tuple[DataFrame, int], group: Group, plan: Plan, well_formed: Column
) -> DataFrame:
    """The rows with the group's flag. The cells of a row that is not `well_formed` are unreliable: it is no copy."""
    shared, size = shared_values
    if size == 0:
        # Only the group that finds copies may say that there are none: another would erase what it found.
        nothing = (group.flag, *((COPY,) if _finds_copies(group, plan) else ()))
        return flagged.withColumns({name: F.lit(False) for name in nothing})
    columns = group.columns or ("_hash",)
    # Joined by hashes of the key, not by the key: the cached side has columns of fixed width only.
    matches = [fingerprint == F.col(name) for name, fingerprint in fingerprint_of(columns).items()]
    if _tells_copies_apart(group, plan):
        matches.append(F.col("_hash") == F.col("_same"))
    joined = flagged.join(broadcast(shared, size), [*matches, takes_part(group, columns), well_formed], "left")
    marked = joined.withColumn(group.flag, F.coalesce(F.col("_differs"), F.lit(False)))
    if _finds_copies(group, plan):
        # Of a key with conflicts too, rows that equal an earlier one say nothing new.
        marked = marked.withColumn(COPY, F.coalesce(place(plan) != F.col("_first"), F.lit(False)))
    return marked.drop("_differs", "_first", "_same", *fingerprint_of(columns))


def _tells_copies_apart(group: Group, plan: Plan) -> bool:
    """Whether rows of one key may differ, and equal ones among them are copies."""
    return _finds_copies(group, plan) and bool(group.columns)


def _shared(known: NamedRows, group: Group, plan: Plan, cached_tables: list[DataFrame]) -> tuple[DataFrame, int]:
    """Values that more than one row has, whether these rows differ, the place of the first, and the number of values.

    Where copies are told apart, a value occurs once for each content of its rows (`_same`), with the first of these.
    Values are counted first, from their columns alone: mostly none is shared, and nothing else is read. Appends what it
    caches to `cached_tables`.
    """
    repeated, size = _repeated(known, group, cached_tables)
    if not size:
        return repeated, 0
    return few_or_cached(_described(known.frame, broadcast(repeated, size), group, plan), cached_tables)


def _repeated(known: NamedRows, group: Group, cached_tables: list[DataFrame]) -> tuple[DataFrame, int]:
    """Fingerprints of values that more than one row has, and their number; of a fixed width, so that no texts are sorted.

    Of up to `COUNTED_ROWS` the client counts them, in half of the time that the engine needs.
    """
    columns = group.columns or ("_hash",)
    prints = known.frame.filter(takes_part(group, columns)).select(*_named_prints(columns))
    if known.number is not None and known.number <= COUNTED_ROWS:
        repeated = repeated_pairs(to_arrow(prints), PRINTS)
        if repeated.num_rows <= FEW_ROWS:
            return in_engine(prints.sparkSession, repeated), repeated.num_rows
    counted = prints.groupBy(*PRINTS).agg(F.count(F.lit(1)).alias("_n"))
    return few_or_cached(counted.filter("_n > 1").drop("_n"), cached_tables)


def _named_prints(columns: Sequence[str]) -> list[Column]:
    return [fingerprint.alias(name) for name, fingerprint in fingerprint_of(columns).items()]


def _described(rows: DataFrame, repeated: DataFrame, group: Group, plan: Plan) -> DataFrame:
    """What the rows with repeated values are: `_differs`, `_first` and, where copies are told apart, `_same`."""
    columns = group.columns or ("_hash",)
    prints = _named_prints(columns)
    with_hash = ["_hash"] if plan.drops_copies and group.columns else []
    sharing = rows.filter(takes_part(group, columns)).select(*prints, *with_hash, place(plan).alias("_place"))
    sharing = sharing.join(repeated, list(PRINTS), "left_semi")
    if not with_hash:
        return sharing.groupBy(*PRINTS).agg(F.lit(group.rule is not None).alias("_differs"), _first())
    if not _tells_copies_apart(group, plan):
        return sharing.groupBy(*PRINTS).agg((F.min("_hash") != F.max("_hash")).alias("_differs"), _first())
    contents = sharing.groupBy(*PRINTS, "_hash").agg(_first())
    number = F.count(F.lit(1)).over(Window.partitionBy(*PRINTS))
    return contents.select(*PRINTS, F.col("_hash").alias("_same"), "_first", (number > 1).alias("_differs"))


def _first() -> Column:
    return F.min("_place").alias("_first")


def hash_of(columns: Sequence[str]) -> Column:
    """A hash of all cells sent in a row, and of which are null: hash functions skip nulls."""
    values = [F.col(name) for name in columns]
    return F.xxhash64(*(value.isNull() for value in values), *values)


def fingerprint_of(columns: Sequence[str]) -> dict[str, Column]:
    """Two independent hashes of a row's values, 96 bits: of 20 million rows two collide by chance once in 10^14 times.

    Which of several values are null is part of it, since hash functions skip nulls.
    """
    values = [F.col(name) for name in columns]
    # A single column needs no null flags: rows whose value is null are filtered out before.
    nulls = [value.isNull() for value in values] if len(values) > 1 else []
    return dict(zip(PRINTS, (F.xxhash64(*nulls, *values), F.hash(*nulls, *values)), strict=True))


def place(plan: Plan) -> Column:
    """A row's place as one number: its row in its file, then its file; a product has no files."""
    if plan.contract.kind != "source":
        return F.col("_row")
    file = F.hash("_file").cast("bigint").bitwiseAND(F.lit(0xFFFFFFFF))
    return F.shiftleft(F.col("_row"), 32).bitwiseOR(file)


def takes_part(group: Group, columns: Sequence[str]) -> Column:
    """Whether a row has values that others may share."""
    present = F.lit(group.takes_empty)
    for column in columns:
        present = present | F.col(column).isNotNull()
    return present


def masked(flagged: NamedRows, plan: Plan, compiled: Compiled, wanted: Wanted) -> NamedRows:
    """What is wanted of the rows, and the verdicts in `_mask…`; without fully equal copies.

    `_seen…` marks the rows that a rule considers, `_county` is the county of each row where the plan has one. Two steps:
    what builds on a verdict reads its bit, so that no condition is computed twice.
    """
    rules = tuple(fused.rule for fused in compiled.fused)
    considered = list(compiled.denominators.values())
    bits = [*bit_columns([fused.unexpected for fused in compiled.fused], MASK), *bit_columns(considered, SEEN)]
    judged = with_any_held(flagged.frame.filter(~F.col(COPY)).select("*", *bits), len(rules), MASK)
    made = dict(wanted.columns(rules))
    kept = [name for name in wanted.keep if name not in made and name not in wanted.replaced]
    further = observed_values(rules, MASK)
    further |= {COUNTY: F.coalesce(_county(plan), F.lit(""))} if plan.county else {}
    names = [*column_names(len(rules), MASK), *column_names(len(considered), SEEN)]
    columns = made | {name: F.col(quoted(name)) for name in kept} | further | {name: F.col(name) for name in names}
    return NamedRows(judged.select(*(column.alias(name) for name, column in columns.items())), tuple(columns))


def _county(plan: Plan) -> Column:
    county = F.expr(plan.county)
    return F.when(~F.col(plan.county_unless), county) if plan.county_unless else county


def counts(compiled: Compiled) -> dict[str, AnyBit]:
    """Conditions on the bits of masked rows; how many rows meet each gives every rule's GX metrics."""
    conditions = {"rows": AnyBit()}
    for index in range(len(compiled.fused)):
        conditions[f"bad{index}"] = AnyBit(MASK, (index,))
    for index, name in enumerate(compiled.denominators):
        conditions[name] = AnyBit(SEEN, (index,))
    for name, severity in (("failed", "critical"), ("warned", "warning")):
        indexes = tuple(i for i, f in enumerate(compiled.fused) if f.rule.severity == severity)
        conditions[name] = AnyBit(MASK, indexes)
    conditions["broken"] = AnyBit(MASK, tuple(range(len(compiled.fused))))
    return conditions
