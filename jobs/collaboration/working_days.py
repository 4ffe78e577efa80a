"""Working days in China, including make-up days (调休); in a year that is not known yet, Monday to Friday."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property, lru_cache

from chinese_calendar import constants

DAY = timedelta(days=1)
PACKAGE = "chinesecalendar"


@dataclass(frozen=True)
class CalendarYear:
    """One year's decree: days off and weekend days that are worked, each with its holiday."""

    year: int
    source: str
    holidays: Mapping[date, str]
    workdays: Mapping[date, str]


@dataclass(frozen=True)
class WorkingDays:
    """The calendar: known years, and the days that differ from Monday to Friday. Days are Asia/Shanghai."""

    years: frozenset[int] = frozenset()
    holidays: Mapping[date, str] = field(default_factory=dict)
    workdays: Mapping[date, str] = field(default_factory=dict)

    def with_years(self, years: Iterable[CalendarYear]) -> "WorkingDays":
        """The calendar with years added; a known year is replaced."""
        calendar = self
        for added in years:
            off = {d: n for d, n in calendar.holidays.items() if d.year != added.year} | dict(added.holidays)
            on = {d: n for d, n in calendar.workdays.items() if d.year != added.year} | dict(added.workdays)
            calendar = WorkingDays(calendar.years | {added.year}, off, on)
        return calendar

    def is_working(self, day: date) -> bool:
        """Whether people work on the day."""
        if day in self.workdays:
            return True
        return day not in self.holidays and day.weekday() < 5

    def is_known(self, first: date, last: date) -> bool:
        """Whether the decrees of all years from `first` to `last` are known; else a due day between is provisional."""
        return all(year in self.years for year in range(first.year, last.year + 1))

    def add_working_days(self, day: date, count: int) -> date:
        """The `count`-th working day after the day, which is day 0 whether worked or not."""
        if count < 0:
            raise ValueError(f"count is {count}; working days are counted forward")
        while count:
            day += DAY
            count -= self.is_working(day)
        return day

    def working_days_between(self, first: date, last: date) -> int:
        """Working days after `first` up to and with `last`; 0 where `last` is not later."""
        if last <= first:
            return 0
        off, on = self._exceptions
        weekdays = _weekdays_until(last) - _weekdays_until(first)
        return weekdays - _within(off, first, last) + _within(on, first, last)

    @cached_property
    def _exceptions(self) -> tuple[list[date], list[date]]:
        """Days from Monday to Friday that are not worked, and days of weekends that are; in order."""
        off = [day for day in self.holidays if day.weekday() < 5 and day not in self.workdays]
        return sorted(off), sorted(day for day in self.workdays if day.weekday() >= 5)


def _weekdays_until(day: date) -> int:
    """Days from Monday to Friday since the year 1, which began on a Monday."""
    weeks, days = divmod(day.toordinal(), 7)
    return 5 * weeks + min(days, 5)


def _within(days: Sequence[date], first: date, last: date) -> int:
    return bisect_right(days, last) - bisect_right(days, first)


@lru_cache
def package_calendar() -> WorkingDays:
    """The years that the chinesecalendar package knows."""
    chinese = {holiday.value: holiday.chinese for holiday in constants.Holiday}
    off = {day: chinese[name] for day, name in constants.holidays.items()}
    on = {day: chinese[name] for day, name in constants.workdays.items()}
    return WorkingDays(frozenset(day.year for day in off), off, on)
