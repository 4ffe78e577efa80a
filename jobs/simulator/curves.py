"""Plausible daily and yearly curves: demand whose totals agree with its rates, temperature, the heating season."""

from dataclasses import dataclass
from datetime import date, datetime
from math import cos, pi, sin

from jobs.simulator.setting import START

DAY_H = 24.0


@dataclass(frozen=True)
class Shape:
    """A demand curve of mean 1: a daily and a half-daily wave with their peak hours."""

    daily: float
    daily_peak_h: float
    half: float
    half_peak_h: float

    def at(self, hour: float) -> float:
        """The curve at an hour of the day."""
        slow = cos(2 * pi * (hour - self.daily_peak_h) / DAY_H)
        fast = cos(4 * pi * (hour - self.half_peak_h) / DAY_H)
        return 1 + self.daily * slow + self.half * fast

    def until(self, hours: float) -> float:
        """The curve's integral from the demo's first midnight, in hours; grows steadily while the curve is positive."""
        slow = self.daily * DAY_H / (2 * pi) * sin(2 * pi * (hours - self.daily_peak_h) / DAY_H)
        fast = self.half * DAY_H / (4 * pi) * sin(4 * pi * (hours - self.half_peak_h) / DAY_H)
        return hours + slow + fast


WATER = Shape(0.25, 13.0, 0.30, 7.5)
HEAT = Shape(0.10, 4.0, 0.04, 6.0)
GAS = Shape(0.30, 14.5, 0.45, 6.8)
TRAFFIC = Shape(0.15, 15.0, 0.25, 8.0)


def hours_since_start(moment: datetime) -> float:
    """Hours from the demo's first midnight."""
    return (moment - datetime(START.year, START.month, START.day)).total_seconds() / 3600


def hour_of_day(moment: datetime) -> float:
    """The hour with its fraction."""
    return moment.hour + moment.minute / 60 + moment.second / 3600


def outdoor_c(moment: datetime) -> float:
    """Outdoor temperature of a mean year in Liaocheng, in ℃."""
    day_of_year = moment.timetuple().tm_yday
    return 13.5 - 14.5 * cos(2 * pi * (day_of_year - 15) / 365) + 4.0 * cos(2 * pi * (hour_of_day(moment) - 15) / DAY_H)


def is_heating(day: date) -> bool:
    """Whether heating runs: 15 November to 15 March, the usual season of the region."""
    return (day.month, day.day) >= (11, 15) or (day.month, day.day) <= (3, 15)
