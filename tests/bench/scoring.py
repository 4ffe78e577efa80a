"""Flags beside labels: rows and events found, and alarms that belong to none."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from jobs.contracts.alarm import AlarmPolicy
from jobs.streams.alarms import Change, Watch, Watched, advance

Marks = npt.NDArray[np.bool_]
"""One truth a row, in the order of time."""
Span = tuple[int, int]
"""First row, and the row after the last."""


@dataclass(frozen=True)
class Score:
    """Rows and events that were labelled and found; an alarm is a run of flagged rows."""

    rows: int
    labelled: int
    flagged: int
    hits: int
    events: int
    found: int
    alarms: int
    false_alarms: int

    def recall(self) -> float:
        """Share of the events found; 0.0 where there is none."""
        return self.found / self.events if self.events else 0.0

    def note(self) -> str:
        """All numbers in one line."""
        good = self.alarms - self.false_alarms
        return (
            f"{self.found} of {self.events} events found; {_share(good, self.alarms)} of {self.alarms} alarms touch one; "
            f"rows: precision {_share(self.hits, self.flagged)} of {self.flagged}, recall {_share(self.hits, self.labelled)}"
            f" of {self.labelled}"
        )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "–"


@dataclass(frozen=True)
class AlarmScore:
    """Alarms in the order of time, compared with labelled events; `waits`: from the start of an event to its alarm, readings and minutes."""

    events: int
    waits: Sequence[tuple[int, float]]
    alarms: int
    false_alarms: int

    def recall(self) -> float:
        """Share of the events during which an alarm was open; 0.0 where there is none."""
        return len(self.waits) / self.events if self.events else 0.0

    def note(self) -> str:
        """All numbers in one line."""
        good = self.alarms - self.false_alarms
        readings, minutes = sorted(wait[0] for wait in self.waits), sorted(wait[1] for wait in self.waits)
        said = f"{_spread(minutes)} min, {_spread(readings)} readings" if self.waits else "none"
        return (
            f"{len(self.waits)} of {self.events} events; until the alarm (median, p90, longest): {said}; "
            f"{_share(good, self.alarms)} of {self.alarms} alarms touch one"
        )


def _spread(sizes: Sequence[float]) -> str:
    """Median, 90th percentile and longest of sorted sizes."""
    p90 = sizes[min(len(sizes) - 1, int(len(sizes) * 0.9))]
    return f"{statistics.median(sizes):.0f}, {p90:.0f}, {sizes[-1]:.0f}"


def alarm_score(labels: Marks, opened: Sequence[Span], times: Sequence[datetime], tolerance: int) -> AlarmScore:
    """The score of the alarms; one belongs to an event where it is open at most `tolerance` rows from it."""
    events = runs(labels)
    waits = []
    for start, end in events:
        open_at = [a for a, b in opened if a < end + tolerance and b > start - tolerance]
        if open_at:
            first = max(start, min(open_at))
            waits.append((first - start, (times[first] - times[start]).total_seconds() / 60))
    false = sum(not _touches(labels, alarm, tolerance) for alarm in opened)
    return AlarmScore(len(events), tuple(waits), len(opened), false)


def alarms(flags: Marks, times: Sequence[datetime], policy: AlarmPolicy) -> list[Span]:
    """Row at which each alarm opens, and the one after it cleared."""
    rows = {at: number for number, at in enumerate(times)}
    readings = [Watched(at, bool(flag), "") for at, flag in zip(times, flags, strict=True)]
    found: list[Span] = []
    for change, reading in advance(Watch(), readings, policy)[1]:
        if change is Change.OPENED:
            found.append((rows[reading.at], len(times)))
        else:
            found[-1] = (found[-1][0], rows[reading.at] + 1)
    return found


def runs(marks: Marks, apart: int = 0) -> list[Span]:
    """Start and end (exclusive) of each run of true; runs with at most `apart` rows between them are one."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marks, [False])).astype(np.int8)))
    found: list[Span] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if found and start - found[-1][1] <= apart:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def score(labels: Marks, flags: Marks, tolerance: int) -> Score:
    """The score of flags; an event is a run of labelled rows, found where a row at most `tolerance` away is flagged."""
    events, alarms = runs(labels), runs(flags, tolerance)
    return Score(
        rows=len(labels),
        labelled=int(labels.sum()),
        flagged=int(flags.sum()),
        hits=int((labels & flags).sum()),
        events=len(events),
        found=sum(_touches(flags, event, tolerance) for event in events),
        alarms=len(alarms),
        false_alarms=sum(not _touches(labels, alarm, tolerance) for alarm in alarms),
    )


def _touches(marks: Marks, run: Span, tolerance: int) -> bool:
    return bool(marks[max(run[0] - tolerance, 0) : run[1] + tolerance].any())
