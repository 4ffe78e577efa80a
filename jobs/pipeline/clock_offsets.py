"""Devices whose clocks are wrong: all readings of an hour came too early or too late by their own times."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from jobs.contracts.stream import Stream

FEWEST = 3
"""Readings of a device without which nothing is said of its clock."""
MOST = 100
"""Devices of an hour that are named, the farthest off first."""


def clock_offsets(
    devices: Sequence[str | None], events: Sequence[datetime | None], received: Sequence[datetime], stream: Stream
) -> dict[str, int]:
    """Device → seconds by which its clock is behind the broker's, negative where it is ahead.

    Of its readings the one that came soonest counts: after an outage many come late, and the last one in time. Only a clock
    that is off makes all of them early or late.
    """
    waits: dict[str, list[float]] = defaultdict(list)
    for device, event, at in zip(devices, events, received, strict=True):
        if device is not None and event is not None:
            waits[device].append((at - event).total_seconds())
    soonest = {device: min(found) for device, found in waits.items() if len(found) >= FEWEST}
    off = {device: round(wait) for device, wait in soonest.items() if abs(wait) > stream.clock_offset_s}
    return dict(sorted(off.items(), key=lambda pair: -abs(pair[1]))[:MOST])
