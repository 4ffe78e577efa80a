"""The zone of local times, by the hours that a clock change leaves out in spring and doubles in autumn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from jobs.ingest.guess_values import Guess
from jobs.ingest.sample_times import seconds_of
from jobs.ingest.wordings import wording

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
class _Hours:
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


def zone_comments(columns: Mapping[int, pa.Array], guesses: Mapping[int, Guess], names: Mapping[int, str]) -> list[str]:
    """For each column of local times whose hours show clock changes: those changes, and the zone that has them."""
    found = []
    for position, proposed in guesses.items():
        if not proposed.is_local_time():
            continue
        hours = _hours(columns[position], proposed)
        seen = hours and _best(hours)
        if seen:
            zone, changes = seen
            found.append(wording("zone_seen", name=names[position], zone=zone, changes="、".join(changes)))
    return found


def _hours(texts: pa.Array, proposed: Guess) -> _Hours | None:
    """None where the times cannot be read, span many decades, or leave out many hours."""
    seconds = seconds_of(texts.drop_null(), proposed)
    if seconds is None or not len(seconds):
        return None
    numbers = seconds // HOUR
    first, last = int(numbers.min()), int(numbers.max())
    if last - first > MOST_YEARS * 366 * 24:
        return None
    counts = np.bincount(numbers - first)
    return _Hours(first, counts) if (counts > 0).mean() >= REGULAR else None


def _best(hours: _Hours) -> tuple[str, list[str]] | None:
    """The zone with most changes that the hours show, and none that they contradict."""
    best: tuple[str, list[str]] | None = None
    for zone in ZONES:
        changes = _shown(hours, zone)
        if changes and (best is None or len(changes) > len(best[1])):
            best = zone, changes
    return best


def _shown(hours: _Hours, zone: str) -> list[str]:
    """The zone's changes that the hours show; none where one is contradicted."""
    shown = []
    for hour, is_skipped in _changes(zone, hours.first, hours.first + len(hours.counts)):
        usual = hours.around(hour)
        if not usual:
            continue
        ratio = hours.at(hour) / usual
        if ratio > 0 if is_skipped else ratio < SINGLE:
            return []
        if is_skipped or ratio >= DOUBLE:
            at = datetime.fromtimestamp(hour * HOUR, UTC)
            shown.append(wording("zone_skipped" if is_skipped else "zone_doubled", at=f"{at:%Y-%m-%d %H} 时"))
    return shown


def _changes(zone: str, first: int, last: int) -> Iterator[tuple[int, bool]]:
    """Local hours between two that the zone skips (True) or doubles."""
    at, end = datetime.fromtimestamp(first * HOUR - DAY, UTC), datetime.fromtimestamp(last * HOUR + DAY, UTC)
    info = ZoneInfo(zone)
    while at < end:
        after = at + timedelta(days=1)
        if _offset(at, info) != _offset(after, info):
            hour = next(h for h in range(1, 25) if _offset(at + timedelta(hours=h), info) != _offset(at, info))
            moment = at + timedelta(hours=hour)
            lower = min(_offset(at, info), _offset(after, info))
            yield int(moment.timestamp() + lower) // HOUR, _offset(after, info) > _offset(at, info)
        at = after


def _offset(at: datetime, info: ZoneInfo) -> float:
    """Seconds east of Greenwich."""
    offset = at.astimezone(info).utcoffset()
    return offset.total_seconds() if offset else 0.0
