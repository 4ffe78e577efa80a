"""The days or months of a product that its inputs' changes have to do with, and the part of the inputs that they need."""

import logging
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from zoneinfo import ZoneInfo

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.contracts import Contract, Registry
from jobs.contracts.layout import Refresh
from jobs.lake.changed_time import Span, UnknownChange, changed_time
from jobs.lake.lake import Lake
from jobs.lake.ledger import Build
from jobs.lake.zones import Zone

logger = logging.getLogger(__name__)
DAY, MONTH = "day", "month"
"""Fields of products by which a part of them is built again; a month is its first day."""


@dataclass(frozen=True)
class Days:
    """Days in Beijing from the first to the last, both included; of a product of months, those of whole months."""

    first: date
    last: date


EVERY_DAY = Days(date.min, date.max)


def refresh_of(contract: Contract) -> Refresh | None:
    """How a part of the product is built again; None where it is built whole."""
    return contract.product.refresh if contract.product else None


def period_field(contract: Contract) -> str:
    """The product's field of days or months."""
    refresh = refresh_of(contract)
    return refresh.by if refresh else DAY


def changed_days(
    lake: Lake, registry: Registry, contract: Contract, last: Build, inputs: Mapping[str, int]
) -> Days | None:
    """The days whose rows may differ from the last build's; None where no input has other rows."""
    refresh = refresh_of(contract)
    if refresh is None or set(inputs) != set(last.inputs):
        return EVERY_DAY
    changed = [name for name, version in inputs.items() if version != last.inputs[name]]
    if not all(_has(registry.contract(name), refresh.time) for name in changed):
        return EVERY_DAY
    try:
        return _days(
            _spans(lake, refresh, {name: (last.inputs[name], inputs[name]) for name in changed}), refresh, lake
        )
    except UnknownChange as reason:
        logger.info("%s: built whole: %s", contract.id, reason)
        return EVERY_DAY


def _has(contract: Contract, field: str) -> bool:
    return any(one.name == field for one in contract.fields)


def _spans(lake: Lake, refresh: Refresh, versions: Mapping[str, tuple[int, int]]) -> list[Span]:
    """The spans of time that changed between two versions of each input."""
    found = (
        changed_time(lake.delta, lake.store, lake.path(Zone.SILVER, name), refresh.time, pair)
        for name, pair in versions.items()
    )
    return [span for span in found if span is not None]


def _days(spans: list[Span], refresh: Refresh, lake: Lake) -> Days | None:
    """A day or month depends on the days before it: a change reaches as many days further."""
    if not spans:
        return None
    span, zone = reduce(Span.and_with, spans), ZoneInfo(lake.settings.timezone)
    last = span.last.astimezone(zone).date() + timedelta(days=refresh.lookback_d)
    days = Days(span.first.astimezone(zone).date(), last)
    return _whole_months(days) if refresh.by == MONTH else days


def _whole_months(days: Days) -> Days:
    last_of_month = monthrange(days.last.year, days.last.month)[1]
    return Days(days.first.replace(day=1), days.last.replace(day=last_of_month))


def input_rows(
    lake: Lake, registry: Registry, contract: Contract, names: Mapping[str, int], days: Days
) -> dict[str, DataFrame]:
    """The inputs' rows, of readings those alone that the days depend on."""
    tables = {name: lake.tables.read(lake.path(Zone.SILVER, name)) for name in names}
    refresh = refresh_of(contract)
    if refresh is None or days == EVERY_DAY:
        return tables
    zone = ZoneInfo(lake.settings.timezone)
    first = _midnight(days.first - timedelta(days=refresh.lookback_d), zone)
    until = _midnight(days.last + timedelta(days=1), zone)
    at = F.col(refresh.time)
    return {
        name: rows.filter((at >= F.lit(first)) & (at < F.lit(until)))
        if _has(registry.contract(name), refresh.time)
        else rows
        for name, rows in tables.items()
    }


def of_days(rows: DataFrame, days: Days, field: str) -> DataFrame:
    """The product's rows of the days alone, by its field of days or months."""
    return rows if days == EVERY_DAY else rows.filter(F.col(field).between(F.lit(days.first), F.lit(days.last)))


def partitions(days: Days, field: str) -> list[tuple[str, str, str]]:
    """The gold table's partitions of the days, as delta-rs filters them; empty: all."""
    if days == EVERY_DAY:
        return []
    return [(field, ">=", days.first.isoformat()), (field, "<=", days.last.isoformat())]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
