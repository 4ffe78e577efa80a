"""Great Expectations' own row conditions as Spark columns: one rendering of a rule for verdict and evidence.

GX's metric graph gives `<map metric>.condition` for any map expectation; resolving it reads no data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

from great_expectations.execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    Expectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.registry import get_metric_kwargs
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validation_graph import ValidationGraph
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from jobs.contracts import Rule, suite_hash
from jobs.contracts.rule_check import mistakes
from jobs.errors import ContractError
from jobs.quality import expectations  # registers our own expectations with Great Expectations
from jobs.quality.plan import Plan, flag_of
from jobs.quality.plan_engine import PlanEngine, column_types

NOT_A_ROW_CONDITION = ("WindowExpression", "PythonUDF", "pythonUDF", "CommonInlineUserDefinedFunction")
MAPS = (ColumnMapExpectation, ColumnPairMapExpectation, MulticolumnMapExpectation)


@dataclass(frozen=True)
class Fused:
    """A rule as columns: rows it applies to, those without a value, those that break it."""

    rule: Rule
    expectation: Expectation
    unexpected: Column
    applies: Column | None = None
    missing: Column | None = None
    considered: Column | None = None

    @cached_property
    def denominators(self) -> Mapping[str, tuple[str, Column]]:
        """Kind of rows that the rule's numbers need → a name that rules with an equal condition share, and the condition."""
        columns = {"applies": self.applies, "missing": self.missing, "considered": self.considered}
        return {kind: (f"{kind}:{column}", column) for kind, column in columns.items() if column is not None}


@dataclass(frozen=True)
class Compiled:
    """A plan's rules as columns, and those that only GX itself can evaluate, each with the reason."""

    fused: tuple[Fused, ...]
    through_gx: tuple[tuple[Rule, Expectation, str], ...]

    @cached_property
    def denominators(self) -> Mapping[str, Column]:
        """Conditions that the rules' denominators need, each once, by name."""
        conditions: dict[str, Column] = {}
        for fused in self.fused:
            for name, column in fused.denominators.values():
                conditions.setdefault(name, column)
        return conditions


COMPILED: dict[tuple[str, tuple[tuple[str, str], ...], tuple[str, ...]], Compiled] = {}
"""By hash of the suite, types of the columns and messages of the rules, which say `message` for a stream and `row` for a file."""
MOST_COMPILED = 100


def expectation(rule: Rule) -> Expectation:
    """The rule as a GX expectation; ContractError where GX rejects its arguments."""
    kwargs = dict(rule.kwargs)
    if flag := flag_of(rule):
        kwargs["flag"] = flag
    meta = {
        "id": rule.id,
        "dimension": rule.dimension,
        "message": rule.message,
        "remedy": rule.remedy,
        "basis": rule.basis,
        "origin": rule.origin,
    }
    try:
        return ExpectationConfiguration(
            type=rule.type, kwargs=kwargs, severity=rule.severity, meta=meta
        ).to_domain_obj()
    except Exception as error:  # GX wraps whatever its models raise
        raise ContractError(f"rule '{rule.id}': Great Expectations rejects {rule.type}: {error}") from error


def compile_rules(plan: Plan, spark: SparkSession) -> Compiled:
    """The plan's rules as columns over its evaluated rows; sends nothing to the engine, and is done once for a plan."""
    types = tuple((name, str(kind)) for name, kind in column_types(plan).items())
    key = suite_hash(plan.rules), types, tuple(rule.message for rule in plan.rules)
    if key not in COMPILED:
        if len(COMPILED) >= MOST_COMPILED:
            COMPILED.clear()
        COMPILED[key] = _compiled(plan, PlanEngine(spark, plan))
    return COMPILED[key]


def _compiled(plan: Plan, engine: SparkDFExecutionEngine) -> Compiled:
    _check_conditions(plan)
    grouped = {g.rule.id: g.flag for g in plan.groups if g.rule is not None}
    expectations = [(rule, expectation(rule)) for rule in plan.rules]
    conditions = _conditions(engine, [e for r, e in expectations if isinstance(e, MAPS) and r.id not in grouped])
    fused: list[Fused] = []
    through_gx: list[tuple[Rule, Expectation, str]] = []
    for rule, exp in expectations:
        if rule.id in grouped:
            fused.append(_grouped(rule, exp, grouped[rule.id]))
        elif reason := _unfusable(conditions.get(id(exp))):
            through_gx.append((rule, exp, reason))
        else:
            fused.append(_fused(rule, exp, conditions[id(exp)]))
    return Compiled(tuple(fused), tuple(through_gx))


def _check_conditions(plan: Plan) -> None:
    """ContractError for conditions that cannot run; the engine would say so in hundreds of lines of its own."""
    wrong = [mistake for rule in plan.rules if rule.origin == "suite" for mistake in mistakes(plan.contract, rule)]
    if wrong:
        raise ContractError(f"{plan.contract.id}: {'; '.join(wrong)}")


def _unfusable(condition: Column | None) -> str:
    """Why a rule runs through Great Expectations itself; empty where its condition needs one row only."""
    if condition is None:
        return "an aggregate over the table"
    expression = str(condition)
    return "needs more than one row at a time" if any(marker in expression for marker in NOT_A_ROW_CONDITION) else ""


def _conditions(engine: SparkDFExecutionEngine, expectations: Sequence[Expectation]) -> dict[int, Column]:
    graph = ValidationGraph(execution_engine=engine)
    metrics: dict[int, MetricConfiguration] = {}
    for exp in expectations:
        name = f"{exp.map_metric}.condition"
        kwargs = get_metric_kwargs(name, exp.configuration)
        metric = MetricConfiguration(name, kwargs["metric_domain_kwargs"], kwargs["metric_value_kwargs"])
        graph.build_metric_dependency_graph(metric)
        metrics[id(exp)] = metric
    resolved, unresolved = graph.resolve(show_progress_bars=False)
    for exp in expectations:
        if metrics[id(exp)].id not in resolved:
            reasons = [str(e) for info in unresolved.values() for e in info["exception_info"]] if unresolved else []
            raise ContractError(f"rule '{exp.meta['id']}': no condition from Great Expectations: {reasons[:1]}")
    return {key: resolved[metric.id][0] for key, metric in metrics.items()}


def _fused(rule: Rule, exp: Expectation, condition: Column) -> Fused:
    applies = _row_condition(rule.kwargs)
    in_scope = condition if applies is None else applies & condition
    if isinstance(exp, ColumnMapExpectation):
        return Fused(rule, exp, in_scope, applies, missing=_also(applies, F.col(exp.column).isNull()))
    considered_rows = _ignore(exp)
    unexpected = in_scope if considered_rows is None else considered_rows & in_scope
    considered = considered_rows if considered_rows is not None else F.lit(True)
    return Fused(rule, exp, unexpected, applies, considered=_also(applies, considered))


def _grouped(rule: Rule, exp: Expectation, flag: str) -> Fused:
    duplicate = F.coalesce(F.col(flag), F.lit(False))
    if isinstance(exp, ColumnMapExpectation):
        return Fused(rule, exp, duplicate, missing=F.col(exp.column).isNull())
    considered = _ignore(exp)
    return Fused(rule, exp, duplicate if considered is None else considered & duplicate, considered=considered)


def _also(first: Column | None, second: Column) -> Column:
    return second if first is None else first & second


def _row_condition(kwargs: Mapping[str, Any]) -> Column | None:
    condition = kwargs.get("row_condition")
    if not condition:
        return None
    if kwargs.get("condition_parser") != "spark":
        raise ContractError(f"row_condition '{condition}' needs condition_parser: spark")
    return F.expr(str(condition))


def _ignore(exp: Expectation) -> Column | None:
    """Rows that the expectation considers, by its `ignore_row_if`; None where it considers all."""
    ignore_mode = getattr(exp.ignore_row_if, "value", exp.ignore_row_if)
    if isinstance(exp, ColumnPairMapExpectation):
        columns = [F.col(exp.column_A), F.col(exp.column_B)]
    else:
        columns = [F.col(name) for name in exp.column_list]
    present = [c.isNotNull() for c in columns]
    if ignore_mode in ("either_value_is_missing", "any_value_is_missing"):
        return reduce(Column.__and__, present)
    if ignore_mode in ("both_values_are_missing", "all_values_are_missing"):
        return reduce(Column.__or__, present)
    return None


__all__ = ["Compiled", "Fused", "compile_rules", "expectation", "expectations"]
