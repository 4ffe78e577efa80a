"""Scores follow the published formula; what was not tested is left out; no denominator of zero is a full score."""

from dataclasses import replace

import pytest

from jobs.model.rule_result import RuleCounts
from jobs.reporting import figures
from jobs.reporting.charts import Scale, ceiling, chart
from jobs.reporting.score import Weights, pass_rate, scores, weights

RULE = RuleCounts("d", "r", "expect_column_values_to_not_be_null", "critical", "完整性", "0201", True, 100, 0, 0)
SIX = ("规范性", "完整性", "准确性", "一致性", "时效性", "可访问性")


def by(**changes: object) -> Weights:
    first = {
        "version": 9,
        "basis": "b",
        "dimensions": dict.fromkeys(SIX, 1.0),
        "indicators": {},
        "severities": ["critical"],
    }
    return Weights.model_validate({**first, **changes})


@pytest.mark.parametrize(
    ("checked", "failed", "missing", "expected"),
    [(100, 25, 0, 0.75), (100, 25, 50, 0.5), (10, 10, 0, 0.0), (0, 0, 0, None), (9, 0, 9, None)],
)
def test_pass_rate_is_one_less_failed_by_checked(
    checked: int, failed: int, missing: int, expected: float | None
) -> None:
    rule = replace(RULE, element_count=checked, unexpected_count=failed, missing_count=missing)
    assert pass_rate(rule) == expected


def test_rule_about_the_whole_table_passes_or_fails() -> None:
    whole = replace(RULE, type="expect_table_row_count_to_be_between", element_count=0)
    assert (pass_rate(whole), pass_rate(replace(whole, success=False))) == (1.0, 0.0)


def test_dimension_is_the_mean_of_its_indicators_and_the_total_of_tested_dimensions() -> None:
    rules = [
        replace(RULE, unexpected_count=10),
        replace(RULE, unexpected_count=30),
        replace(RULE, indicator="0202", unexpected_count=40),
        replace(RULE, dimension="准确性", indicator="0301"),
        replace(RULE, dimension="时效性", indicator="0502", element_count=0),
    ]
    result = scores(rules, by())
    found = {d.name: d.score for d in result.dimensions}
    assert found["完整性"] == pytest.approx(100 * (0.8 + 0.6) / 2)
    assert found["准确性"] == 100
    assert found["时效性"] is None and found["可访问性"] is None
    assert result.total == pytest.approx((70 + 100) / 2)


def test_weights_count() -> None:
    rules = [replace(RULE, unexpected_count=50), replace(RULE, dimension="准确性", indicator="0301")]
    heavy = by(dimensions={**dict.fromkeys(SIX, 1.0), "完整性": 3})
    assert scores(rules, heavy).total == pytest.approx((3 * 50 + 100) / 4)


def test_alarms_do_not_lower_the_score() -> None:
    rules = [RULE, replace(RULE, severity="info", unexpected_count=100)]
    assert scores(rules, weights()).total == 100


def test_nothing_tested_has_no_score() -> None:
    assert scores([], weights()).total is None
    assert figures.score(None) == figures.percent(figures.share(0, 0)) == figures.count(None) == "—"


def test_numbers_round_away_from_a_false_all_or_nothing() -> None:
    assert figures.percent(0.99999999) == "99.99%" and figures.percent(1.0) == "100.00%"
    assert figures.percent(0.00000001) == "<0.01%" and figures.percent(0.0) == "0.00%"
    assert figures.score(99.9999) == "99.99"
    assert figures.count(1234567) == "1,234,567"
    assert figures.size(1536) == "1.5 KB"


def test_chart_leaves_a_gap_where_nothing_is_known() -> None:
    drawn = chart(
        "t",
        [(("01-01", "08:00"), 100.0, "100"), (("01-01", "09:00"), None, "—"), (("01-02", "08:00"), 0.0, "0")],
        Scale(100),
    )
    assert [m.y is None for m in drawn.marks] == [False, True, False]
    assert drawn.line().count(",") == 2 and ceiling([None, 3.2]) == 4
