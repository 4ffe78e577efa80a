"""A delivery compared with earlier ones on similar days: rows, failed rows, empty values. It warns, and never refuses.

Working days are compared with working days (make-up days among them), weekends with weekends, a holiday with the same
holiday; where there are too few such days, nothing is compared. Limits are the project's own (history.yaml).
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
"""Suffixes of a field's own rules that count its empty values."""
ROWS, FAILED, EMPTY = "rows", "failed_share", "empty_share"


class Band(BaseModel):
    """How far a value may always be from the median: a share of it, and a number."""

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
    """A number outside its usual range: its kind and field, its value, and the range."""

    kind: str
    field: str
    seen: float
    low: float
    high: float


@dataclass(frozen=True)
class History:
    """Unusual numbers of a delivery; `days` are the similar days; if too few, `is_judged` is False."""

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
    # chinese_calendar raises NotImplementedError for years whose holidays it does not know: they are published yearly.
    try:
        is_off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        is_off, name = day.weekday() >= 5, None
    if not is_off:
        return "工作日"
    return HOLIDAYS.get(name, str(name)) if name else "周末"


@dataclass(frozen=True)
class Usual:
    """How many rows a delivery usually has: the median of similar days, and the usual range."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class EvaluatedDelivery:
    """A delivery with its verdict."""

    delivery: Delivery
    verdict: Verdict


@dataclass(frozen=True)
class KnownResults:
    """Results of a dataset's deliveries: what rules counted, and value distributions."""

    counts: pa.Table
    shapes: Sequence[DistributionRow]

    def measured(self, verdict: Verdict, contract: Contract) -> dict[tuple[str, str], float]:
        """The numbers that are compared between deliveries, by kind and field."""
        distribution = {(row.kind, row.field): row.number for row in self.shapes if row.delivery == verdict.delivery}
        return _measured(verdict, self.counts, contract) | distribution


def usual_rows(day: date, before: Sequence[tuple[date, int]]) -> Usual | None:
    """The usual rows, by the days and rows of earlier deliveries in order; None where similar days are too few."""
    by, kind = limits(), day_kind(day)
    similar = {sent_on: float(rows) for sent_on, rows in before if sent_on != day and day_kind(sent_on) == kind}
    basis = [similar[sent_on] for sent_on in sorted(similar)[-by.most_days :]]
    return Usual(*_band(ROWS, basis, by)) if len(basis) >= by.fewest_days else None


def compared(
    evaluated: EvaluatedDelivery,
    contract: Contract,
    before: Sequence[tuple[Delivery, Verdict]],
    results: KnownResults,
    zone: str,
) -> History:
    """The delivery compared with earlier ones, of each similar day the last."""
    by, day = limits(), evaluated.delivery.sent_date(ZoneInfo(zone))
    kind = day_kind(day)
    similar = _similar_days(day, before, ZoneInfo(zone))
    days = tuple(sorted(similar)[-by.most_days :])
    if len(days) < by.fewest_days:
        return History(kind, days, False, ())
    seen, *past = (
        results.measured(verdict, contract) for verdict in (evaluated.verdict, *(similar[sent_on] for sent_on in days))
    )
    unusual = [
        _outside(name, value, [measured[name] for measured in past if name in measured], by)
        for name, value in seen.items()
    ]
    return History(kind, days, True, tuple(filter(None, unusual)))


def _similar_days(day: date, before: Sequence[tuple[Delivery, Verdict]], zone: ZoneInfo) -> dict[date, Verdict]:
    """The last verdict of each earlier day of the same kind."""
    similar: dict[date, Verdict] = {}
    for delivery, verdict in before:
        sent_on = delivery.sent_date(zone)
        if verdict.suite_hash and sent_on != day and day_kind(sent_on) == day_kind(day):
            similar[sent_on] = verdict
    return similar


def _measured(verdict: Verdict, counts: pa.Table, contract: Contract) -> dict[tuple[str, str], float]:
    """Rows, share of failed rows, and each field's share of empty values."""
    measured = {(ROWS, ""): float(verdict.rows)}
    if not verdict.rows:
        return measured
    measured[FAILED, ""] = verdict.failed_rows / verdict.rows
    rows = counts.filter(pc.equal(counts["delivery"], verdict.delivery)).to_pylist()
    rules: Mapping[str, dict[str, int]] = {row["rule"]: row for row in rows}
    for field in contract.fields:
        field_rules = [
            rules[f"{field.name}_{suffix}"]
            for suffix in (*ENDS, *conditions_of(field.code))
            if f"{field.name}_{suffix}" in rules
        ]
        if field_rules and field_rules[0]["element_count"]:
            measured[EMPTY, field.name] = field_rules[0]["missing_count"] / field_rules[0]["element_count"]
    return measured


def _outside(name: tuple[str, str], seen: float, basis: Sequence[float], by: Limits) -> Unusual | None:
    if len(basis) < by.fewest_days:
        return None
    low, _, high = _band(name[0], basis, by)
    return None if low <= seen <= high else Unusual(name[0], name[1], seen, low, high)


def _band(kind: str, basis: Sequence[float], by: Limits) -> tuple[float, float, float]:
    """Low end, median and high end of the usual range."""
    middle = statistics.median(basis)
    spread = TO_SIGMA * statistics.median(abs(value - middle) for value in basis)
    band = {ROWS: by.rows, MEAN: by.means, VALUE_SHARE: by.words}.get(kind, by.shares)
    width = max(by.spreads * spread, band.share * abs(middle), band.least)
    low, high = middle - width, middle + width
    return (low if kind == MEAN else max(0.0, low)), middle, high
