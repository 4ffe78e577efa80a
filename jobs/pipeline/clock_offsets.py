"""Devices whose clocks are wrong: all readings of an hour came too early or too late by their own times."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from jobs.contracts.stream import Stream

FEWEST = 3
"""Readings of a device without which nothing is said of its clock."""
HOUR_S, TRAVEL_S = 3600, 60
MOST = 100
"""Devices of an hour that are named, the farthest off first."""


def clock_offsets(
    devices: Sequence[str | None], events: Sequence[datetime | None], received: Sequence[datetime], stream: Stream
) -> dict[str, int]:
    """Device → seconds by which its clock is behind the broker's, negative where it is ahead.

    Of its readings the one that came soonest counts: after an outage many come late, and the last one in time. Only a clock
    that is off makes all of them early or late. Where most devices are late it is the sender that is: of these only offsets of
    whole hours are named, which are time zones.
    """
    soonest = _soonest(devices, events, received)
    off = {device: round(wait) for device, wait in soonest.items() if abs(wait) > stream.clock_offset_s}
    if len(off) * 2 > len(soonest) > 1:
        off = {device: wait for device, wait in off.items() if _is_zone(wait)}
    return dict(sorted(off.items(), key=lambda pair: -abs(pair[1]))[:MOST])


def _soonest(
    devices: Sequence[str | None], events: Sequence[datetime | None], received: Sequence[datetime]
) -> dict[str, float]:
    """Seconds between the time of a reading and its receipt, of each device's reading that came soonest."""
    waits: dict[str, list[float]] = defaultdict(list)
    for device, event, at in zip(devices, events, received, strict=True):
        if device is not None and event is not None:
            waits[device].append((at - event).total_seconds())
    return {device: min(found) for device, found in waits.items() if len(found) >= FEWEST}


def _is_zone(wait_s: int) -> bool:
    """Whether it is a whole number of hours, but for the time that readings travel."""
    return abs(wait_s - round(wait_s / HOUR_S) * HOUR_S) <= TRAVEL_S
