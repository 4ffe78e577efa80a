"""One delivery's rows run through a plan: evaluated rows in Spark's cache, and every rule's result."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame

from jobs.contracts import Rule
from jobs.lake.bits import AnyBit
from jobs.lake.spark_tables import in_engine
from jobs.quality.conditions import Compiled, compile_rules
from jobs.quality.counts import count_groups, count_table
from jobs.quality.distribution import distribution_counts, distribution_table
from jobs.quality.one_query import OtherTables, masked_table
from jobs.quality.plan import Plan
from jobs.quality.results import RuleResult, from_counts, through_gx
from jobs.quality.verdict_masks import COUNTY, MASK, counts, masked, with_rule_flags

CACHE = StorageLevel.MEMORY_AND_DISK_DESER
"""Deserialized, spilling to disk. Serialized, Java's object stream would retain the last hundred batches of each task:
a large delivery then fills the heap (measured: 2 million rows in 800 MB)."""


@dataclass(frozen=True)
class EvaluatedRows:
    """Evaluated rows, cached; `rules` are in the order of the mask's bits; release() frees the memory."""

    rows: DataFrame
    rules: tuple[Rule, ...]
    results: tuple[RuleResult, ...]
    counted: Mapping[str, int]
    cached: tuple[DataFrame, ...] = ()
    counties: Mapping[str, tuple[RuleResult, ...]] = field(default_factory=dict)
    """County → results of its rows alone, of the rules that check row by row."""
    shape: Mapping[str, float] = field(default_factory=dict)
    """Value distribution, as jobs.quality.distribution counts it."""
    table: pa.Table | None = None
    """The rows in memory, of a small delivery: nothing is cached on the engine then."""

    def release(self) -> None:
        """Drop the cached rows."""
        for rows in () if self.table is not None else (self.rows, *self.cached):
            rows.unpersist()


@dataclass(frozen=True)
class VerdictMasks:
    """Rows with their verdicts; `rules` are in the order of the mask's bits."""

    rows: DataFrame
    rules: tuple[Rule, ...]
    cached: tuple[DataFrame, ...]

    def release(self) -> None:
        """Drop the cached tables."""
        for rows in self.cached:
            rows.unpersist()


def evaluate(
    rows: DataFrame,
    plan: Plan,
    read: Callable[[str], DataFrame],
    keep: Sequence[str],
    also_count: Mapping[str, AnyBit],
) -> EvaluatedRows:
    """Typed rows with every rule evaluated: one read for all row rules and counts, one more per uniqueness group.

    `also_count` are further conditions on columns of bits.
    """
    flagged, cached_tables = with_rule_flags(rows, plan, read)
    compiled = compile_rules(plan, flagged.sparkSession.createDataFrame([], flagged.schema))
    masked_rows = masked(flagged, plan, compiled, keep).persist(CACHE)
    distribution = distribution_counts(plan.contract, keep)
    conditions = {**counts(compiled), **also_count}
    by_county, shape = count_groups(masked_rows, COUNTY if plan.county else "", conditions, distribution)
    evaluated = _evaluated_rows(masked_rows, plan, compiled, by_county, conditions)
    return replace(evaluated, cached=cached_tables, shape=shape)


def evaluate_at_once(
    rows: DataFrame,
    plan: Plan,
    others: OtherTables,
    keep: Sequence[str],
    also: tuple[Mapping[str, AnyBit], Callable[[DataFrame], Sequence[Column]]],
) -> EvaluatedRows:
    """The typed rows of a small delivery with every rule evaluated in one engine query, and the outcome in memory.

    `also`: further conditions to count, and further columns to make of the masked rows.
    """
    also_count, also_columns = also
    table, compiled = masked_table(rows, plan, others, keep, also_columns)
    conditions = {**counts(compiled), **also_count}
    by_county = count_table(table, COUNTY if plan.county else "", conditions)
    evaluated = _evaluated_rows(in_engine(rows.sparkSession, table), plan, compiled, by_county, conditions)
    return replace(evaluated, shape=distribution_table(table, plan.contract, keep), table=table)


def _evaluated_rows(
    rows: DataFrame,
    plan: Plan,
    compiled: Compiled,
    by_county: Mapping[str, Mapping[str, int]],
    names: Iterable[str],
) -> EvaluatedRows:
    """Results of the rules from the counts of their rows, by county and in total."""
    counted = {name: sum(part[name] for part in by_county.values()) for name in names}
    results = [*from_counts(compiled, counted), *through_gx(rows, compiled)]
    order = {rule.id: i for i, rule in enumerate(plan.rules)}
    results.sort(key=lambda r: order[r.rule.id])
    counties = {name: from_counts(compiled, part) for name, part in by_county.items() if name}
    return EvaluatedRows(rows, tuple(f.rule for f in compiled.fused), tuple(results), counted, counties=counties)


def masks_of(
    rows: DataFrame,
    plan: Plan,
    read: Callable[[str], DataFrame],
    only: Callable[[DataFrame], DataFrame],
    keep: Sequence[str],
) -> VerdictMasks:
    """Verdicts on the rows that `only` selects, uncached and not counted: the columns `keep` and `_mask…`."""
    flagged, cached_tables = with_rule_flags(rows, plan, read, only)
    compiled = compile_rules(plan, flagged.sparkSession.createDataFrame([], flagged.schema))
    with_masks = masked(flagged, plan, compiled, keep)
    columns = [*keep, *(name for name in with_masks.columns if name.startswith(MASK))]
    return VerdictMasks(with_masks.select(*columns), tuple(f.rule for f in compiled.fused), cached_tables)
