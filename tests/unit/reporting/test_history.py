"""A delivery compared with earlier ones: reported if unusual, not compared without similar days."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from jobs.model.delivery import Delivery, State
from jobs.model.distribution import MEAN, VALUE_SHARE, DistributionRow
from jobs.pipeline.delivery_checks import delivery_checks
from jobs.reporting import write_report
from jobs.reporting.history import EMPTY, FAILED, ROWS, day_kind
from tests.unit.lake.local_lake import DATASET, NOW, LocalLake, delivery, registry, rule_rows, verdict


def sent(
    root: Path, days: Sequence[tuple[date, int, int, int]], capital: Sequence[float] = (), open_: Sequence[float] = ()
) -> dict[str, object]:
    """Deliveries on days, each with its rows, failed rows and empty identity numbers; the last one's history.

    `capital`: mean of the capital on each day; `open_`: share of the status 存续.
    """
    lake, cat = LocalLake(root), registry()
    contract = cat.contract(DATASET)
    for seq, (day, rows, failed, empty) in enumerate(days, 1):
        at = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
        one = replace(delivery(seq, contract, State.ACCEPTED), received_at=at)
        lake.ledger.entries.append(one)
        said = verdict(one, rows=rows, failed_rows=failed, good_rows=rows - failed)
        found = [
            replace(r, element_count=rows, missing_count=empty if r.rule == "legal_rep_id_no_pattern" else 0)
            for r in rule_rows(said, cat, {})
        ]
        shapes = [
            DistributionRow(one.id, seq, DATASET, kind, field, values[seq - 1])
            for kind, field, values in ((MEAN, CAPITAL, capital), (VALUE_SHARE, OPEN, open_))
            if values
        ]
        lake.results().write(said, found, (), shapes)
    last = lake.ledger.entries[-1].id
    files = write_report(lake, cat, last, NOW)  # type: ignore[arg-type]
    told: dict[str, object] = json.loads(lake.outputs()[files.json])["history"]
    page = lake.outputs()[files.html].decode()
    assert ("与以往不同之处" in page) == bool(told["unusual"])
    return told


CAPITAL, OPEN = "registered_capital_wan", "enterprise_status=存续"


def workdays(count: int, start: date = date(2026, 3, 2)) -> list[date]:
    found = [start + timedelta(days=n) for n in range(3 * count)]
    return [day for day in found if day_kind(day) == "工作日"][:count]


def usual(days: Sequence[date]) -> list[tuple[date, int, int, int]]:
    return [(day, 1000 + 7 * (n % 5), 10 + n % 3, 50 + n % 4) for n, day in enumerate(days)]


def names(told: dict[str, object]) -> set[tuple[str, str]]:
    return {(one["kind"], one["field"]) for one in told["unusual"]}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ((1010, 11, 52), set()),
        ((400, 4, 20), {(ROWS, "")}),
        ((2500, 25, 125), {(ROWS, "")}),
        ((1010, 200, 52), {(FAILED, "")}),
        ((1010, 11, 600), {(EMPTY, "legal_rep_id_no")}),
    ],
)
def test_what_leaves_its_band_is_told_with_the_band(tmp_path: Path, last: tuple[int, int, int], expected: set):  # type: ignore[type-arg]
    *before, today = workdays(10)
    told = sent(tmp_path, [*usual(before), (today, *last)])
    assert told["is_judged"] and told["day_kind"] == "工作日" and len(told["days"]) == 9  # type: ignore[arg-type]
    assert names(told) == expected
    for one in told["unusual"]:  # type: ignore[attr-defined]
        assert not one["low"] <= one["seen"] <= one["high"]


def test_no_alarm_at_spring_festival(tmp_path: Path):
    before = workdays(20, date(2026, 1, 12))
    festival = date(2026, 2, 17)
    assert day_kind(festival) == "春节"
    told = sent(tmp_path, [*usual([d for d in before if d < festival]), (festival, 30, 0, 1)])
    assert (told["is_judged"], told["day_kind"], told["unusual"]) == (False, "春节", [])


def test_a_make_up_saturday_is_a_working_day_and_a_plain_one_is_not(tmp_path: Path):
    assert (day_kind(date(2026, 2, 14)), day_kind(date(2026, 3, 7))) == ("工作日", "周末")
    assert day_kind(date(2031, 3, 8)) == "周末", "beyond the calendar's years the day of the week decides"
    told = sent(tmp_path, [*usual(workdays(9)), (date(2026, 3, 21), 100, 0, 0)])
    assert not told["is_judged"] and told["day_kind"] == "周末"


def test_too_few_days_are_said_and_not_judged(tmp_path: Path):
    *before, today = workdays(5)
    told = sent(tmp_path, [*usual(before), (today, 1, 0, 0)])
    assert not told["is_judged"] and len(told["days"]) == 4  # type: ignore[arg-type]


def test_values_that_lie_otherwise_than_usual_are_told(tmp_path: Path):
    days = usual(workdays(10))
    usual_mean, usual_share = [500 + 3 * (n % 4) for n in range(9)], [0.9 + 0.01 * (n % 3) for n in range(9)]
    assert names(sent(tmp_path / "a", days, [*usual_mean, 505], [*usual_share, 0.91])) == set()
    told = sent(tmp_path / "b", days, [*usual_mean, 5_050_000], [*usual_share, 0.2])
    assert names(told) == {(MEAN, CAPITAL), (VALUE_SHARE, OPEN)}


@pytest.mark.parametrize(
    ("rows", "changes", "expected"),
    [
        (1010, {}, (1014, 0)),
        (400, {}, (1014, 614)),
        (2500, {}, (2500, 1486)),
        (400, {"supersedes": "another"}, None),
    ],
)
def test_rows_of_the_period_are_a_rule_of_their_own(
    tmp_path: Path, rows: int, changes: dict[str, str], expected: tuple[int, int] | None
):
    lake, contract = LocalLake(tmp_path), registry().contract(DATASET)
    *before, today = workdays(9)
    lake.ledger.entries += [on_day(seq, day, 1000 + 7 * (seq % 5)) for seq, day in enumerate(before, 1)]
    last = replace(on_day(9, today, rows), **changes)  # type: ignore[arg-type]
    lake.ledger.entries.append(last)
    found = {r.indicator: r for r in delivery_checks(lake, contract, last, verdict(last, rows=rows))}  # type: ignore[arg-type]
    told = found.get("0501")
    assert (None if told is None else (told.element_count, told.unexpected_count)) == expected
    assert told is None or (told.success == (rows == 1010) and f"{rows} 行" in told.message)


def on_day(seq: int, day: date, rows: int) -> Delivery:
    at = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
    return replace(delivery(seq, registry().contract(DATASET), State.ACCEPTED), received_at=at, counted_rows=rows)
