"""One delivery's rows through a plan: judged rows in the engine's cache, and every rule's result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame

from jobs.contracts import Rule
from jobs.quality.conditions import compile_rules
from jobs.quality.counts import count_groups
from jobs.quality.distribution import distribution_counts
from jobs.quality.plan import Plan
from jobs.quality.results import RuleResult, from_counts, through_gx
from jobs.quality.verdict_masks import COUNTY, MASK, counts, judge, masked

CACHE = StorageLevel.MEMORY_AND_DISK_DESER
"""As the engine builds them, and what does not fit goes to disk. Serialized, Java's stream would hold on to the last
hundred batches of each task: a large delivery then fills the heap (measured: 2 million rows in 800 MB)."""


@dataclass(frozen=True)
class JudgedRows:
    """Judged rows, cached; `rules` are in the order of the mask's bits; release() gives the memory back."""

    rows: DataFrame
    rules: tuple[Rule, ...]
    results: tuple[RuleResult, ...]
    counted: Mapping[str, int]
    kept: tuple[DataFrame, ...] = ()
    counties: Mapping[str, tuple[RuleResult, ...]] = field(default_factory=dict)
    """County → results of its rows alone, of the rules that judge row by row."""
    shape: Mapping[str, float] = field(default_factory=dict)
    """How values lie, as jobs.quality.distribution counts it."""

    def release(self) -> None:
        """Drop the cached rows."""
        for rows in (self.rows, *self.kept):
            rows.unpersist()


@dataclass(frozen=True)
class VerdictMasks:
    """Rows with their verdicts; `rules` are in the order of the mask's bits."""

    rows: DataFrame
    rules: tuple[Rule, ...]
    kept: tuple[DataFrame, ...]

    def release(self) -> None:
        """Give back what was kept on the engine."""
        for rows in self.kept:
            rows.unpersist()


def evaluate(
    rows: DataFrame,
    plan: Plan,
    read: Callable[[str], DataFrame],
    keep: Sequence[str],
    also_count: Mapping[str, Column],
) -> JudgedRows:
    """Judge typed rows: one read for all row rules and counts, one more a uniqueness group.

    `also_count` are further conditions on columns of bits.
    """
    judged, kept = judge(rows, plan, read)
    compiled = compile_rules(plan, judged.sparkSession.createDataFrame([], judged.schema))
    cached = masked(judged, plan, compiled, keep).persist(CACHE)
    lying = distribution_counts(plan.contract, keep)
    asked = {**counts(compiled), **also_count}
    by_county, shape = count_groups(cached, COUNTY if plan.county else "", asked, lying)
    counted = {name: sum(part[name] for part in by_county.values()) for name in asked}
    results = [*from_counts(compiled, counted), *through_gx(cached, compiled)]
    order = {rule.id: i for i, rule in enumerate(plan.rules)}
    results.sort(key=lambda r: order[r.rule.id])
    counties = {name: from_counts(compiled, part) for name, part in by_county.items() if name}
    return JudgedRows(cached, tuple(f.rule for f in compiled.fused), tuple(results), counted, kept, counties, shape)


def masks_of(
    rows: DataFrame,
    plan: Plan,
    read: Callable[[str], DataFrame],
    only: Callable[[DataFrame], DataFrame],
    keep: Sequence[str],
) -> VerdictMasks:
    """Verdicts on the rows that `only` chooses, uncached and not counted: the columns `keep` and `_mask…`."""
    judged, kept = judge(rows, plan, read, only)
    compiled = compile_rules(plan, judged.sparkSession.createDataFrame([], judged.schema))
    with_masks = masked(judged, plan, compiled, keep)
    columns = [*keep, *(name for name in with_masks.columns if name.startswith(MASK))]
    return VerdictMasks(with_masks.select(*columns), tuple(f.rule for f in compiled.fused), kept)
