"""Whose clock is wrong, from when readings were measured and when they came."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from jobs.contracts.stream import Stream
from jobs.pipeline.clock_offsets import clock_offsets

STREAM = Stream(event_time="at", device="id", clock_offset_s=300)
NOON = datetime(2026, 1, 12, 12, tzinfo=UTC)


def offsets(**waits_s: Sequence[float | None]) -> dict[str, int]:
    """Of devices whose readings came so many seconds after their own times; None: a reading without a time."""
    rows = [
        (device, None if wait is None else NOON - timedelta(seconds=wait))
        for device, found in waits_s.items()
        for wait in found
    ]
    devices, events = [device for device, _ in rows], [event for _, event in rows]
    return clock_offsets(devices, events, [NOON] * len(rows), STREAM)


def test_a_clock_that_is_always_off_by_as_much_is_wrong() -> None:
    right = {f"right{n}": [2.0, 5.0, 9.0] for n in range(3)}
    found = offsets(**right, slow=[1805, 1801, 1830], fast=[-400, -390, -410])
    assert found == {"slow": 1801, "fast": -410}


def test_readings_that_came_late_after_an_outage_say_nothing_of_a_clock() -> None:
    assert offsets(late=[3600, 1800, 900, 4]) == {}


def test_where_most_are_late_the_sender_is_unless_it_is_a_time_zone() -> None:
    assert offsets(a=[2400, 2410, 2420], b=[2400, 2410, 2420], c=[1, 2, 3]) == {}
    assert offsets(a=[28805, 28801, 28830], b=[28803, 28802, 28830], c=[2400, 2410, 2420]) == {"a": 28801, "b": 28802}


def test_few_readings_and_readings_without_a_time_say_nothing() -> None:
    assert offsets(few=[9000, 9000], none=[None, None, None, 9000, 9000]) == {}
