"""The parameters of a feed: seed, day, scale."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

START = date(2026, 1, 12)
"""First day of the demo: a Monday in the heating season."""


@dataclass(frozen=True)
class Setting:
    """One day of one city. `scale` multiplies the number of enterprises, devices and cases."""

    seed: int
    day: date
    scale: float = 1.0

    def rng(self, *names: object) -> Random:
        """A separate generator for the named purpose and day."""
        return Random("/".join(str(n) for n in (self.seed, self.day.isoformat(), *names)))

    def lasting(self, *names: object) -> Random:
        """A separate generator for values that do not change from day to day."""
        return Random("/".join(str(n) for n in (self.seed, *names)))

    def count(self, base: int) -> int:
        """`base` at this scale, at least one."""
        return max(1, round(base * self.scale))

    def number(self) -> int:
        """1 on the first day of the demo."""
        return (self.day - START).days + 1

    def midnight(self) -> datetime:
        """The day's beginning in Beijing time."""
        return datetime.combine(self.day, time())

    def on(self, day: date) -> "Setting":
        """The same city on another day."""
        return Setting(self.seed, day, self.scale)

    def before(self) -> "Setting":
        """The same city a day earlier."""
        return self.on(self.day - timedelta(days=1))
