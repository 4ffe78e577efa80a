"""Clocks: the table's rows and which one wins, due moments, pauses, reminders, extensions."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.collaboration.clock_table import FILE, clock_table
from jobs.collaboration.clocks import Clock, Elapsed, Timekeeper
from jobs.collaboration.working_days import package_calendar
from jobs.errors import PolicyError, PolicyRefusal

ZONE = ZoneInfo("Asia/Shanghai")
KEEPER = Timekeeper(package_calendar(), clock_table(), ZONE)


def at(day: str, hour: int = 9) -> datetime:
    """A moment of a day in Shanghai, in UTC."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), ZONE).astimezone(UTC) + timedelta(hours=hour)


def started(kind: str, day: str, provider: str = "civil_affairs", case: str = "", share_type: str = "") -> Clock:
    return KEEPER.start(KEEPER.table.terms(kind, provider, share_type, case), at(day))


def due_day(clock: Clock, now: datetime) -> str:
    return str(KEEPER.due(clock, now).at.astimezone(ZONE).date())


@pytest.mark.parametrize(
    ("kind", "provider", "share_type", "case", "id_", "words"),
    [
        ("catalogue_change", "civil_affairs", "", "", "C1", "10 个工作日"),
        ("catalogue_review", "bureau", "", "", "C3", "2 个工作日"),
        ("share_request", "civil_affairs", "unconditional", "", "C4", "1 个工作日"),
        ("share_request", "civil_affairs", "conditional", "", "C5", "10 个工作日"),
        ("supply", "civil_affairs", "", "", "C7", "20 个工作日"),
        ("correction", "civil_affairs", "", "", "C8", "10 个工作日"),
        ("issue", "civil_affairs", "", "", "C9", "10 个工作日"),
        ("issue", "civil_affairs", "", "core_field", "C9", "5 个工作日"),
        ("issue", "liaocheng_heat", "", "feed_down", "C9", "1 个工作日"),
        ("objection", "civil_affairs", "", "", "C10", "3 个工作日"),
        ("objection", "civil_affairs", "", "assisted", "C10", "7 个工作日"),
        ("judgment_change", "court", "", "", "C11", "3 个工作日"),
        ("double_publicity", "administrative_approval", "", "", "C12", "7 个工作日"),
        ("heat_test", "liaocheng_heat", "", "", "C13", "24 小时"),
        ("heat_complaint", "liaocheng_heat", "", "", "C14", "3 日"),
        ("gas_query", "liaocheng_gas", "", "", "C15", "5 个工作日"),
        ("gas_complaint", "liaocheng_gas", "", "", "C15", "15 个工作日"),
    ],
)
def test_every_clock_of_the_table(kind: str, provider: str, share_type: str, case: str, id_: str, words: str) -> None:
    terms = clock_table().terms(kind, provider, share_type, case)
    assert (terms.id, terms.words()) == (id_, words)


def test_extensions_are_those_that_the_law_gives() -> None:
    given_ = {(t.id, t.extension.id, t.extension.length) for t in clock_table().clocks if t.extension}
    assert given_ == {("C1", "C2", 5), ("C4", "C6", 10), ("C5", "C6", 10), ("C9", "C9", 5)}


def test_the_row_that_names_more_conditions_wins() -> None:
    general, utility = clock_table().terms("issue", "civil_affairs"), clock_table().terms("issue", "liaocheng_gas")
    assert not general.when.named() and utility.when.named() == {"provider_class": "utility"}
    both = clock_table().terms("issue", "liaocheng_gas", case="core_field")
    assert both.when.named() == {"provider_class": "utility", "case": "core_field"}


def test_a_case_without_a_row_is_said() -> None:
    with pytest.raises(PolicyError, match="没有适用于 heat_test"):
        clock_table().terms("heat_test", "civil_affairs")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("unit: hours", "unit: weeks", "值不对"),
        ("length: 24", "length: 0", "值不对"),
        ("when: {case: assisted}", "when: {}", "条件完全相同"),
        ("when: {case: assisted}", "wen: {case: assisted}", "不认识的键"),
        (
            "when: {provider_class: utility, case: core_field}",
            "when: {provider_class: x, case: core_field}",
            "分不出先后",
        ),
    ],
)
def test_a_mistake_in_the_table_is_reported_with_line_and_remedy(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "clocks.yaml"
    text = FILE.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(PolicyError, match=said) as told:
        clock_table(file)
    assert str(told.value).startswith(f"{file}:") and "请" in str(told.value)


@pytest.mark.parametrize(
    ("received", "due"), [("2025-09-26", "2025-10-16"), ("2026-02-10", "2026-03-02"), ("2026-09-24", "2026-10-15")]
)
def test_a_correction_is_due_at_the_end_of_the_tenth_working_day(received: str, due: str) -> None:
    clock = started("correction", received)
    found = KEEPER.due(clock, at(received))
    assert found.at == at(due, 24) - timedelta(seconds=1) and not found.is_provisional
    assert not KEEPER.is_overdue(clock, found.at)
    assert KEEPER.is_overdue(clock, found.at + timedelta(seconds=1))


def test_the_day_is_the_day_in_shanghai() -> None:
    late = datetime(2026, 4, 27, 16, 30, tzinfo=UTC)  # half past midnight on the 28th in Shanghai
    clock = KEEPER.start(KEEPER.table.terms("issue", "bureau", case="feed_down"), late)
    assert due_day(clock, late) == "2026-04-29"


def test_day_of_receipt_may_be_day_1_where_the_table_says_so() -> None:
    keeper = replace(KEEPER, table=KEEPER.table.model_copy(update={"receipt_day": 1}))
    on_monday = keeper.start(keeper.table.terms("issue", "bureau", case="core_field"), at("2026-01-12"))
    on_saturday = keeper.start(keeper.table.terms("issue", "bureau", case="core_field"), at("2026-01-17"))
    assert keeper.due(on_monday, at("2026-01-12")).at.astimezone(ZONE).date() == date(2026, 1, 16)
    assert keeper.due(on_saturday, at("2026-01-17")).at.astimezone(ZONE).date() == date(2026, 1, 23)


def test_hours_and_calendar_days_run_over_weekends() -> None:
    test, complaint = (started(k, "2026-01-16", "liaocheng_heat") for k in ("heat_test", "heat_complaint"))
    assert KEEPER.due(test, at("2026-01-16")).at == at("2026-01-17", 9)
    assert due_day(complaint, at("2026-01-16")) == "2026-01-19"


def test_a_due_day_in_a_year_without_a_decree_is_provisional() -> None:
    assert KEEPER.due(started("correction", "2026-12-25"), at("2026-12-25")).is_provisional


def test_a_pause_moves_the_end_and_does_not_count() -> None:
    clock = started("issue", "2026-01-12", case="core_field")  # due on Monday the 19th
    paused = KEEPER.pause(clock, at("2026-01-13"))
    assert paused.state() == "paused" and due_day(paused, at("2026-01-15")) == "2026-01-21"
    resumed = KEEPER.resume(paused, at("2026-01-15"))
    assert resumed.state() == "running" and due_day(resumed, at("2026-02-01")) == "2026-01-21"
    assert KEEPER.elapsed(resumed, at("2026-01-16")) == Elapsed(net=2, gross=4)
    stopped = KEEPER.stop(resumed, at("2026-01-16"))
    assert KEEPER.elapsed(stopped, at("2026-03-01")) == Elapsed(net=2, gross=4)


def test_a_clock_that_is_overdue_stays_so_while_it_is_paused() -> None:
    clock = started("issue", "2026-01-12", case="feed_down")
    late = KEEPER.pause(clock, at("2026-01-15"))
    assert KEEPER.is_overdue(late, at("2026-01-15")) and KEEPER.is_overdue(late, at("2026-01-30"))


def test_pauses_of_other_units_do_not_count_either() -> None:
    hours = KEEPER.pause(started("heat_test", "2026-01-16", "liaocheng_heat"), at("2026-01-16", 12))
    again = KEEPER.resume(hours, at("2026-01-16", 17))
    assert KEEPER.due(again, at("2026-01-17")).at == at("2026-01-17", 14)
    assert KEEPER.elapsed(again, at("2026-01-16", 18)) == Elapsed(net=4, gross=9)
    days = KEEPER.pause(started("heat_complaint", "2026-01-16", "liaocheng_heat"), at("2026-01-17"))
    assert due_day(KEEPER.resume(days, at("2026-01-19")), at("2026-01-19")) == "2026-01-21"


def test_moving_a_clock_twice_changes_nothing_more() -> None:
    clock = started("issue", "2026-01-12")
    assert KEEPER.resume(clock, at("2026-01-13")) == clock
    paused = KEEPER.pause(clock, at("2026-01-13"))
    assert KEEPER.pause(paused, at("2026-01-14")) == paused
    stopped = KEEPER.stop(paused, at("2026-01-15"))
    assert KEEPER.stop(stopped, at("2026-01-16")) == stopped
    assert KEEPER.pause(stopped, at("2026-01-16")) == stopped


def test_reminders_come_at_half_at_four_fifths_and_on_the_due_day() -> None:
    clock = started("issue", "2026-01-12")  # due on the 26th
    told = {day: KEEPER.reminders_due(clock, at(f"2026-01-{day}")) for day in (16, 18, 19, 21, 22, 25, 26)}
    assert told == {16: (), 18: (), 19: (50,), 21: (50,), 22: (50, 80), 25: (50, 80), 26: (50, 80, 100)}
    assert KEEPER.reminders_due(KEEPER.pause(clock, at("2026-01-20")), at("2026-01-30")) == ()
    assert KEEPER.reminders_due(KEEPER.stop(clock, at("2026-01-20")), at("2026-01-30")) == ()


def test_an_extension_is_given_only_where_the_policy_provides_it_and_up_to_its_length() -> None:
    with pytest.raises(PolicyRefusal, match="C8 没有规定延期"):
        KEEPER.extend(started("correction", "2026-01-12"), 1)
    longer = KEEPER.extend(started("issue", "2026-01-12"), 3)
    assert due_day(longer, at("2026-01-12")) == "2026-01-29"
    for by in (3, 0, -1):
        with pytest.raises(PolicyRefusal, match="还可延长 2"):
            KEEPER.extend(longer, by)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20)), max_size=5), st.integers(0, 40))
def test_net_time_never_counts_a_pause_and_due_is_where_net_reaches_the_length(
    spans: list[tuple[int, int]], rest: int
) -> None:
    clock, now = started("issue", "2026-01-12"), at("2026-01-12")
    paused_days = 0
    for run, stand in spans:
        since = now + timedelta(days=run)
        until = since + timedelta(days=stand)
        clock = KEEPER.resume(KEEPER.pause(clock, since), until)
        paused_days += KEEPER.days.working_days_between(KEEPER.local_day(since), KEEPER.local_day(until))
        now = until
    now += timedelta(days=rest)
    elapsed = KEEPER.elapsed(clock, now)
    assert elapsed.gross - elapsed.net == paused_days
    is_worked = KEEPER.days.is_working(KEEPER.local_day(now))
    assert KEEPER.is_overdue(clock, now) == (elapsed.net >= clock.length + is_worked)  # a day off after the end is late
