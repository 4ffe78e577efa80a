"""A delivery's bronze rows → evaluated rows, nothing written; conform, verify and recheck share it."""

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from jobs import quality
from jobs.conform import Repair, TypedRows, evaluated_columns, failing_columns, silver_columns, staged_columns
from jobs.contracts import MALFORMED, Contract, Rule
from jobs.contracts.names import EXTRA, LINE, SENT_DATE, TECHNICAL
from jobs.lake.bits import AnyBit
from jobs.lake.lake import Lake
from jobs.lake.named_rows import NamedRows
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery
from jobs.model.verdict import RepairCount
from jobs.pipeline.bronze import bronze_rows, is_small
from jobs.pipeline.first_sent import need_sent_date, with_sent_date
from jobs.pipeline.neighbours import readings_around
from jobs.pipeline.other_tables import all_other_tables, other_tables
from jobs.pipeline.removals import Removal, removal_by
from jobs.pipeline.versions import Versions

if TYPE_CHECKING:
    from jobs.quality.evaluation import EvaluatedRows


@dataclass(frozen=True)
class Evaluation:
    """A delivery's rows evaluated by its rules; `outcome.release()` frees the engine's memory."""

    outcome: "EvaluatedRows"
    repairs: tuple[Repair, ...]
    extras: tuple[str, ...]
    removal: Removal | None = None
    """What a full delivery removes from silver."""

    def decision(self, contract: Contract, delivery: Delivery) -> quality.Decision:
        """The decision on the delivery, and on what it removes; an answer to tickets has no limits of acceptance."""
        decision = quality.decide(contract, self.outcome.counted, self.outcome.results, delivery.is_answer())
        if self.removal is None:
            return decision
        return quality.decide_removal(contract, decision, self.removal.rows.num_rows, self.removal.share())

    def repair_counts(self) -> tuple[RepairCount, ...]:
        """How often each declared change happened."""
        return quality.repair_counts([(r.field, r.kind) for r in self.repairs], self.outcome.counted)


def runnable_rules(lake: Lake, rules: tuple[Rule, ...], versions: Versions) -> tuple[Rule, ...]:
    """The rules that can run: a rule on another dataset needs that dataset in silver."""
    datasets = {rule.id: quality.other_datasets(rule) for rule in rules}
    delivered = {name for name in set().union(*datasets.values()) if versions(lake.path(Zone.SILVER, name)) is not None}
    return tuple(rule for rule in rules if datasets[rule.id] <= delivered)


def evaluate_delivery(
    lake: Lake, contract: Contract, delivery: Delivery, rules: tuple[Rule, ...], versions: Versions
) -> Evaluation:
    """The delivery's rows, evaluated in one pass: of a small delivery into memory, of a large one into files."""
    # Great Expectations takes seconds to import.
    from jobs.quality.evaluation import evaluate
    from jobs.quality.wanted import Wanted

    typed = typed_rows(lake, contract, delivery, rules, versions)
    lake.tables.interpret(delivery.counted_rows or 0, len(contract.fields) + len(typed.extras))
    rows, repairs, extras = typed.rows, typed.repairs, typed.extras
    if is_small(delivery):
        evaluated = evaluate_in_memory(lake, contract, typed, rules, versions)
    else:
        columns, plan = _columns(typed, contract), quality.plan(_placeable(lake, contract, versions), rules)
        replaced = (MALFORMED, LINE, SENT_DATE, *(EXTRA + name for name in extras))
        staged = partial(staged_columns, contract, extras, (*rows.sent(), LINE), delivery=delivery)
        wanted = Wanted(columns, _repair_counts(repairs), staged, replaced)
        path, columns_of_silver = lake.path(Zone.SILVER, contract.id), len(silver_columns(contract, extras))
        stage = lake.stage(path, contract.write.partition_by, columns_of_silver)
        others = replace(all_other_tables(lake, versions), neighbours=typed.neighbours)
        counted = replace(rows, number=delivery.counted_rows)
        evaluated = evaluate(counted, plan, others, wanted, stage)
    return Evaluation(evaluated, repairs, extras, removal_by(lake, contract, delivery, evaluated, versions))


def evaluate_in_memory(
    lake: Lake, contract: Contract, typed: TypedRows, rules: tuple[Rule, ...], versions: Versions
) -> "EvaluatedRows":
    """Few typed rows with every rule evaluated, in one engine query."""
    from jobs.quality.evaluation import evaluate_at_once
    from jobs.quality.wanted import Wanted

    plan = quality.plan(_placeable(lake, contract, versions), rules)
    failing = partial(failing_columns, (*typed.rows.sent(), LINE), contract=contract)
    wanted = Wanted(_columns(typed, contract), _repair_counts(typed.repairs), failing)
    others = replace(other_tables(lake, plan, versions), neighbours=typed.neighbours)
    return evaluate_at_once(typed.rows, plan, others, wanted)


def _columns(typed: TypedRows, contract: Contract) -> list[str]:
    return [*TECHNICAL, SENT_DATE, *_bit_names(typed.rows), *evaluated_columns(contract, typed.extras)]


def _placeable(lake: Lake, contract: Contract, versions: Versions) -> Contract:
    """The contract, without its county where the dataset that holds the county is not in silver."""
    county = contract.county
    is_known = not county or not county.dataset or versions(lake.path(Zone.SILVER, county.dataset)) is not None
    return contract if is_known else replace(contract, county=None)


def typed_rows(
    lake: Lake, contract: Contract, delivery: Delivery, rules: tuple[Rule, ...], versions: Versions
) -> TypedRows:
    """The delivery's rows with types and `_sent_date`, and the readings around them of a dataset with a stream."""
    typed = bronze_rows(lake, contract, delivery)
    if contract.stream is not None:
        typed = replace(typed, neighbours=readings_around(lake, contract, delivery, rules, versions))
    earlier_versions = versions if need_sent_date(rules) else None
    return replace(typed, rows=with_sent_date(lake, contract, delivery, typed.rows, earlier_versions))


def _bit_names(rows: NamedRows) -> list[str]:
    return [name for name in rows.columns if name.startswith(("_fix", "_clock"))]


def _repair_counts(repairs: tuple[Repair, ...]) -> dict[str, AnyBit]:
    early = [r for r in repairs if not r.kind.startswith("clock_")]
    counts = {}
    for index in range(len(repairs)):
        prefix, bit = ("_fix", index) if index < len(early) else ("_clock", index - len(early))
        counts[f"fix{index}"] = AnyBit(prefix, (bit,))
    return counts
