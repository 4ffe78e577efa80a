"""One alarm for one cause: it opens and clears after readings in a row, and every change is kept."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.contracts.alarm import AlarmPolicy
from jobs.errors import InvalidTransition, Unknown
from jobs.lake.database import Database
from jobs.streams.alarm_store import Alarms, Limit
from jobs.streams.alarms import AlarmState, Change, Rejudged, Watch, Watched, advance, advance_again

START = datetime(2026, 1, 12, tzinfo=UTC)
POLICY = AlarmPolicy(after=2, clear_after=3, escalate_min=30, authority="water_authority")
LIMIT = Limit("water", "turbidity_limit", "出厂水浊度超过 1 NTU", POLICY)


def readings(word: str, first: int = 0) -> list[Watched]:
    """A reading a minute: x breaks the limit."""
    return [Watched(START + timedelta(minutes=first + i), letter == "x", f"{i}") for i, letter in enumerate(word)]


def story(word: str) -> list[tuple[str, int]]:
    _, changes = advance(Watch(), readings(word), POLICY)
    return [(change, int((reading.at - START) / timedelta(minutes=1))) for change, reading in changes]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (".....", []),
        ("x.x.x.", []),
        ("xx", [(Change.OPENED, 1)]),
        ("xx..x..x", [(Change.OPENED, 1)]),
        ("xx...", [(Change.OPENED, 1), (Change.CLEARED, 4)]),
        ("xxxx...xx...", [(Change.OPENED, 1), (Change.CLEARED, 6), (Change.OPENED, 8), (Change.CLEARED, 11)]),
    ],
)
def test_an_alarm_does_not_flap(word: str, expected: list[tuple[str, int]]) -> None:
    assert story(word) == expected


@given(st.text("x.", max_size=40), st.lists(st.integers(0, 40), max_size=6))
def test_how_readings_are_cut_into_batches_changes_nothing(word: str, cuts: Sequence[int]) -> None:
    whole = advance(Watch(), readings(word), POLICY)
    watch, changes = Watch(), []
    ends = sorted({0, *(cut for cut in cuts if cut <= len(word)), len(word)})
    for begin, end in pairwise(ends):
        watch, more = advance(watch, readings(word)[begin:end], POLICY)
        changes += more
    assert (watch, changes) == whole


@given(st.text("x.", min_size=1, max_size=20))
def test_the_same_readings_again_change_nothing(word: str) -> None:
    watch, _ = advance(Watch(), readings(word), POLICY)
    assert advance(watch, readings(word), POLICY) == (watch, [])


def live(words: Sequence[str]) -> tuple[Watch, list[tuple[str, int]]]:
    """The life of an alarm where each batch has one more reading, and a verdict on all readings before it."""
    watch, story, since = Watch(), [], None
    for word in words:
        known, new = readings(word)[:-1], readings(word)[-1:]
        watch, changes = advance_again(watch, Rejudged(known, since), new, POLICY)
        story += [(change, int((reading.at - START) / timedelta(minutes=1))) for change, reading in changes]
        since = changes[-1][1].at if changes else since
    return watch, story


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([".", "..", "...", ".xx."], [(Change.OPENED, 2)]),  # a spike of two readings, known once it is over
        ([".", "..", ".xx.", ".xx..", ".xx...", ".xx...."], [(Change.OPENED, 2), (Change.CLEARED, 5)]),
        ([".", "..x", ".xxx", ".xxx."], [(Change.OPENED, 2)]),
        (["xx", "xx.", "xx..", "xx.x.", "xx.x..", "xx.x..."], [(Change.OPENED, 1), (Change.CLEARED, 6)]),
        ([".", ".x", ".x."], []),
    ],
)
def test_a_verdict_that_later_readings_change_opens_one_alarm_late(
    words: Sequence[str], expected: list[tuple[str, int]]
) -> None:
    watch, story = live(words)
    assert story == expected
    assert watch.last_at == readings(words[-1])[-1].at


@given(st.text("x.", min_size=1, max_size=20))
def test_verdicts_that_do_not_change_give_the_same_alarms(word: str) -> None:
    again = live([word[: end + 1] for end in range(len(word))])
    assert again[1] == story(word)


@pytest.fixture
def alarms(tmp_path: Path) -> Iterator[Alarms]:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    database.migrate()
    yield Alarms(database)
    database.close()


def test_an_alarm_of_each_device_and_its_events(alarms: Alarms) -> None:
    events = alarms.watch(LIMIT, {"A": readings("xx"), "B": readings(".."), "C": readings("x")})
    assert [(e.alarm.device, e.change, e.value, e.actor) for e in events] == [("A", Change.OPENED, "1", "lake")]
    assert alarms.watch(LIMIT, {"A": readings("xx"), "C": readings("x", 1)}) != []  # C's second; A's are known
    assert {a.device for a in alarms.all()} == {"A", "C"}
    (cleared,) = alarms.watch(LIMIT, {"A": readings("...", 5)})
    assert (cleared.change, cleared.alarm.state) == (Change.CLEARED, AlarmState.CLEARED)
    assert [a.device for a in alarms.all()] == ["C"]
    assert len(alarms.all(with_cleared=True)) == 2
    sent = json.loads(events[0].as_json())
    assert (sent["change"], sent["alarm"]["device"], sent["alarm"]["authority"]) == ("opened", "A", "water_authority")


def test_the_authority_acknowledges_and_clears_with_a_reason(alarms: Alarms) -> None:
    (opened,) = alarms.watch(LIMIT, {"A": readings("xx")})
    number, at = opened.alarm.id, START + timedelta(minutes=3)
    assert alarms.acknowledge(number, "wang", at).state is AlarmState.ACKNOWLEDGED
    with pytest.raises(InvalidTransition):
        alarms.acknowledge(number, "wang", at)
    with pytest.raises(InvalidTransition, match="reason"):
        alarms.clear(number, "wang", " ", at)
    assert alarms.clear(number, "wang", "检修", at).state is AlarmState.CLEARED
    with pytest.raises(InvalidTransition):
        alarms.clear(number, "wang", "检修", at)
    with pytest.raises(Unknown):
        alarms.clear(99, "wang", "检修", at)
    assert [e.change for e in alarms.events(number)] == [Change.OPENED, Change.ACKNOWLEDGED, Change.CLEARED]
    (again,) = alarms.watch(LIMIT, {"A": readings("xx", 5)})
    assert again.alarm.id != number


def test_an_alarm_that_nobody_acknowledges_escalates_once(alarms: Alarms) -> None:
    (first, second) = alarms.watch(LIMIT, {"A": readings("xx"), "B": readings("xx")})
    alarms.acknowledge(second.alarm.id, "wang", START)
    assert alarms.escalate(START + timedelta(minutes=30)) == []
    assert [a.id for a in alarms.escalate(START + timedelta(minutes=31))] == [first.alarm.id]
    assert alarms.escalate(START + timedelta(days=1)) == []


def test_events_stay_unsent_until_the_topic_has_them(alarms: Alarms) -> None:
    events = alarms.watch(LIMIT, {"A": readings("xx"), "B": readings("xx")})
    alarms.sent([events[0].seq])
    assert [e.seq for e in alarms.events(unsent=True)] == [events[1].seq]


def test_known_readings_open_an_alarm_once(alarms: Alarms) -> None:
    assert alarms.watch(LIMIT, {"A": readings("..")}) == []
    (opened,) = alarms.watch(LIMIT, {"A": readings(".", 2)}, {"A": readings("xx")})
    assert (opened.change, opened.at) == (Change.OPENED, START + timedelta(minutes=1))
    for end in range(3, 7):
        alarms.watch(LIMIT, {"A": readings(".", end)}, {"A": readings("xx" + "." * (end - 2))})
    assert [event.change for event in alarms.events()] == [Change.OPENED, Change.CLEARED]
    assert len(alarms.all(with_cleared=True)) == 1
