"""Places of departments: ties, classes, small samples; periods; what was due."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from jobs.errors import UserError
from jobs.reporting.bulletin.period import period
from jobs.reporting.bulletin.ranking import Entrant, index, ranked
from jobs.reporting.bulletin.terms import Ranking, SizeClass, terms

BY = Ranking(
    size_classes=(SizeClass(name="大", least_rows=10_000), SizeClass(name="小", least_rows=0)),
    least_rows=100,
    least_deliveries=2,
    weights={"score": 60, "punctual": 20, "mended_in_time": 20},
)
ONE = Entrant("a", rows=1000, deliveries=4, score=90, punctual=1, mended_in_time=1)


def entrants(**scores: float) -> list[Entrant]:
    return [replace(ONE, provider=name, score=score) for name, score in scores.items()]


def places(now: list[Entrant], before: list[Entrant] | None = None, months: int = 1) -> dict[str, tuple[object, ...]]:
    return {p.provider: (p.size_class, p.place, p.change, p.note) for p in ranked(now, before or [], BY, months)}


def test_equal_ones_share_a_place_and_the_next_is_left_out() -> None:
    found = ranked(entrants(a=80, b=90, c=80, d=70), [], BY, 1)
    assert [(p.provider, p.place) for p in found] == [("b", 1), ("a", 2), ("c", 2), ("d", 4)]


def test_equal_is_what_reads_equal() -> None:
    assert [p.place for p in ranked(entrants(a=90.001, b=90.002, c=90.02), [], BY, 1)] == [1, 2, 2]


def test_classes_are_ranked_apart_by_rows_a_month() -> None:
    large = replace(ONE, provider="large", rows=30_000, score=50)
    assert places([large, ONE]) == {"large": ("大", 1, None, ""), "a": ("小", 1, None, "")}
    assert places([large], months=3)["large"][0] == "大" and places([large], months=12)["large"][0] == "小"


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"rows": 99}, "样本不足"),
        ({"deliveries": 1}, "样本不足"),
        ({"deliveries": 0, "rows": 0}, "本期未报送"),
        ({"score": None}, "未检测"),
    ],
)
def test_who_cannot_be_judged_has_no_place_and_takes_none(change: dict[str, float | None], note: str) -> None:
    few = replace(ONE, provider="few", **{"score": 100, **change})  # type: ignore[arg-type]
    assert places([few, ONE]) == {"a": ("小", 1, None, ""), "few": ("小", None, None, note)}


def test_change_is_told_within_the_same_class_only() -> None:
    now, before = entrants(a=90, b=80, c=70), entrants(a=70, b=80, c=90)
    assert [places(now, before)[name][2] for name in "abc"] == [2, 0, -2]
    grown = [replace(e, rows=20_000) if e.provider == "a" else e for e in now]
    assert places(grown, before)["a"] == ("大", 1, None, "")
    assert places(now, entrants(b=80))["a"][2] is None


def test_what_cannot_be_computed_is_left_out_of_the_index() -> None:
    assert index(ONE, BY) == pytest.approx((60 * 90 + 20 * 100 + 20 * 100) / 100)
    assert index(replace(ONE, punctual=None), BY) == pytest.approx((60 * 90 + 20 * 100) / 80)
    assert index(replace(ONE, punctual=None, mended_in_time=0.5), BY) == pytest.approx((60 * 90 + 20 * 50) / 80)
    assert index(replace(ONE, score=None), BY) is None


@pytest.mark.parametrize(
    ("text", "since", "until", "before"),
    [
        ("2026-01", datetime(2025, 12, 31, 16), datetime(2026, 1, 31, 16), "2025-12"),
        ("2026Q1", datetime(2025, 12, 31, 16), datetime(2026, 3, 31, 16), "2025Q4"),
        ("2026Q3", datetime(2026, 6, 30, 16), datetime(2026, 9, 30, 16), "2026Q2"),
        ("2026", datetime(2025, 12, 31, 16), datetime(2026, 12, 31, 16), "2025"),
    ],
)
def test_periods_begin_and_end_at_local_midnight(text: str, since: datetime, until: datetime, before: str) -> None:
    found = period(text, "Asia/Shanghai")
    earlier = found.before("Asia/Shanghai")
    assert (found.since, found.until) == (since.replace(tzinfo=UTC), until.replace(tzinfo=UTC))
    assert (earlier.name, earlier.until, earlier.months) == (before, found.since, found.months)


@pytest.mark.parametrize("text", ["2026-13", "2026Q5", "1999", "January", "2026-1", ""])
def test_what_is_no_period_is_told(text: str) -> None:
    with pytest.raises(UserError, match="2026Q1"):
        period(text, "Asia/Shanghai")


def test_the_shipped_terms_have_a_formula_for_each_measure_and_classes_that_take_everybody() -> None:
    found = terms()
    assert min(c.least_rows for c in found.ranking.size_classes) == 0
    assert len({m.name for m in found.measures}) == len(found.measures) and all(m.formula for m in found.measures)
