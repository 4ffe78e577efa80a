"""Products of months: a part that is built again equals the whole, and only months that were over are corrected."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from jobs.conform import product_columns
from jobs.contracts import Registry, load
from jobs.lake.lake import Lake
from jobs.lake.table_schema import arrow_schema
from jobs.lake.zones import Zone
from jobs.pipeline import products
from jobs.settings import PROJECT
from tests.spark.test_product_days import Row, built_whole, gold, put, recorded
from tests.spark.test_products import utc

PRODUCT, PLANTS, BILLS = "supply_sales_month", "water_plant_minutes", "water_bills"
PLANT, FIRST = "WP-371502-001", utc("2025-12-31T12:00:00").astimezone(UTC)
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load(PROJECT / "schemas", PROJECT / "expectations")


def readings(half_days: Sequence[int]) -> list[Row]:
    """Ten cubic metres each half day, counted from noon of the last day of December."""
    return [
        {"device_id": PLANT, "read_at": FIRST + timedelta(hours=12 * n), "out_total_m3": 1000.0 + 10 * n}
        for n in half_days
    ]


def put_bills(lake: Lake, registry: Registry, rows: Sequence[Row]) -> None:
    """Bills into their silver table, without amounts."""
    contract, path = registry.contract(BILLS), lake.path(Zone.SILVER, BILLS)
    fields = [field for field in contract.fields if not field.physical_type]
    lake.delta.ensure(path, product_columns(replace(contract, fields=tuple(fields))), contract.title)
    cells = [{field.name: row.get(field.name) for field in fields} for row in rows]
    lake.delta.append(path, pa.Table.from_pylist(cells, schema=arrow_schema(fields)))


def bills(month: date, volume: float) -> list[Row]:
    """The volume in equal parts on ten accounts, the fewest of which the product shows a sum."""
    account = {
        "division_code": "371502",
        "bill_status": "已缴",
        "billing_month": month,
        "billed_volume_m3": volume / 10,
    }
    return [{"account_no": f"380000000{n}", **account} for n in range(10)]


@pytest.fixture
def city(lake: Lake, registry: Registry) -> Lake:
    """A plant whose readings of two days in January are still missing, and its bills."""
    plate = {
        "device_id": PLANT, "device_type": "water_plant", "device_status": "在用", "division_code": "371502",
        "interval_s": 43200, "dial_digits": 9, "installed_date": date(2020, 1, 1),
    }  # fmt: skip
    put(lake, registry, "devices", [plate])
    put(lake, registry, "divisions", [{"division_code": "371502", "division_name": "东昌府区"}])
    put_bills(lake, registry, [*bills(JANUARY, 558.0), *bills(FEBRUARY, 500.0)])
    put(lake, registry, PLANTS, readings([n for n in range(70) if n not in range(20, 24)]))
    return lake


def gaps(lake: Lake) -> dict[date, tuple[float | None, float | None]]:
    return {row["month"]: (row["month_supply_m3"], row["supply_gap_m3"]) for row in gold(lake, PRODUCT)}


def replaced_months(lake: Lake) -> set[str]:
    """Partitions that the last commit of the gold table added or removed."""
    version = lake.delta.version(lake.path(Zone.GOLD, PRODUCT))
    log = lake.store.get_bytes(f"gold/{PRODUCT}/_delta_log/{version:020}.json")
    files = [entry.get("add") or entry.get("remove") for entry in map(json.loads, log.splitlines())]
    return {file["partitionValues"]["month"] for file in files if file}


def test_only_the_months_that_changed_are_replaced_and_the_whole_would_be_the_same(
    city: Lake, registry: Registry
) -> None:
    products.build(city, registry, PRODUCT)
    december = date(2025, 12, 1)
    assert gaps(city) == {december: (None, None), JANUARY: (570, None), FEBRUARY: (70, None)}
    put(city, registry, PLANTS, readings(range(20, 24)))
    products.build(city, registry, PRODUCT)
    assert gaps(city) == {december: (None, None), JANUARY: (620, 62), FEBRUARY: (70, None)}
    assert replaced_months(city) == {"2026-01-01"}
    part = gold(city, PRODUCT)
    assert built_whole(city, registry, PRODUCT) == part


@pytest.mark.parametrize(
    ("built_at", "changed"),
    [(datetime(2026, 1, 31, 12, tzinfo=UTC), set()), (datetime(2026, 2, 1, 12, tzinfo=UTC), {"2026-01-01"})],
)
def test_only_figures_of_months_that_were_over_are_corrected(
    city: Lake, registry: Registry, built_at: datetime, changed: set[str]
) -> None:
    products.build(city, registry, PRODUCT)
    last = city.ledger.build(PRODUCT)
    city.ledger.record_build(replace(last, built_at=built_at))  # type: ignore[type-var]
    put(city, registry, PLANTS, readings(range(20, 24)))
    products.build(city, registry, PRODUCT)
    found = {row["key"]: row["field"] for row in recorded(city)}
    assert all(f'"month": "{month}"' in key for month in changed for key in found)
    assert bool(found) == bool(changed)
