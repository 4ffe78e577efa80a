"""Results → the decision on a delivery, in words that its department understands."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from jobs.contracts import Contract, Rule, suite_hash
from jobs.lake.delivery import Delivery, State
from jobs.lake.ledger import Build
from jobs.lake.results import RepairCount, RuleRow, Verdict

if TYPE_CHECKING:
    from jobs.quality.results import RuleResult


def decide(contract: Contract, counted: Mapping[str, int], results: Sequence["RuleResult"]) -> tuple[State, str]:
    """State of a judged delivery, and the reason where it is refused whole."""
    rows, failed = counted["rows"], counted["failed"]
    limits = contract.acceptance
    if rows < limits.min_rows:
        return State.REFUSED, f"只有 {rows} 行数据，少于约定的最少 {limits.min_rows} 行，整批拒收"
    share = 100 * failed / rows if rows else 0.0
    if failed and (share > limits.max_failed_rows_pct or failed == rows):
        return State.REFUSED, f"{failed} 行未通过（{share:.1f}%），超过约定的 {limits.max_failed_rows_pct:g}%，整批拒收"
    for result in results:
        whole_table = result.rule.severity == "critical" and not result.success and not result.element_count
        if whole_table:
            return State.REFUSED, f"{result.rule.message}，整批拒收"
    return (State.PARTLY_QUARANTINED if failed else State.ACCEPTED), ""


def repair_counts(repairs: Sequence[tuple[str, str]], counted: Mapping[str, int]) -> tuple[RepairCount, ...]:
    """Declared changes that happened at least once; `counted` holds them as fix0, fix1, …"""
    pairs = [(field, kind, counted[f"fix{i}"]) for i, (field, kind) in enumerate(repairs)]
    return tuple(RepairCount(field, kind, rows) for field, kind, rows in pairs if rows)


def unreadable(contract: Contract, delivery: Delivery, at: datetime) -> Verdict:
    """The verdict on a file that could not be read: refused whole, the bytes kept."""
    return Verdict(
        delivery=delivery.id,
        seq=delivery.seq,
        dataset=delivery.dataset,
        provider=delivery.provider,
        state=State.UNREADABLE,
        rows=0,
        good_rows=0,
        failed_rows=0,
        warned_rows=0,
        copies=0,
        repairs=(),
        suite_hash="",
        contract_version=contract.version,
        silver_version=-1,
        judged_at=at,
        reason=delivery.reason,
    )


def product_results(
    contract: Contract, build: Build, counted: Mapping[str, int], results: Sequence["RuleResult"]
) -> tuple[Verdict, list[RuleRow]]:
    """The verdict on a build of a product; its id names the input versions, so that a build again replaces it."""
    seen = "-".join(str(version) for _, version in sorted(build.inputs.items()))
    failed = counted["failed"]
    verdict = Verdict(
        delivery=f"{contract.id}-build-{seen}",
        seq=0,
        dataset=contract.id,
        provider=contract.provider,
        state=State.REFUSED if failed else State.ACCEPTED,
        rows=counted["rows"],
        good_rows=0 if failed else counted["rows"],
        failed_rows=failed,
        warned_rows=counted["warned"],
        copies=0,
        repairs=(),
        suite_hash=suite_hash([r.rule for r in results]),
        contract_version=contract.version,
        silver_version=build.table_version,
        judged_at=build.built_at,
        reason=f"{failed} 行不符合产品契约，保留上一版本" if failed else "",
    )
    return verdict, rule_rows(verdict, results)


def rule_rows(verdict: Verdict, results: Sequence["RuleResult"]) -> list[RuleRow]:
    """Results as they are kept, each with the versions that it rests on."""
    return [_row(verdict, result, result.rule) for result in results]


def _row(verdict: Verdict, result: "RuleResult", rule: Rule) -> RuleRow:
    return RuleRow(
        delivery=verdict.delivery,
        seq=verdict.seq,
        dataset=verdict.dataset,
        provider=verdict.provider,
        rule=rule.id,
        type=rule.type,
        severity=rule.severity,
        dimension=rule.dimension,
        indicator=rule.indicator,
        success=result.success,
        element_count=result.element_count,
        unexpected_count=result.unexpected_count,
        missing_count=result.missing_count,
        fields=",".join(rule.fields),
        message=rule.message,
        remedy=rule.remedy,
        basis=rule.basis,
        suite_hash=verdict.suite_hash,
        silver_version=verdict.silver_version,
        judged_at=verdict.judged_at,
        gx=result.gx,
    )
