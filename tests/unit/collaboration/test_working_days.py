"""Working days: the known vectors, make-up days, years that are not known, and years that an operator adds."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.collaboration.calendar_file import load_year
from jobs.collaboration.working_days import WorkingDays, package_calendar
from jobs.errors import PolicyError

DAYS = package_calendar()
YEAR_2027 = """year: 2027
source: 国务院办公厅关于2027年部分节假日安排的通知
holidays:
  - {name: 元旦, from: 2027-01-01, to: 2027-01-03}
  - {name: 春节, from: 2027-02-05, to: 2027-02-11}
workdays:
  - {name: 春节, day: 2027-02-13}
"""


@pytest.mark.parametrize(
    ("received", "count", "due"),
    [
        (date(2025, 9, 26), 10, date(2025, 10, 16)),
        (date(2026, 2, 10), 10, date(2026, 3, 2)),
        (date(2026, 4, 28), 1, date(2026, 4, 29)),
        (date(2026, 9, 24), 10, date(2026, 10, 15)),
    ],
)
def test_known_vectors_with_the_day_of_receipt_as_day_0(received: date, count: int, due: date) -> None:
    assert DAYS.add_working_days(received, count) == due
    assert DAYS.working_days_between(received, due) == count
    assert DAYS.is_known(received, due)


def test_a_make_up_day_is_worked_and_a_holiday_on_a_weekday_is_not() -> None:
    assert DAYS.is_working(date(2026, 2, 14)) and date(2026, 2, 14).weekday() == 5
    assert not DAYS.is_working(date(2026, 2, 17)) and date(2026, 2, 17).weekday() == 1
    assert DAYS.holidays[date(2026, 2, 17)] == "春节"


def test_a_year_that_is_missing_counts_monday_to_friday_and_says_so() -> None:
    assert 2027 not in DAYS.years
    assert DAYS.add_working_days(date(2026, 12, 30), 3) == date(2027, 1, 4)
    assert not DAYS.is_known(date(2026, 12, 30), date(2027, 1, 4))
    assert DAYS.is_working(date(2027, 2, 8)) and not DAYS.is_working(date(2027, 2, 13))


def test_a_year_from_a_file_is_known_from_then_on(tmp_path: Path) -> None:
    file = tmp_path / "2027.yaml"
    file.write_text(YEAR_2027, "utf-8")
    days = DAYS.with_years([load_year(file)])
    assert days.is_known(date(2026, 12, 30), date(2027, 1, 4))
    assert not days.is_working(date(2027, 2, 8)) and days.is_working(date(2027, 2, 13))
    assert days.add_working_days(date(2027, 2, 4), 1) == date(2027, 2, 12)
    assert days.is_working(date(2026, 2, 14)), "other years stay as they were"


def test_a_year_from_a_file_replaces_the_same_year(tmp_path: Path) -> None:
    file = tmp_path / "2026.yaml"
    file.write_text(YEAR_2027.replace("2027", "2026").replace("2026-02-13", "2026-02-14"), "utf-8")
    days = DAYS.with_years([load_year(file)])
    assert days.is_working(date(2026, 10, 1)), "a holiday that the newer file does not name"
    assert not DAYS.is_working(date(2026, 10, 1))


@pytest.mark.parametrize(
    ("wrong", "right", "line", "said"),
    [
        ("to: 2027-01-03", "to: 2026-12-31", 4, "止日早于起日"),
        ("from: 2027-01-01", "from: 2026-12-31", 4, "不在 2027 年"),
        ("day: 2027-02-13", "day: 2027-02-12", 7, "不是周六或周日"),
        ("day: 2027-02-13", "day: 2027-02-07", 7, "既是春节放假又是上班"),
        ("day: 2027-02-13", "day: 2028-02-13", 7, "不在 2027 年"),
        ("source:", "sauce:", 2, "不认识的键"),
        ("day: 2027-02-13", "day: 二月十三", 7, "值不对"),
        ("year: 2027", "year: [2027", 2, "不是有效的 YAML"),
    ],
)
def test_a_mistake_in_a_file_is_reported_with_file_line_and_remedy(
    tmp_path: Path, wrong: str, right: str, line: int, said: str
) -> None:
    file = tmp_path / "2027.yaml"
    file.write_text(YEAR_2027.replace(wrong, right), "utf-8")
    with pytest.raises(PolicyError, match=said) as told:
        load_year(file)
    assert str(told.value).startswith(f"{file}:{line}") and "请" in str(told.value)


def test_a_file_without_make_up_days_must_say_so(tmp_path: Path) -> None:
    file = tmp_path / "2027.yaml"
    file.write_text(YEAR_2027.split("workdays")[0], "utf-8")
    with pytest.raises(PolicyError, match=r"workdays.*缺少必填项"):
        load_year(file)
    with pytest.raises(PolicyError, match="没有这个文件"):
        load_year(tmp_path / "none.yaml")


def test_days_are_counted_forward_only() -> None:
    with pytest.raises(ValueError, match="forward"):
        DAYS.add_working_days(date(2026, 1, 1), -1)
    assert DAYS.working_days_between(date(2026, 1, 9), date(2026, 1, 5)) == 0


@given(st.dates(date(2004, 1, 1), date(2028, 1, 1)), st.integers(1, 40))
def test_adding_and_counting_are_each_others_inverse(day: date, count: int) -> None:
    due = DAYS.add_working_days(day, count)
    assert DAYS.is_working(due)
    assert DAYS.working_days_between(day, due) == count
    assert DAYS.working_days_between(day, due - timedelta(days=1)) == count - 1


@given(st.dates(date(2004, 1, 1), date(2028, 1, 1)), st.integers(-5, 800))
def test_days_between_are_those_that_are_worked_one_by_one(first: date, span: int) -> None:
    worked = sum(DAYS.is_working(first + timedelta(days=n)) for n in range(1, span + 1))
    assert DAYS.working_days_between(first, first + timedelta(days=span)) == worked


def test_an_empty_calendar_is_monday_to_friday() -> None:
    assert WorkingDays().add_working_days(date(2026, 9, 30), 1) == date(2026, 10, 1)
