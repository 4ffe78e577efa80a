"""A delivery beside those before it on like days: rows, failed rows, empty values. It warns, and never refuses.

Working days are compared with working days (make-up days among them), weekends with weekends, a holiday with the same
holiday; where there are too few such days, nothing is judged. Limits are the project's own (history.yaml).
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar
import pyarrow as pa
import pyarrow.compute as pc
import yaml
from pydantic import BaseModel, ConfigDict

from jobs.contracts import Contract
from jobs.contracts.codes import conditions_of
from jobs.model.delivery import Delivery
from jobs.model.distribution import MEAN, VALUE_SHARE, DistributionRow
from jobs.model.verdict import Verdict

HOLIDAYS = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
}
TO_SIGMA = 1.4826
ENDS = ("type", "enum", "pattern", "length", "range")
"""Endings of a field's own rules that count its empty values."""
ROWS, FAILED, EMPTY = "rows", "failed_share", "empty_share"


class Band(BaseModel):
    """How far a value may be from the median, whatever the spread: a share of it, and a number."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    share: float
    least: float


class Limits(BaseModel):
    """The project's own numbers; not set by any standard."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: int
    fewest_days: int
    most_days: int
    spreads: float
    rows: Band
    shares: Band
    means: Band
    words: Band


@dataclass(frozen=True)
class Unusual:
    """A number that leaves its band: what it is of, what was seen, from where to where it was expected."""

    kind: str
    field: str
    seen: float
    low: float
    high: float


@dataclass(frozen=True)
class History:
    """What stands out in a delivery; `days` are the like days that it was compared with, too few to judge if so."""

    day_kind: str
    days: tuple[date, ...]
    is_judged: bool
    unusual: tuple[Unusual, ...]


@lru_cache
def limits(file: Path = Path(__file__).parent / "history.yaml") -> Limits:
    """The limits as the file gives them."""
    return Limits.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))


def day_kind(day: date) -> str:
    """工作日, 周末, or the holiday's name; beyond the years of the calendar, by the day of the week alone."""
    try:
        is_off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:  # how chinese_calendar says that it does not know the year: holidays are set yearly
        is_off, name = day.weekday() >= 5, None
    if not is_off:
        return "工作日"
    return HOLIDAYS.get(name, str(name)) if name else "周末"


@dataclass(frozen=True)
class Usual:
    """How many rows a delivery usually has: the median of like days, and from where to where is no surprise."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Judged:
    """A delivery with its verdict."""

    delivery: Delivery
    verdict: Verdict


@dataclass(frozen=True)
class KnownResults:
    """Results of a dataset's deliveries: what rules counted, and how values lie."""

    counts: pa.Table
    shapes: Sequence[DistributionRow]

    def measured(self, verdict: Verdict, contract: Contract) -> dict[tuple[str, str], float]:
        """What is compared from delivery to delivery, by kind and field."""
        lying = {(row.kind, row.field): row.number for row in self.shapes if row.delivery == verdict.delivery}
        return _measured(verdict, self.counts, contract) | lying


def usual_rows(day: date, before: Sequence[tuple[date, int]]) -> Usual | None:
    """By the rows of earlier deliveries, in order, each with its day; None where there are too few like days."""
    by, kind = limits(), day_kind(day)
    like = {on: float(rows) for on, rows in before if on != day and day_kind(on) == kind}
    basis = [like[on] for on in sorted(like)[-by.most_days :]]
    return Usual(*_band(ROWS, basis, by)) if len(basis) >= by.fewest_days else None


def compared(
    judged: Judged,
    contract: Contract,
    before: Sequence[tuple[Delivery, Verdict]],
    results: KnownResults,
    zone: str,
) -> History:
    """The delivery beside earlier judged ones, of each day the last."""
    by, day = limits(), judged.delivery.sent_date(ZoneInfo(zone))
    kind = day_kind(day)
    like = _like_days(day, before, ZoneInfo(zone))
    days = tuple(sorted(like)[-by.most_days :])
    if len(days) < by.fewest_days:
        return History(kind, days, False, ())
    seen, *past = (results.measured(verdict, contract) for verdict in (judged.verdict, *(like[on] for on in days)))
    found = [_outside(name, value, [m[name] for m in past if name in m], by) for name, value in seen.items()]
    return History(kind, days, True, tuple(filter(None, found)))


def _like_days(day: date, before: Sequence[tuple[Delivery, Verdict]], zone: ZoneInfo) -> dict[date, Verdict]:
    """The last verdict of each earlier day of the same kind."""
    like: dict[date, Verdict] = {}
    for delivery, verdict in before:
        on = delivery.sent_date(zone)
        if verdict.suite_hash and on != day and day_kind(on) == day_kind(day):
            like[on] = verdict
    return like


def _measured(verdict: Verdict, counts: pa.Table, contract: Contract) -> dict[tuple[str, str], float]:
    """Rows, share of failed rows, and each field's share of empty values."""
    measured = {(ROWS, ""): float(verdict.rows)}
    if not verdict.rows:
        return measured
    measured[FAILED, ""] = verdict.failed_rows / verdict.rows
    mine = counts.filter(pc.equal(counts["delivery"], verdict.delivery)).to_pylist()
    rules: Mapping[str, dict[str, int]] = {row["rule"]: row for row in mine}
    for field in contract.fields:
        told = [
            rules[f"{field.name}_{end}"]
            for end in (*ENDS, *conditions_of(field.code))
            if f"{field.name}_{end}" in rules
        ]
        if told and told[0]["element_count"]:
            measured[EMPTY, field.name] = told[0]["missing_count"] / told[0]["element_count"]
    return measured


def _outside(name: tuple[str, str], seen: float, basis: Sequence[float], by: Limits) -> Unusual | None:
    if len(basis) < by.fewest_days:
        return None
    low, _, high = _band(name[0], basis, by)
    return None if low <= seen <= high else Unusual(name[0], name[1], seen, low, high)


def _band(kind: str, basis: Sequence[float], by: Limits) -> tuple[float, float, float]:
    """From where, around what, to where."""
    middle = statistics.median(basis)
    spread = TO_SIGMA * statistics.median(abs(value - middle) for value in basis)
    band = {ROWS: by.rows, MEAN: by.means, VALUE_SHARE: by.words}.get(kind, by.shares)
    width = max(by.spreads * spread, band.share * abs(middle), band.least)
    low, high = middle - width, middle + width
    return (low if kind == MEAN else max(0.0, low)), middle, high
