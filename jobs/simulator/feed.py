"""A feed: how one dataset's file of a day is made."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from jobs.simulator.forms import Form
from jobs.simulator.planting import Plan
from jobs.simulator.rows import Row
from jobs.simulator.setting import START, Setting


@dataclass(frozen=True)
class Whole:
    """A fault of the file as a whole: class, field, and the normalisation or notice that handles it."""

    kind: str
    field: str
    repair: str


def daily(setting: Setting) -> bool:
    """The feed comes every day."""
    return True


def first_day_of_week(setting: Setting) -> bool:
    """The feed comes on the demo's first day and each seventh day after."""
    return (setting.day - START).days % 7 == 0


def nothing_whole(setting: Setting) -> tuple[Whole, ...]:
    """No fault of the file as a whole."""
    return ()


def no_surplus(setting: Setting) -> int:
    """The declared number of rows is the true one."""
    return 0


@dataclass(frozen=True)
class Feed:
    """One dataset's deliveries. `stem`: file name, with a strftime pattern for the day.

    `corrects_on`: remainder by 7 of the demo's day on which yesterday's file is sent again, corrected.
    """

    dataset: str
    provider: str
    sender: str
    stem: str
    key: tuple[str, ...]
    rows: Callable[[Setting], list[Row]]
    form: Callable[[Setting], Form]
    plans: tuple[Plan, ...] = ()
    comes: Callable[[Setting], bool] = daily
    whole: Callable[[Setting], tuple[Whole, ...]] = nothing_whole
    declared_surplus: Callable[[Setting], int] = no_surplus
    corrects_on: int | None = None

    def file_name(self, day: date) -> str:
        """The file's name on that day."""
        return day.strftime(self.stem)
