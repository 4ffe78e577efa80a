"""One delivery's rows run through a plan: evaluated rows in memory or staged in files, and every rule's result."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
from pyspark.sql import DataFrame

from jobs.contracts import Rule
from jobs.lake.bits import any_set
from jobs.lake.named_rows import NamedRows
from jobs.lake.prepared_plans import in_engine
from jobs.lake.staging import Stage
from jobs.model.rule_result import Readings
from jobs.quality.completeness import noted, reading_counters, total
from jobs.quality.conditions import Compiled, compile_rules
from jobs.quality.counts import count, counted_columns
from jobs.quality.one_query import masked_table
from jobs.quality.plan import Plan
from jobs.quality.references import OtherTables
from jobs.quality.results import RuleResult, from_counts, of_a_part, through_gx
from jobs.quality.verdict_masks import COUNTY, MASK, counts, masked, with_rule_flags
from jobs.quality.wanted import Wanted


@dataclass(frozen=True)
class EvaluatedRows:
    """Evaluated rows, in memory or staged; `rules` are in the order of the mask's bits; release() removes what was staged."""

    rules: tuple[Rule, ...]
    results: tuple[RuleResult, ...]
    counted: Mapping[str, int]
    counties: Mapping[str, tuple[RuleResult, ...]] = field(default_factory=dict)
    """County → results of its rows alone, of the rules that check row by row."""
    shape: Mapping[str, float] = field(default_factory=dict)
    """Value distribution, as jobs.quality.distribution counts it."""
    table: pa.Table | None = None
    """The rows in memory, of a small delivery."""
    stage: Stage | None = None
    """The rows in files, of a large one."""
    readings: Readings | None = None
    """Expected and received readings, where rules agree on intervals."""

    def columns(self) -> list[str]:
        """Names of the rows' columns."""
        if self.table is not None:
            return list(self.table.column_names)
        return self.stage.columns() if self.stage is not None else []

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Columns of all rows, good or not, a part at a time."""
        if self.table is not None:
            yield from self.table.select(columns).to_batches()
        elif self.stage is not None:
            yield from self.stage.batches(columns)

    def release(self) -> None:
        """Remove staged files that were not committed."""
        if self.stage is not None:
            self.stage.release()


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


def evaluate(rows: NamedRows, plan: Plan, others: OtherTables, wanted: Wanted, stage: Stage) -> EvaluatedRows:
    """Typed rows with every rule evaluated, staged: one read for all row rules, one more per uniqueness group or reference."""
    flagged, cached_tables = with_rule_flags(rows, plan, others)
    compiled = compile_rules(plan, rows.frame.sparkSession)
    critical = [index for index, fused in enumerate(compiled.fused) if fused.rule.severity == "critical"]
    try:
        stage.write(masked(flagged, plan, compiled, wanted).frame, any_set(critical, MASK))
    finally:
        for cached in cached_tables:
            cached.unpersist()
    batches = stage.batches(counted_columns(stage.columns(), _by(plan), plan.contract))
    return replace(_evaluated(batches, plan, compiled, wanted, stage.all_rows), stage=stage)


def evaluate_at_once(rows: NamedRows, plan: Plan, others: OtherTables, wanted: Wanted) -> EvaluatedRows:
    """The typed rows of a small delivery with every rule evaluated in one engine query, and the outcome in memory."""
    table, compiled = masked_table(rows, plan, others, wanted)
    spark = rows.frame.sparkSession
    outcome = _evaluated(table.to_batches(), plan, compiled, wanted, lambda: in_engine(spark, table))
    return replace(outcome, table=table)


def _by(plan: Plan) -> str:
    return COUNTY if plan.county else ""


def _evaluated(
    batches: Iterable[pa.RecordBatch],
    plan: Plan,
    compiled: Compiled,
    wanted: Wanted,
    all_rows: Callable[[], DataFrame],
) -> EvaluatedRows:
    """Results of the rules from the counts of their rows, by county and in total."""
    conditions = {**counts(compiled), **wanted.also_count}
    counters = reading_counters(plan.contract, plan.rules)
    by_county, shape = count(noted(batches, counters), _by(plan), conditions, plan.contract)
    counted = {name: sum(part[name] for part in by_county.values()) for name in conditions}
    aggregates = through_gx(all_rows(), compiled) if compiled.through_gx else ()
    results = [*from_counts(compiled, counted), *aggregates]
    order = {rule.id: i for i, rule in enumerate(plan.rules)}
    results.sort(key=lambda r: order[r.rule.id])
    counties = {name: of_a_part(compiled, part) for name, part in by_county.items() if name}
    rules = tuple(fused.rule for fused in compiled.fused)
    return EvaluatedRows(rules, tuple(results), counted, counties, shape, readings=total(counters))


def masks_of(
    rows: NamedRows,
    plan: Plan,
    others: OtherTables,
    only: Callable[[DataFrame], DataFrame],
    keep: Sequence[str],
) -> VerdictMasks:
    """Verdicts on the rows that `only` selects, uncached and not counted: the columns `keep` and `_mask…`."""
    flagged, cached_tables = with_rule_flags(rows, plan, others, only)
    compiled = compile_rules(plan, rows.frame.sparkSession)
    with_masks = masked(flagged, plan, compiled, Wanted(keep))
    columns = [*keep, *(name for name in with_masks.columns if name.startswith(MASK))]
    return VerdictMasks(with_masks.frame.select(*columns), tuple(f.rule for f in compiled.fused), cached_tables)
