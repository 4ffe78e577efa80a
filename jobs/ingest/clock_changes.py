"""Clock changes in local times: the hours that a zone leaves out in spring and doubles in autumn."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

ZONES = (
    *("Europe/London", "Europe/Berlin", "Europe/Helsinki", "America/New_York", "America/Chicago", "America/Denver"),
    *("America/Los_Angeles", "Australia/Sydney", "Asia/Jerusalem", "America/Santiago"),
)
"""One name for each rule of clock changes that many feeds follow."""
HOUR = 3600
DAY = 24 * HOUR
REGULAR = 0.9
"""Share of the hours between first and last that have readings; in a feed with more gaps an empty hour says nothing."""
DOUBLE = 1.7
"""A doubled hour has so many times the readings of the hours around it."""
SINGLE = 1.3
MOST_YEARS = 60


@dataclass(frozen=True)
class Change:
    """A local hour, in hours since 1970 on the clock of the feed, that a zone skips or else doubles."""

    hour: int
    is_skipped: bool

    def at(self) -> str:
        """`2024-03-31 02`."""
        return f"{datetime.fromtimestamp(self.hour * HOUR, UTC):%Y-%m-%d %H}"


@dataclass(frozen=True)
class Hours:
    """How many readings each hour has, by its number since 1970 on the clock of the feed."""

    first: int
    counts: np.ndarray

    def at(self, hour: int) -> int:
        place = hour - self.first
        return int(self.counts[place]) if 0 <= place < len(self.counts) else 0

    def around(self, hour: int) -> float:
        """Readings of the hours before and after; 0 where one of them has none."""
        before, after = self.at(hour - 1), self.at(hour + 1)
        return (before + after) / 2 if before and after else 0.0

    def is_regular(self) -> bool:
        """Whether so few hours are empty that an empty one says something."""
        return bool((self.counts > 0).mean() >= REGULAR)


def hours_of(seconds: np.ndarray, number: np.ndarray | None = None) -> Hours | None:
    """Readings by hour; `number`: how many at each time, unset: one. None where they span many decades."""
    if not len(seconds):
        return None
    hours = seconds // HOUR
    first, last = int(hours.min()), int(hours.max())
    if last - first > MOST_YEARS * 366 * 24:
        return None
    return Hours(first, np.bincount(hours - first, number).astype(np.int64))


def best_zone(hours: Hours) -> tuple[str, list[Change]] | None:
    """The zone with most changes that the hours show, and none that they contradict."""
    best: tuple[str, list[Change]] | None = None
    for zone in ZONES:
        shown, contradicted = seen_changes(hours, zone)
        if shown and not contradicted and (best is None or len(shown) > len(best[1])):
            best = zone, shown
    return best


def seen_changes(hours: Hours, zone: str) -> tuple[list[Change], list[Change]]:
    """The zone's changes that the hours show, and those that they contradict."""
    shown, contradicted = [], []
    for change in _changes(zone, hours.first, hours.first + len(hours.counts)):
        usual = hours.around(change.hour)
        if not usual:
            continue
        ratio = hours.at(change.hour) / usual
        if ratio > 0 if change.is_skipped else ratio < SINGLE:
            contradicted.append(change)
        elif change.is_skipped or ratio >= DOUBLE:
            shown.append(change)
    return shown, contradicted


def _changes(zone: str, first: int, last: int) -> Iterator[Change]:
    """Local hours between two that the zone skips (True) or doubles."""
    at, end = datetime.fromtimestamp(first * HOUR - DAY, UTC), datetime.fromtimestamp(last * HOUR + DAY, UTC)
    info = ZoneInfo(zone)
    while at < end:
        after = at + timedelta(days=1)
        if _offset(at, info) != _offset(after, info):
            hour = next(h for h in range(1, 25) if _offset(at + timedelta(hours=h), info) != _offset(at, info))
            moment = at + timedelta(hours=hour)
            lower = min(_offset(at, info), _offset(after, info))
            yield Change(int(moment.timestamp() + lower) // HOUR, _offset(after, info) > _offset(at, info))
        at = after


def _offset(at: datetime, info: ZoneInfo) -> float:
    """Seconds east of Greenwich."""
    offset = at.astimezone(info).utcoffset()
    return offset.total_seconds() if offset else 0.0
