"""Flags beside labels: what counts as found, and what as a false alarm."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from jobs.contracts.alarm import AlarmPolicy
from tests.bench import limits
from tests.bench.scoring import AlarmScore, Marks, alarm_score, alarms, runs, score


def marks(drawn: str) -> Marks:
    """A row a sign; x is true."""
    return np.array([sign == "x" for sign in drawn])


def test_runs_with_few_rows_between_them_are_one() -> None:
    assert runs(marks(".xx.x...x")) == [(1, 3), (4, 5), (8, 9)]
    assert runs(marks(".xx.x...x"), apart=1) == [(1, 5), (8, 9)]
    assert runs(marks("...")) == []


def test_a_flag_near_an_event_finds_it_and_is_no_false_alarm() -> None:
    labels = marks("..xx.....xx......")
    near = score(labels, marks("....x.........x.."), tolerance=1)
    assert (near.events, near.found, near.alarms, near.false_alarms) == (2, 1, 2, 1)
    assert (near.labelled, near.flagged, near.hits) == (4, 2, 0)
    assert near.recall() == 0.5


def test_one_alarm_may_find_two_events() -> None:
    both = score(marks(".x..x."), marks(".xxxx."), tolerance=0)
    assert (both.found, both.alarms, both.false_alarms, both.hits) == (2, 1, 0, 2)


def test_no_event_is_no_recall_and_nothing_flagged_no_precision() -> None:
    none = score(marks("...."), marks("...."), tolerance=0)
    assert none.recall() == 0.0 and "precision – of 0" in none.note()


def test_what_comes_each_day_is_usual_at_its_hour_alone() -> None:
    at = pd.date_range("2026-01-12", periods=96, freq="h")
    steady = pd.Series(np.where(at.hour == 7, 9.0, 1.0), index=at)
    daily = {"period_s": 3600, "every_s": 86400, "back": 2, "least": 1, "readings": 1}
    hourly = {"period_s": 3600, "back": 3, "least": 1, "readings": 1}
    assert limits.depart(steady, hourly)["limit"] == pytest.approx(16.0)
    assert limits.depart(steady, daily)["limit"] == 2.0, "nothing departs: the limit of a sensor that did not move"


def alarmed(labels: str, flags: str) -> AlarmScore:
    """One letter a minute: x where the row is labelled or flagged."""
    times = [datetime(2026, 1, 12) + timedelta(minutes=n) for n in range(len(labels))]
    labelled, flagged = (np.array([letter == "x" for letter in line]) for line in (labels, flags))
    return alarm_score(labelled, alarms(flagged, times, AlarmPolicy(after=2, clear_after=2)), times, 1)


def test_an_alarm_belongs_to_the_event_during_which_it_is_open() -> None:
    assert alarmed("..xxxx....", "...xx.....") == AlarmScore(1, ((2, 2.0),), 1, 0)
    assert alarmed("..xxxx....", "....x.x...") == AlarmScore(1, (), 0, 0)  # no two in a row
    assert alarmed("xx........", ".....xx...") == AlarmScore(1, (), 1, 1)


def test_an_alarm_that_is_open_already_has_no_wait() -> None:
    assert alarmed("....xx....", "xxxxxx....") == AlarmScore(1, ((0, 0.0),), 1, 0)
    assert alarmed("..x....x..", ".xxxxxxx..").waits == ((0, 0.0), (0, 0.0))


def test_without_events_nothing_is_recalled() -> None:
    assert alarmed("....", "xxxx").recall() == 0.0
    assert "none" in alarmed("....", "....").note()
