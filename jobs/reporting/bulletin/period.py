"""The month, quarter or year that a bulletin is about, in local time."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from jobs.errors import UserError

WRITTEN = re.compile(r"(?P<year>20\d\d)(?:-(?P<month>0[1-9]|1[0-2])|Q(?P<quarter>[1-4]))?")
QUARTERS = ("第一季度", "第二季度", "第三季度", "第四季度")
EARLIER = {1: "上月", 3: "上季度", 12: "上年"}


@dataclass(frozen=True)
class Period:
    """[since, until) in UTC; `months` is its length, `serial` its place among the bulletins of its year."""

    name: str
    title: str
    months: int
    serial: int
    since: datetime
    until: datetime

    def earlier_word(self) -> str:
        """The Chinese word for the previous period."""
        return EARLIER[self.months]

    def before(self, zone: str) -> "Period":
        """The period of the same length that ends where this one begins."""
        last = self.since.astimezone(ZoneInfo(zone))
        index = last.year * 12 + last.month - 1 - self.months
        year, month = index // 12, index % 12 + 1
        names = {1: f"{year}-{month:02d}", 3: f"{year}Q{(month + 2) // 3}", 12: f"{year}"}
        return period(names[self.months], zone)


def period(text: str, zone: str) -> Period:
    """The period written as `2026-01`, `2026Q1` or `2026`; UserError for anything else."""
    parts = WRITTEN.fullmatch(text)
    if not parts:
        raise UserError(f"{text} 不是通报的期间；请写月份 2026-01、季度 2026Q1 或年份 2026")
    year = int(parts["year"])
    if parts["month"]:
        month = int(parts["month"])
        return Period(text, f"{year}年{month}月", 1, month, *_span(year, month, 1, zone))
    if parts["quarter"]:
        quarter = int(parts["quarter"])
        title = f"{year}年{QUARTERS[quarter - 1]}"
        return Period(text, title, 3, 12 + quarter, *_span(year, 3 * quarter - 2, 3, zone))
    return Period(text, f"{year}年", 12, 17, *_span(year, 1, 12, zone))


def _span(year: int, month: int, months: int, zone: str) -> tuple[datetime, datetime]:
    index = year * 12 + month - 1
    starts = ((index + step) for step in (0, months))
    first, last = (datetime(at // 12, at % 12 + 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) for at in starts)
    return first, last
