"""Readings of one device against one limit → the life of an alarm; pure.

One alarm for one cause: it opens after `after` readings in a row beyond the limit, and clears after `clear_after` readings in
a row within it, so that a value that wavers around the limit does not open it again and again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import takewhile

from jobs.contracts.alarm import AlarmPolicy


class AlarmState(StrEnum):
    """The life of an alarm."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


ALARM_WORDS = {AlarmState.OPEN: "未处置", AlarmState.ACKNOWLEDGED: "处置中", AlarmState.CLEARED: "已解除"}


class Change(StrEnum):
    """What happened to an alarm."""

    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"
    CLEARED = "cleared"


CHANGE_WORDS = {
    Change.OPENED: "发生",
    Change.ACKNOWLEDGED: "确认",
    Change.ESCALATED: "升级",
    Change.CLEARED: "解除",
}


@dataclass(frozen=True)
class Watched:
    """A reading as alarms see it: when, whether it is beyond the limit, and its value as text."""

    at: datetime
    breaks: bool
    value: str


@dataclass(frozen=True)
class Watch:
    """What is remembered of a device and a limit. `run`: readings in a row of the kind that would change the alarm."""

    last_at: datetime | None = None
    run: int = 0
    is_open: bool = False


@dataclass(frozen=True)
class Rejudged:
    """Known readings of a device on which a rule that sees later readings decided again; `since`: the last change of its alarm."""

    readings: Sequence[Watched] = ()
    since: datetime | None = None


def advance(
    watch: Watch, readings: Iterable[Watched], policy: AlarmPolicy
) -> tuple[Watch, list[tuple[Change, Watched]]]:
    """The watch after these readings, and what happened, with the reading that decided it.

    A reading that is not later than the last one changes nothing: the figures are corrected by late data, a past alarm is not.
    """
    changes: list[tuple[Change, Watched]] = []
    for reading in sorted(readings, key=lambda r: r.at):
        if watch.last_at is not None and reading.at <= watch.last_at:
            continue
        run = watch.run + 1 if reading.breaks != watch.is_open else 0
        watch = replace(watch, last_at=reading.at, run=run)
        if run >= (policy.clear_after if watch.is_open else policy.after):
            changes.append((Change.CLEARED if watch.is_open else Change.OPENED, reading))
            watch = replace(watch, run=0, is_open=not watch.is_open)
    return watch, changes


def advance_again(
    watch: Watch, again: Rejudged, readings: Iterable[Watched], policy: AlarmPolicy
) -> tuple[Watch, list[tuple[Change, Watched]]]:
    """As `advance`, after known readings that may break the limit only now: they open an alarm late rather than never.

    What an alarm was opened or cleared for changes nothing again.
    """
    if not again.readings:
        return advance(watch, readings, policy)
    known = sorted((r for r in again.readings if again.since is None or r.at > again.since), key=lambda r: r.at)
    new = [r for r in readings if watch.last_at is None or r.at > watch.last_at]
    if watch.is_open:
        within = len(list(takewhile(lambda r: not r.breaks, reversed(known))))
        return advance(watch if within == len(known) else replace(watch, run=within), new, policy)
    renewed, changes = advance(Watch(again.since), [*known, *new], policy)
    return replace(renewed, last_at=max(filter(None, (watch.last_at, renewed.last_at)), default=None)), changes
