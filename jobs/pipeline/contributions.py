"""From a row of a product back to the deliveries whose rows went into it, by the declared lineage of the product's key."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from jobs.contracts import Contract, Field, Registry
from jobs.contracts.names import DELIVERY
from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.product_days import MONTH

FILE, ROW = "_file", "_row"
MOST_ROWS = 500_000
"""Rows of an input that are looked at for one row of a product."""
FIRST_ROWS = 5


@dataclass(frozen=True)
class Contribution:
    """Rows of one file of a delivery; `first_rows`: the numbers of the first of them in the file."""

    delivery: str
    file: str
    rows: int
    first_rows: tuple[int, ...]


@dataclass(frozen=True)
class InputRows:
    """The rows of one input, by delivery and file; `by`: the fields by which they were found, none where all rows are listed."""

    dataset: str
    by: tuple[str, ...]
    files: tuple[Contribution, ...]
    is_cut: bool
    """There were more rows than are looked at."""


def contributions(lake: Lake, registry: Registry, product: Contract, key: Mapping[str, str]) -> list[InputRows]:
    """The rows of each input that has a table; UserError where a value of the key is none of its field's type.

    A field of the key narrows an input where it is one of its fields taken as it is, or the day or month of one.
    """
    found = []
    for dataset in product.product.inputs if product.product else ():
        table = lake.delta.open(lake.path(Zone.SILVER, dataset))
        if table is None:
            continue
        narrowed = dict(_conditions(product, registry.contract(dataset), key, ZoneInfo(lake.settings.timezone)))
        condition = ds.scalar(True)
        for one in narrowed.values():
            condition &= one
        scanner = table.to_pyarrow_dataset().scanner(columns=[DELIVERY, FILE, ROW], filter=condition)
        rows = scanner.head(MOST_ROWS)
        found.append(InputRows(dataset, tuple(narrowed), tuple(_files(rows)), rows.num_rows == MOST_ROWS))
    return found


def _conditions(
    product: Contract, source: Contract, key: Mapping[str, str], zone: ZoneInfo
) -> Iterator[tuple[str, ds.Expression]]:
    """For each field of the key that narrows the input: the field's name, and the condition on the input's rows."""
    for name in product.key():
        field = product.field(name)
        for origin in field.transform.sources:
            dataset, _, column = origin.partition(".")
            if dataset != source.id:
                continue
            condition = _condition(field, source.field(column), key[name], zone)
            if condition is not None:
                yield name, condition


def _condition(field: Field, source: Field, value: str, zone: ZoneInfo) -> ds.Expression | None:
    column = ds.field(source.name)
    if field.type == "date" and source.type in ("date", "timestamp"):
        first, last = _span(field, value)
        if source.type == "date":
            return (column >= first) & (column <= last)
        until = last + timedelta(days=1)
        return (column >= _midnight(first, zone)) & (column < _midnight(until, zone))
    is_same = field.transform.logic == "IDENTITY" and field.type == source.type == "string"
    return column == value if is_same else None


def _span(field: Field, value: str) -> tuple[date, date]:
    """First and last day of a day or month of the product."""
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise UserError(f"「{field.title}」应为日期，如 2026-01-12，而不是 {value[:20]}") from error
    if field.name != MONTH:
        return day, day
    return day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])


def _midnight(day: date, zone: ZoneInfo) -> pa.Scalar:
    return pa.scalar(datetime.combine(day, time(), zone).astimezone(UTC), pa.timestamp("us", "UTC"))


def _files(rows: pa.Table) -> Iterator[Contribution]:
    """Rows by delivery and file, in the order of their ids."""
    grouped = (
        rows.group_by([DELIVERY, FILE])
        .aggregate([(ROW, "count")])
        .sort_by([(DELIVERY, "ascending"), (FILE, "ascending")])
    )
    for group in grouped.to_pylist():
        mine = pc.and_kleene(pc.equal(rows[DELIVERY], group[DELIVERY]), pc.equal(rows[FILE], group[FILE]))
        numbers = sorted(n for n in rows.filter(mine)[ROW].to_pylist() if n is not None)
        yield Contribution(group[DELIVERY], group[FILE] or "", group[f"{ROW}_count"], tuple(numbers[:FIRST_ROWS]))
