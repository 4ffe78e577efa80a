"""A year's holidays, as an operator enters them from the State Council's notice."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from pydantic import Field

from jobs.collaboration.working_days import DAY, CalendarYear
from jobs.contracts.policy_file import PolicyPart, mistake, read_policy
from jobs.contracts.yaml_source import Document

REMEDY = (
    "请按此格式填写：year: 2027、source: 通知名称和文号、"
    "holidays: [{name: 元旦, from: 2027-01-01, to: 2027-01-03}]、workdays: [{name: 元旦, day: 2027-01-04}]"
)


class _Span(PolicyPart):
    name: str = Field(min_length=1)
    first: date = Field(alias="from")
    last: date = Field(alias="to")


class _Workday(PolicyPart):
    name: str = Field(min_length=1)
    day: date


class _Year(PolicyPart):
    year: int = Field(ge=1949, le=2200)
    source: str = Field(min_length=2)
    holidays: list[_Span] = Field(min_length=1)
    workdays: list[_Workday]


def load_year(file: Path) -> CalendarYear:
    """The year in the file; PolicyError names file, line and remedy in Chinese."""
    year, document = read_policy(file, _Year, REMEDY)
    off = dict(_holidays(year, document))
    on: dict[date, str] = {}
    for index, work in enumerate(year.workdays):
        _check_workday(year, document, index, off)
        on[work.day] = work.name
    return CalendarYear(year.year, year.source, off, on)


def _holidays(year: _Year, document: Document) -> Iterator[tuple[date, str]]:
    for index, span in enumerate(year.holidays):
        place = ("holidays", index)
        if span.last < span.first:
            raise mistake(document, (*place, "to"), f"{span.name}的止日早于起日", "请核对 from 和 to")
        if not span.first.year == span.last.year == year.year:
            raise mistake(document, place, f"{span.name}有不在 {year.year} 年的日子", "跨年的假期请分写在两年的文件中")
        for number in range((span.last - span.first).days + 1):
            yield span.first + number * DAY, span.name


def _check_workday(year: _Year, document: Document, index: int, off: dict[date, str]) -> None:
    day, place = year.workdays[index].day, ("workdays", index, "day")
    if day.year != year.year:
        raise mistake(document, place, f"{day} 不在 {year.year} 年", "请核对调休上班的日期")
    if day in off:
        raise mistake(document, place, f"{day} 既是{off[day]}放假又是上班", "请只保留其中一项")
    if day.weekday() < 5:
        raise mistake(document, place, f"{day} 不是周六或周日，无须写为调休上班", "请核对日期，或删去这一行")
