"""A bulletin's figures by name, formatted for its text."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from jobs.reporting import figures
from jobs.reporting.bulletin.terms import Measure, Terms

UNITS = {"percent": "个百分点", "score": "分", "number": "", "count": ""}


class Values:
    """The figures of one department, or the totals."""

    def __init__(self, document_figures: Sequence[Mapping[str, Any]], terms: Terms) -> None:
        self._figures = {figure["name"]: figure for figure in document_figures}
        self._terms = terms

    def measure(self, name: str) -> Measure:
        """What the figure measures."""
        return self._terms.measure(name)

    def shown(self, name: str) -> str:
        """The figure of the period; a dash where there was nothing to divide by."""
        return self._written(name, self._get(name, "value"))

    def before(self, name: str) -> str:
        """The figure of the previous period."""
        return self._written(name, self._get(name, "before"))

    def ids(self, name: str, side: str = "whole") -> Sequence[str]:
        """The ids behind it."""
        ids: Sequence[str] = self._figures[name][side] if name in self._figures else ()
        return ids

    def change(self, name: str) -> str:
        """Its change from the previous period, in words; a dash where one of them is unknown."""
        now, before = self._get(name, "value"), self._get(name, "before")
        if now is None or before is None:
            return figures.NONE
        unit = self.measure(name).unit
        scale, up, down = (1, "增加", "减少") if unit == "count" else (100 if unit == "percent" else 1, "上升", "下降")
        step = round(scale * (now - before), 0 if unit == "count" else 2)
        if not step:
            return "持平"
        size = f"{abs(step):,.0f}" if unit == "count" else f"{abs(step):.2f}"
        return f"{up if step > 0 else down}{size}{UNITS[unit]}"

    def _get(self, name: str, side: str) -> float | None:
        return self._figures[name][side] if name in self._figures else None

    def _written(self, name: str, value: float | None) -> str:
        if value is None:
            return figures.NONE
        unit = self.measure(name).unit
        if unit == "count":
            return figures.count(int(value))
        if unit == "percent":
            return figures.percent(value)
        return figures.score(value) if unit == "score" else f"{value:.2f}"


def chinese_date(iso: str) -> str:
    """2026年2月3日; other text is returned unchanged."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{day.year}年{day.month}月{day.day}日"


def moment(iso: str, zone: str) -> str:
    """The local time of a moment to the minute, the end of a day as 24时."""
    at = datetime.fromisoformat(iso).astimezone(ZoneInfo(zone))
    if at.hour == at.minute == at.second == 0:
        return f"{chinese_date((at - timedelta(days=1)).date().isoformat())}24时"
    return f"{chinese_date(at.date().isoformat())}{at.hour}时{at.minute}分"


def local_day(iso: str | None, zone: str) -> str:
    """The local day of a moment; a dash for none."""
    return figures.day(datetime.fromisoformat(iso), zone) if iso else figures.NONE
