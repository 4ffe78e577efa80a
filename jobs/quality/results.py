"""Counts → genuine GX validation results: GX's own code decides success from the metrics that we counted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation, Expectation
from great_expectations.validator.validator import Validator
from pyspark.sql import DataFrame

from jobs.contracts import Rule
from jobs.quality.conditions import Compiled, Fused

BASIC = {"result_format": "BASIC", "exclude_unexpected_values": True, "partial_unexpected_count": 0}


@dataclass(frozen=True)
class RuleResult:
    """The result of one rule on one delivery; `gx` is the GX result as JSON, empty for a part of the delivery."""

    rule: Rule
    success: bool
    element_count: int
    unexpected_count: int
    missing_count: int
    gx: str

    def checked_count(self) -> int:
        """Cells or rows that the rule checked."""
        return self.element_count - self.missing_count


def from_counts(compiled: Compiled, counted: Mapping[str, int]) -> tuple[RuleResult, ...]:
    """One result per fused rule, in the order of the plan."""
    return tuple(_fused_result(fused, index, counted) for index, fused in enumerate(compiled.fused))


def of_a_part(compiled: Compiled, counted: Mapping[str, int]) -> tuple[RuleResult, ...]:
    """The same for the rows of a part of the delivery, such as a county, without the GX result as JSON."""
    return tuple(
        _with_numbers(fused.rule, *_validated(fused, index, counted)) for index, fused in enumerate(compiled.fused)
    )


def _fused_result(fused: Fused, index: int, counted: Mapping[str, int]) -> RuleResult:
    success, numbers = _validated(fused, index, counted)
    result = ExpectationValidationResult(
        success=success, expectation_config=fused.expectation.configuration, result=dict(numbers)
    )
    return _result(fused.rule, result)


def _validated(fused: Fused, index: int, counted: Mapping[str, int]) -> tuple[bool, Mapping[str, Any]]:
    """Whether GX accepts the counts, and its numbers."""
    expectation = fused.expectation
    names = {kind: name for kind, (name, _) in fused.denominators.items()}
    rows = counted[names.get("applies", "rows")]
    metrics: dict[str, Any] = {"table.row_count": rows}
    metrics[f"{expectation.map_metric}.unexpected_count"] = counted[f"bad{index}"]
    if isinstance(expectation, ColumnMapExpectation):
        metrics["column_values.nonnull.unexpected_count"] = counted[names["missing"]]
    else:
        considered = counted[names["considered"]] if "considered" in names else rows
        metrics[f"{expectation.map_metric}.filtered_row_count"] = considered
    validated = expectation._validate(metrics, runtime_configuration={"result_format": BASIC})
    return bool(validated["success"]), validated["result"]


def through_gx(rows: DataFrame, compiled: Compiled) -> tuple[RuleResult, ...]:
    """Results of the rules that only GX itself can evaluate, over the delivery's evaluated rows."""
    if not compiled.through_gx:
        return ()
    engine = SparkDFExecutionEngine(persist=False)
    engine.load_batch_data("delivery", rows)
    validator = Validator(execution_engine=engine)
    expectations: list[Expectation] = [e for _, e, _ in compiled.through_gx]
    answers = validator.graph_validate(
        configurations=[e.configuration for e in expectations], runtime_configuration={"result_format": BASIC}
    )
    return tuple(_result(rule, answer) for (rule, _, _), answer in zip(compiled.through_gx, answers, strict=True))


def _result(rule: Rule, answer: ExpectationValidationResult) -> RuleResult:
    return _with_numbers(
        rule, bool(answer.success), answer.result or {}, json.dumps(answer.to_json_dict(), ensure_ascii=False)
    )


def _with_numbers(rule: Rule, success: bool, numbers: Mapping[str, Any], gx: str = "") -> RuleResult:
    return RuleResult(
        rule=rule,
        success=success,
        element_count=int(numbers.get("element_count") or 0),
        unexpected_count=int(numbers.get("unexpected_count") or 0),
        missing_count=int(numbers.get("missing_count") or 0),
        gx=gx,
    )
