"""The loop of each month, cached for a few minutes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from jobs.collaboration import Cutoff, Loop, Tickets
from jobs.errors import Unknown
from jobs.reporting.bulletin.period import Period
from jobs.reporting.bulletin.period import period as period_of
from jobs.serving.cache import CachedValue

KEPT_S = 300.0
BUSY = 0.05
"""A month that is quick to read is read again sooner, as long as reading takes at most this share of the time."""
OFFERED = 13
"""Number of months offered, the current one included."""

MOST_DIGITS = 19
"""Numbers of this many digits exceed what a database stores."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LEAST = timedelta(microseconds=1)


@dataclass(frozen=True)
class Month:
    """The loop of a month up to its end, or up to now; `cut` says which events count."""

    period: Period
    cut: Cutoff
    loop: Loop

    def mark(self) -> str:
        """The cut as an address says it: the last event's number, and the end in microseconds."""
        return f"{self.loop.seq}.{(self.cut.until - EPOCH) // LEAST}"


class Loops:
    """Months of the loop."""

    def __init__(self, tickets: Tickets, now: Callable[[], datetime], zone: ZoneInfo) -> None:
        self._tickets, self._now, self._zone = tickets, now, zone
        self._kept: dict[str, CachedValue[Month]] = {}

    def offered(self) -> tuple[Period, ...]:
        """The offered months, newest first."""
        newest = period_of(f"{self._now().astimezone(self._zone):%Y-%m}", self._zone.key)
        months = [newest]
        while len(months) < OFFERED:
            months.append(months[-1].before(self._zone.key))
        return tuple(months)

    def month(self, name: str = "") -> Month:
        """The month of that name, as of a few minutes ago at most; the present one where none is named."""
        period = self._period(name)
        return self._kept.setdefault(period.name, CachedValue(lambda: self._read(period), KEPT_S, BUSY)).get()

    def at(self, name: str, mark: str) -> Month:
        """The month as of the cut that an address names."""
        newest = self.month(name)
        if mark in ("", newest.mark()):
            return newest
        seq, _, micros = mark.partition(".")
        if not (seq.isdecimal() and micros.isdecimal() and len(seq) < MOST_DIGITS and len(mark) < 40):
            raise Unknown("没有这个截止点的数字")
        until = EPOCH + LEAST * min(int(micros), (newest.cut.until - EPOCH) // LEAST)
        cut = replace(newest.cut, until=max(until, newest.period.since), seq=int(seq))
        return Month(newest.period, cut, self._tickets.loop(cut))

    def _period(self, name: str) -> Period:
        offered = self.offered()
        period = next((candidate for candidate in offered if candidate.name == (name or offered[0].name)), None)
        if period is None:
            raise Unknown(f"没有 {name} 的整改指标；可以查看 {offered[-1].name} 至 {offered[0].name}")
        return period

    def _read(self, period: Period) -> Month:
        until = min(period.until, self._now() + LEAST)
        cut = Cutoff(period.since, period.since, until)
        return Month(period, cut, self._tickets.loop(cut))
