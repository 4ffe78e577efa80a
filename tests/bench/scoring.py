"""Flags beside labels: rows and events found, and alarms that belong to none."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Marks = npt.NDArray[np.bool_]
"""One truth a row, in the order of time."""


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


def runs(marks: Marks, apart: int = 0) -> list[tuple[int, int]]:
    """Start and end (exclusive) of each run of true; runs with at most `apart` rows between them are one."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], marks, [False])).astype(np.int8)))
    found: list[tuple[int, int]] = []
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


def _touches(marks: Marks, run: tuple[int, int], tolerance: int) -> bool:
    return bool(marks[max(run[0] - tolerance, 0) : run[1] + tolerance].any())
