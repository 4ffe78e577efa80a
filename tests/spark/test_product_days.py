"""Products of days: a part that is built again equals the whole, and figures that were shown and changed are recorded."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from jobs.conform import product_columns
from jobs.contracts import Registry, load
from jobs.lake.lake import Lake
from jobs.lake.table_schema import arrow_schema
from jobs.lake.zones import Zone
from jobs.pipeline import products
from jobs.pipeline.product_days import changed_days
from jobs.settings import PROJECT
from tests.spark.test_products import utc

ZONES, SUMMARY, NETWORK = "water_zone_day", "telemetry_summary", "water_network_readings"
FIRST = date(2026, 1, 5)
POINTS = ("WN-371502-001", "WN-371503-002")
Row = dict[str, Any]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load(PROJECT / "schemas", PROJECT / "expectations")


def put(lake: Lake, registry: Registry, dataset: str, rows: Sequence[Row]) -> None:
    """Rows into a silver table, as one commit."""
    contract, path = registry.contract(dataset), lake.path(Zone.SILVER, dataset)
    lake.delta.ensure(path, product_columns(contract), contract.title)
    names = [field.name for field in contract.fields]
    schema = arrow_schema(contract.fields)
    lake.delta.append(path, pa.Table.from_pylist([{n: row.get(n) for n in names} for row in rows], schema=schema))


def reading(point: str, day: int, hour: int, flow: float = 10.0, total: float | None = None) -> Row:
    at = utc(f"{FIRST + timedelta(days=day)}T{hour:02d}:00:00").astimezone(UTC)
    gained = 1000.0 + (day * 24 + hour) * 10.0 if total is None else total
    return {
        "device_id": point, "read_at": at, "network_flow_m3_h": flow, "network_pressure_mpa": 0.3, "forward_total_m3": gained,
        "reverse_total_m3": 0.0,
    }  # fmt: skip


def days(*numbers: int, hours: Sequence[int] = range(24)) -> list[Row]:
    return [reading(point, day, hour) for point in POINTS for day in numbers for hour in hours]


@pytest.fixture
def city(lake: Lake, registry: Registry) -> Lake:
    """Two metering zones with a week of readings, of which one day has some missing."""
    plates = [
        {
            "device_id": point, "device_type": "network_point", "device_status": "在用", "division_code": point[3:9],
            "metering_zone": f"DMA-{point[3:9]}-01", "interval_s": 3600, "dial_digits": 9, "installed_date": date(2020, 1, 1),
        }
        for point in POINTS
    ]  # fmt: skip
    put(lake, registry, "devices", plates)
    put(lake, registry, NETWORK, days(0, 1, 2, 4, 5, 6))
    put(lake, registry, NETWORK, days(3, hours=range(0, 24, 2)))
    plant = {"device_id": "WP-371502-001", "read_at": utc("2026-01-05T00:00:00"), "out_flow_m3_h": 1.0}
    put(lake, registry, "water_plant_minutes", [plant])
    return lake


def gold(lake: Lake, product: str) -> list[Row]:
    table = lake.delta.open(lake.path(Zone.GOLD, product))
    rows: list[Row] = table.to_pyarrow_table().to_pylist() if table else []
    return sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def recorded(lake: Lake) -> list[Row]:
    table = lake.delta.open(lake.path(Zone.RESULTS, "figure_changes"))
    rows: list[Row] = table.to_pyarrow_table().to_pylist() if table else []
    return sorted(rows, key=lambda row: (row["key"], row["field"]))


def built_whole(lake: Lake, registry: Registry, product: str) -> list[Row]:
    """The product, made anew from all readings."""
    last = lake.ledger.build(product)
    assert last is not None
    lake.ledger.record_build(replace(last, recipe=""))
    assert products.build(lake, registry, product) is not None
    return gold(lake, product)


def test_only_the_days_that_changed_are_replaced_and_the_whole_would_be_the_same(
    city: Lake, registry: Registry
) -> None:
    products.build(city, registry, SUMMARY)
    before = city.ledger.build(SUMMARY)
    put(city, registry, NETWORK, [reading(POINTS[0], 5, 23, total=1e6)])
    inputs = {**before.inputs, NETWORK: before.inputs[NETWORK] + 1}  # type: ignore[union-attr]
    found = changed_days(city, registry, registry.contract(SUMMARY), before, inputs)  # type: ignore[arg-type]
    assert found is not None and (found.first, found.last) == (FIRST + timedelta(days=5), FIRST + timedelta(days=6))
    products.build(city, registry, SUMMARY)
    table = city.delta.open(city.path(Zone.GOLD, SUMMARY))
    (commit,) = table.history(1)  # type: ignore[union-attr]
    entries = [
        json.loads(line)
        for line in city.store.get_bytes(f"gold/{SUMMARY}/_delta_log/{commit['version']:020}.json").splitlines()
    ]
    touched = {
        (e.get("add") or e.get("remove"))["partitionValues"]["day"] for e in entries if "add" in e or "remove" in e
    }
    assert touched == {str(FIRST + timedelta(days=n)) for n in (5, 6)}
    part = gold(city, SUMMARY)
    assert built_whole(city, registry, SUMMARY) == part


def test_what_was_shown_before_is_recorded_and_the_whole_would_be_the_same(city: Lake, registry: Registry) -> None:
    first = products.build(city, registry, ZONES)
    assert recorded(city) == []
    put(city, registry, NETWORK, [reading(POINTS[0], 3, 3, flow=2.0)])
    second = products.build(city, registry, ZONES)
    key = json.dumps({"metering_zone": "DMA-371502-01", "day": "2026-01-08"}, ensure_ascii=False)
    found = {row["field"]: (row["before"], row["after"]) for row in recorded(city) if row["key"] == key}
    assert found["night_flow_min_m3_h"] == ("10", "2")
    assert found["water_coverage_pct"] == ("50", "54.17")
    versions = {(row["version_before"], row["version_after"]) for row in recorded(city)}
    assert versions == {(first.table_version, second.table_version)}  # type: ignore[union-attr]
    assert {row["shown_since"] for row in recorded(city)} == {first.built_at}  # type: ignore[union-attr]
    old = city.tables.read(city.path(Zone.GOLD, ZONES), first.table_version)  # type: ignore[union-attr]
    (shown,) = old.filter((F.col("day") == date(2026, 1, 8)) & (F.col("metering_zone") == "DMA-371502-01")).collect()
    assert shown.night_flow_min_m3_h == 10
    part = gold(city, ZONES)
    assert built_whole(city, registry, ZONES) == part


def test_figures_of_a_period_that_is_not_over_are_no_corrections(city: Lake, registry: Registry) -> None:
    products.build(city, registry, ZONES)
    last = city.ledger.build(ZONES)
    during = datetime(2026, 1, 8, 12, tzinfo=UTC)
    city.ledger.record_build(replace(last, built_at=during))  # type: ignore[type-var]
    put(city, registry, NETWORK, [reading(POINTS[0], 3, 3, flow=2.0), reading(POINTS[0], 2, 3, flow=3.0)])
    products.build(city, registry, ZONES)
    assert {json.loads(row["key"])["day"] for row in recorded(city)} == {"2026-01-07"}


def test_nothing_is_built_where_no_reading_changed(city: Lake, registry: Registry) -> None:
    products.build(city, registry, ZONES)
    version = city.delta.version(city.path(Zone.GOLD, ZONES))
    city.delta.compact(city.path(Zone.SILVER, NETWORK))
    assert products.build(city, registry, ZONES) is None
    assert city.delta.version(city.path(Zone.GOLD, ZONES)) == version
    assert products.build(city, registry, ZONES) is None
