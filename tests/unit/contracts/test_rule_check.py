"""Conditions of rules are checked against the contract before any engine sees them."""

from dataclasses import replace
from pathlib import Path

import pytest

from jobs.contracts import Contract, Field, Lookup, Rule, load
from jobs.contracts.rule_check import mistakes, notes
from jobs.settings import PROJECT

FIELDS = (Field("no", "编号", "string"), Field("value", "数值", "number"), Field("at", "时间", "timestamp"))
CONTRACT = Contract("d", "数据", "1.0.0", "source", "p", "局", "", FIELDS, Path("d.yaml"))


def rule(type_: str = "expect_multicolumn_values_to_satisfy", **kwargs: object) -> Rule:
    return Rule("r", type_, kwargs, "warning", "准确性", "不对", "请核对", "约定", (), "suite")


@pytest.mark.parametrize(
    "condition",
    [
        "value > 0 AND no IS NOT NULL",
        "`value` BETWEEN 1 AND 2 OR _sent_date > at",
        "exists(split(no, ','), x -> x = 'a')",
        "VALUE > 1",
        "aggregate(array(value), 0D, (s, v) -> s + v) > 1",
    ],
)
def test_right_conditions_have_no_mistake(condition: str) -> None:
    assert list(mistakes(CONTRACT, rule(condition=condition))) == []


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"condition": "valeu > 0"}, "'valeu', which is not a field"),
        ({"unless": "plate.size > 0"}, "'plate', which is neither a field nor a lookup"),
        ({"condition": "value >"}, "is not Spark SQL"),
        ({"at": "value"}, "needs a timestamp or a date"),
    ],
)
def test_mistakes_name_the_rule_and_the_remedy(kwargs: dict[str, object], said: str) -> None:
    (mistake,) = mistakes(CONTRACT, rule(**kwargs))
    assert mistake.startswith("rule 'r'") and said in mistake


def test_fields_of_a_lookup_are_its_own_affair() -> None:
    own = replace(rule(condition="plate.size > value"), lookups=(Lookup("plate", "devices", (("no", "no"),)),))
    assert list(mistakes(CONTRACT, own)) == []


def test_a_condition_about_emptiness_that_passes_over_empty_rows_is_noted() -> None:
    assert "ignore_row_if: never" in next(notes(rule(condition="value IS NOT NULL")))
    assert not list(notes(rule(condition="value IS NOT NULL", ignore_row_if="never")))
    assert not list(notes(rule(condition="value > 0")))


def test_shipped_rules_have_no_mistake() -> None:
    registry = load(PROJECT / "schemas", PROJECT / "expectations")
    wrong = [m for id_, rules in registry.rules.items() for r in rules for m in mistakes(registry.contract(id_), r)]
    assert wrong == []
