"""One delivery's rows through a plan: judged rows in the engine's cache, and every rule's result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame

from jobs.contracts import Rule
from jobs.quality.conditions import compile_rules
from jobs.quality.judge import MASK, counts, judge, masked
from jobs.quality.plan import Plan
from jobs.quality.results import RuleResult, from_counts, through_gx


@dataclass(frozen=True)
class Judged:
    """Judged rows, cached; `rules` are in the order of the mask's bits; release() gives the memory back."""

    rows: DataFrame
    rules: tuple[Rule, ...]
    results: tuple[RuleResult, ...]
    counted: Mapping[str, int]
    kept: tuple[DataFrame, ...] = ()

    def release(self) -> None:
        """Drop the cached rows."""
        for rows in (self.rows, *self.kept):
            rows.unpersist()


@dataclass(frozen=True)
class Masks:
    """Rows with their verdicts; `rules` are in the order of the mask's bits."""

    rows: DataFrame
    rules: tuple[Rule, ...]
    kept: tuple[DataFrame, ...]

    def release(self) -> None:
        """Give back what was kept on the engine."""
        for rows in self.kept:
            rows.unpersist()


def run(
    rows: DataFrame,
    plan: Plan,
    read: Callable[[str], DataFrame],
    keep: Sequence[str],
    also_count: Mapping[str, Column],
) -> Judged:
    """Judge typed rows: one read for all row rules and counts, one more a uniqueness group."""
    judged, kept = judge(rows, plan, read)
    compiled = compile_rules(plan, judged.sparkSession.createDataFrame([], judged.schema))
    cached = masked(judged, compiled, keep).persist(StorageLevel.MEMORY_AND_DISK)
    asked = {**counts(compiled), **also_count}
    names = list(asked)
    row = cached.agg(*(asked[name].alias(f"c{i}") for i, name in enumerate(names))).collect()[0]
    counted = {name: int(row[i] or 0) for i, name in enumerate(names)}
    results = [*from_counts(compiled, counted), *through_gx(cached, compiled)]
    order = {rule.id: i for i, rule in enumerate(plan.rules)}
    results.sort(key=lambda r: order[r.rule.id])
    return Judged(cached, tuple(f.rule for f in compiled.fused), tuple(results), counted, kept)


def masks_of(
    rows: DataFrame,
    plan: Plan,
    read: Callable[[str], DataFrame],
    only: Callable[[DataFrame], DataFrame],
    keep: Sequence[str],
) -> Masks:
    """Verdicts on the rows that `only` chooses, uncached and not counted: the columns `keep` and `_mask…`."""
    judged, kept = judge(rows, plan, read, only)
    compiled = compile_rules(plan, judged.sparkSession.createDataFrame([], judged.schema))
    with_masks = masked(judged, compiled, keep)
    columns = [*keep, *(name for name in with_masks.columns if name.startswith(MASK))]
    return Masks(with_masks.select(*columns), tuple(f.rule for f in compiled.fused), kept)
