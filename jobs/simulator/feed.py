"""A feed: how one dataset's file of a day is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from jobs.contracts.place import place
from jobs.simulator.feed_file import FeedFile, feed_file
from jobs.simulator.forms import CsvForm, ExcelForm, Form
from jobs.simulator.planting import Plan, Value, Where
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


def same_day_of_month(setting: Setting) -> bool:
    """The feed comes on the demo's first day and the same day of each month."""
    return setting.day.day == START.day


def nothing_whole(setting: Setting) -> tuple[Whole, ...]:
    """No fault of the file as a whole."""
    return ()


def no_surplus(setting: Setting) -> int:
    """The declared number of rows is the true one."""
    return 0


def csv_utf8(setting: Setting, file: FeedFile) -> Form:
    """Delimited text in UTF-8."""
    return CsvForm(file.headers)


def csv_utf8_with_bom(setting: Setting, file: FeedFile) -> Form:
    """Delimited text in UTF-8 with a byte order mark."""
    return CsvForm(file.headers, "utf-8-sig")


def workbook(setting: Setting, file: FeedFile) -> Form:
    """A workbook with the titles and footers that the file declares."""
    if file.workbook is None:
        raise ValueError(f"{file.dataset} declares no workbook")
    titles = [setting.day.strftime(place().filled_in(title)) for title in file.workbook.titles]
    return ExcelForm(file.headers, file.workbook.sheet, titles, file.workbook.footers)


@dataclass(frozen=True)
class Feed:
    """One dataset's deliveries: its file, and the code that it names.

    `values` and `where`: functions that faults of the file name. `corrects_on`: remainder by 7 of the demo's day on which
    yesterday's file is sent again, corrected.
    """

    dataset: str
    rows: Callable[[Setting], list[Row]]
    form: Callable[[Setting, FeedFile], Form] = csv_utf8
    values: Mapping[str, Value] = field(default_factory=dict)
    where: Mapping[str, Where] = field(default_factory=dict)
    comes: Callable[[Setting], bool] = daily
    whole: Callable[[Setting], tuple[Whole, ...]] = nothing_whole
    declared_surplus: Callable[[Setting], int] = no_surplus
    corrects_on: int | None = None

    def file(self) -> FeedFile:
        """What its file declares."""
        return feed_file(self.dataset)

    def plans(self) -> list[Plan]:
        """The faults of its file."""
        return [fault.plan(self.values, self.where) for fault in self.file().faults]

    def file_name(self, day: date) -> str:
        """The file's name on that day."""
        return day.strftime(self.file().stem)
