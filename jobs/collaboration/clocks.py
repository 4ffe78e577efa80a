"""A running clock: when it is due, the time elapsed without (net) and with (gross) pauses, and which reminders are due."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from jobs.collaboration.clock_table import ClockTable, Terms, Unit
from jobs.collaboration.working_days import WorkingDays
from jobs.errors import PolicyRefusal

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Pause:
    """A period that does not count; it is still running while `until` is None."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Clock:
    """A started clock. `length` is in the terms' unit, without `extension`; all moments are UTC."""

    policy: str
    version: int
    unit: Unit
    length: int
    most_extension: int
    started_at: datetime
    extension: int = 0
    pauses: tuple[Pause, ...] = ()
    stopped_at: datetime | None = None

    def state(self) -> str:
        """running, paused or stopped."""
        if self.stopped_at is not None:
            return "stopped"
        return "paused" if self.pauses and self.pauses[-1].until is None else "running"


@dataclass(frozen=True)
class Elapsed:
    """Elapsed time, in the clock's unit: `net` without pauses, `gross` with them."""

    net: float
    gross: float


@dataclass(frozen=True)
class Due:
    """When a clock ends; provisional where the holidays of a year before it are not known yet."""

    at: datetime
    is_provisional: bool


@dataclass(frozen=True)
class Timekeeper:
    """Computes with clocks; pure, by the calendar, the clock table and the time zone."""

    days: WorkingDays
    table: ClockTable
    zone: ZoneInfo

    def start(self, terms: Terms, at: datetime) -> Clock:
        """A new clock by the terms."""
        most = terms.extension.length if terms.extension else 0
        return Clock(terms.id, self.table.version, terms.unit, terms.length, most, at)

    def pause(self, clock: Clock, at: datetime) -> Clock:
        """The clock, paused; unchanged where it does not run."""
        return replace(clock, pauses=(*clock.pauses, Pause(at))) if clock.state() == "running" else clock

    def resume(self, clock: Clock, at: datetime) -> Clock:
        """The clock, resumed; unchanged where it is not paused."""
        if clock.state() != "paused":
            return clock
        return replace(clock, pauses=(*clock.pauses[:-1], Pause(clock.pauses[-1].since, at)))

    def stop(self, clock: Clock, at: datetime) -> Clock:
        """The clock, stopped finally; unchanged where it is stopped already."""
        return clock if clock.state() == "stopped" else replace(self.resume(clock, at), stopped_at=at)

    def extend(self, clock: Clock, by: int) -> Clock:
        """The clock with a later end; PolicyRefusal beyond what its policy provides."""
        if not clock.most_extension:
            raise PolicyRefusal(f"时限 {clock.policy} 没有规定延期，不能延期；请按期办理，或申诉、挂起并说明理由")
        if by < 1 or clock.extension + by > clock.most_extension:
            left = clock.most_extension - clock.extension
            raise PolicyRefusal(f"时限 {clock.policy} 最多可延长 {clock.most_extension}，还可延长 {left}；请改小延期")
        return replace(clock, extension=clock.extension + by)

    def elapsed(self, clock: Clock, now: datetime) -> Elapsed:
        """Time elapsed until now, or until the clock stopped."""
        end = min(now, clock.stopped_at or now)
        counted = self._counted_from(clock)
        # Days are counted as whole days: a pause that begins and ends on one day changes nothing.
        gross = self._between(clock.unit, counted, end)
        return Elapsed(gross - self._paused(clock, end), gross)

    def due(self, clock: Clock, now: datetime) -> Due:
        """When the clock ends, as of now: a pause still running moves it."""
        end = min(now, clock.stopped_at or now)
        amount = clock.length + clock.extension + self._paused(clock, end)
        first = self._counted_from(clock)
        if clock.unit == "hours":
            return Due(first + amount * HOUR, False)
        if clock.unit == "calendar_days":
            return Due(self._end_of(self.local_day(first) + timedelta(days=amount)), False)
        last = self.days.add_working_days(self.local_day(first), int(amount))
        return Due(self._end_of(last), not self.days.is_known(self.local_day(clock.started_at), last))

    def is_overdue(self, clock: Clock, now: datetime) -> bool:
        """Whether the clock ended before now, or before it was stopped."""
        end = min(now, clock.stopped_at or now)
        return end > self.due(clock, now).at

    def reminders_due(self, clock: Clock, now: datetime) -> tuple[int, ...]:
        """Shares, in percent, that are reached and need a reminder; none for a clock that does not run."""
        if clock.state() != "running":
            return ()
        # Multiplied, not divided: shares of whole days stay exact.
        net, limit = self.elapsed(clock, now).net, clock.length + clock.extension
        return tuple(pct for pct in self.table.reminders_pct if net * 100 >= limit * pct)

    def local_day(self, at: datetime) -> date:
        """The day of a moment in local time."""
        return at.astimezone(self.zone).date()

    def _counted_from(self, clock: Clock) -> datetime:
        """Where counting begins: the day of receipt is day 0, or day 1 where the table says so."""
        days = 0 if clock.unit == "hours" else self.table.receipt_day
        # A day earlier is the same as counting the day of receipt as the first.
        return clock.started_at - timedelta(days=days)

    def _paused(self, clock: Clock, end: datetime) -> float:
        spans: Iterable[tuple[datetime, datetime]] = ((p.since, min(p.until or end, end)) for p in clock.pauses)
        return sum(self._between(clock.unit, since, until) for since, until in spans)

    def _between(self, unit: Unit, since: datetime, until: datetime) -> float:
        if until <= since:
            return 0
        if unit == "hours":
            return (until - since) / HOUR
        first, last = self.local_day(since), self.local_day(until)
        return self.days.working_days_between(first, last) if unit == "working_days" else (last - first).days

    def _end_of(self, day: date) -> datetime:
        return datetime.combine(day, self.table.day_ends, self.zone).astimezone(UTC)
