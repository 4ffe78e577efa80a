"""Date patterns as regular expressions and ISO templates."""

import re

import pytest

from jobs.conform.dates import shape


def iso(pattern: str, text: str) -> str | None:
    """The text in ISO form by the pattern's shape; None where it does not fit."""
    numeric = shape(pattern)
    match = numeric and re.match(numeric[0], text)
    return match.expand(re.sub(r"\$(\d+)", r"\\g<\1>", numeric[1])) if numeric and match else None


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("yyyy-MM", "2026-01", "2026-01-01"),
        ("yyyy年M月", "2026年1月", "2026-1-01"),
        ("yyyyMM", "202612", "2026-12-01"),
        ("yyyy-MM", "2026-01-05", None),
        ("yyyy-MM-dd", "2026-01-05", "2026-01-05"),
        ("yyyyMMdd", "20260105", "2026-01-05"),
    ],
)
def test_a_month_is_its_first_day(pattern: str, text: str, expected: str | None) -> None:
    assert iso(pattern, text) == expected


@pytest.mark.parametrize("pattern", ["yyyy", "yyyy-MM HH:mm", "MM-dd"])
def test_a_pattern_without_year_and_month_or_with_a_time_of_no_day_has_no_shape(pattern: str) -> None:
    assert shape(pattern) is None
