"""Results → the decision on a delivery, in words that its department understands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from jobs.contracts import Acceptance, Contract, Rule, suite_hash
from jobs.lake.ledger import Build
from jobs.model.delivery import Delivery, State
from jobs.model.rule_result import CountyRow, RuleRow
from jobs.model.verdict import RepairCount, Verdict
from jobs.quality.wordings import wordings

if TYPE_CHECKING:
    from jobs.quality.results import RuleResult


@dataclass(frozen=True)
class Decision:
    """State of an evaluated delivery, and the reason where it is refused whole."""

    state: State
    reason: str = ""

    def is_refused(self) -> bool:
        """Whether nothing of the delivery reaches silver."""
        return self.state is State.REFUSED


@dataclass(frozen=True)
class Basis:
    """What a verdict rests on: rules, table version, moment (UTC)."""

    suite_hash: str
    silver_version: int
    judged_at: datetime


@dataclass(frozen=True)
class RowCounts:
    """Counts of a delivery's rows, and of its declared repairs."""

    counted: Mapping[str, int]
    repairs: tuple[RepairCount, ...]


def decide(
    contract: Contract, counted: Mapping[str, int], results: Sequence["RuleResult"], is_answer: bool = False
) -> Decision:
    """Whether a delivery is accepted, partly held back, or refused whole.

    Rows that answer a ticket were selected because they failed: limits agreed for deliveries do not apply to them.
    """
    rows, failed = counted["rows"], counted["failed"]
    if is_answer:
        return Decision(State.PARTLY_QUARANTINED if failed else State.ACCEPTED)
    reason = _over_limits(contract.acceptance, rows, failed) or _failed_as_a_whole(results)
    if reason:
        return Decision(State.REFUSED, reason)
    return Decision(State.PARTLY_QUARANTINED if failed else State.ACCEPTED)


def decide_removal(contract: Contract, decision: Decision, removed: int, share: float) -> Decision:
    """The decision on a full delivery: refused where it would remove a greater share of silver, in percent, than was agreed."""
    most = contract.acceptance.max_removed_rows_pct
    if decision.is_refused() or share <= most:
        return decision
    return Decision(State.REFUSED, _reason("too_many_removed", removed=removed, share=share, most=most))


def _over_limits(limits: Acceptance, rows: int, failed: int) -> str:
    """Why a delivery is refused by its numbers, in Chinese; empty where it is not."""
    if rows < limits.min_rows:
        return _reason("too_few_rows", rows=rows, least=limits.min_rows)
    if failed and failed == rows:
        return _reason("no_good_row", failed=failed)
    share = 100 * failed / rows if rows else 0.0
    if share > limits.max_failed_rows_pct:
        return _reason("too_many_failed", failed=failed, share=share, most=limits.max_failed_rows_pct)
    return ""


def _failed_as_a_whole(results: Sequence["RuleResult"]) -> str:
    """Why a critical rule over the whole table refuses the delivery; empty where all pass."""
    for result in results:
        if result.rule.severity == "critical" and not result.success and not result.element_count:
            return _reason("rule_of_all", message=result.rule.message)
    return ""


def _reason(key: str, **values: object) -> str:
    return wordings().reasons[key].format(**values)


def verdict_on(
    contract: Contract,
    delivery: Delivery,
    decision: Decision,
    basis: Basis,
    counts: RowCounts,
) -> Verdict:
    """The verdict on an evaluated delivery, in numbers."""
    counted = counts.counted
    rows, failed = counted["rows"], counted["failed"]
    return Verdict(
        delivery=delivery.id,
        seq=delivery.seq,
        dataset=delivery.dataset,
        provider=delivery.provider,
        state=decision.state,
        rows=rows,
        good_rows=0 if decision.is_refused() else rows - failed,
        failed_rows=failed,
        warned_rows=counted["warned"],
        copies=(delivery.counted_rows or rows) - rows,
        repairs=counts.repairs,
        suite_hash=basis.suite_hash,
        contract_version=contract.version,
        silver_version=basis.silver_version,
        judged_at=basis.judged_at,
        reason=decision.reason,
    )


def repair_counts(repairs: Sequence[tuple[str, str]], counted: Mapping[str, int]) -> tuple[RepairCount, ...]:
    """Declared repairs that happened at least once; `counted` has them as fix0, fix1, …"""
    pairs = [(field, kind, counted[f"fix{i}"]) for i, (field, kind) in enumerate(repairs)]
    return tuple(RepairCount(field, kind, rows) for field, kind, rows in pairs if rows)


def unreadable(contract: Contract, delivery: Delivery, at: datetime) -> Verdict:
    """The verdict on a file that could not be read: refused whole, the bytes retained."""
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
    """The verdict on a build of a product; its id names the input versions, so that a rebuild replaces it."""
    input_versions = "-".join(str(version) for _, version in sorted(build.inputs.items()))
    failed = counted["failed"]
    verdict = Verdict(
        delivery=f"{contract.id}-build-{input_versions}",
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
        reason=_reason("product_kept", failed=failed) if failed else "",
    )
    return verdict, rule_rows(verdict, results)


def rule_rows(verdict: Verdict, results: Sequence["RuleResult"]) -> list[RuleRow]:
    """Results as stored, each with the versions that it rests on."""
    return [_row(verdict, result, result.rule) for result in results]


def county_rows(verdict: Verdict, counties: Mapping[str, Sequence["RuleResult"]]) -> list[CountyRow]:
    """Results by county, as stored."""
    return [
        CountyRow(
            delivery=verdict.delivery,
            seq=verdict.seq,
            dataset=verdict.dataset,
            provider=verdict.provider,
            county=county,
            rule=result.rule.id,
            type=result.rule.type,
            severity=result.rule.severity,
            dimension=result.rule.dimension,
            indicator=result.rule.indicator,
            success=result.success,
            element_count=result.element_count,
            unexpected_count=result.unexpected_count,
            missing_count=result.missing_count,
        )
        for county, results in sorted(counties.items())
        for result in results
    ]


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
