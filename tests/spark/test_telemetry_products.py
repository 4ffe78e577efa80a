"""Readings summed up by period and place; balances of networks; night flows of metering zones."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.contracts import load
from jobs.products import BUILDERS
from jobs.products.telemetry import TELEMETRY
from jobs.settings import PROJECT
from tests.spark.test_products import DIVISIONS, table, utc

DEVICES = (
    "device_id string, device_type string, device_status string, division_code string, township_code string,"
    " metering_zone string, interval_s bigint, dial_digits bigint, installed_date date, rated_flow double"
)
OLD = date(2020, 1, 1)
WATER = (
    "device_id string, read_at timestamp, out_total_m3 double, out_flow_m3_h double, out_pressure_mpa double,"
    " out_turbidity_ntu double, raw_turbidity_ntu double, ph double, free_chlorine_mg_l double, water_temp_c double"
)
NETWORK = (
    "device_id string, read_at timestamp, network_flow_m3_h double, network_pressure_mpa double,"
    " forward_total_m3 double, reverse_total_m3 double"
)


def device(name: str, kind: str, zone: str | None = None, interval_s: int = 1200, **others: Any) -> tuple[Any, ...]:
    plate = {
        "status": "在用",
        "county": "371502",
        "town": "371502001",
        "digits": 4,
        "installed": OLD,
        "rated": None,
    } | others
    place = (plate["county"], plate["town"], zone)
    return (name, kind, plate["status"], *place, interval_s, plate["digits"], plate["installed"], plate["rated"])


def summary(
    spark: SparkSession, devices: Sequence[Any], rows: Sequence[Any], columns: str, where: str
) -> list[tuple[Any, ...]]:
    inputs = {"devices": table(spark, DEVICES, devices), "water_plant_minutes": table(spark, WATER, rows)}
    found = BUILDERS["telemetry_summary"](inputs).filter(where).select(*columns.split())
    return sorted(tuple(row) for row in found.collect())


def plant(name: str, at: str, total: float | None, flow: float | None = None) -> tuple[Any, ...]:
    return (name, utc(at), total, flow, None, None, None, None, None, None)


def test_a_total_gains_over_its_rollover_and_not_over_another_meter(spark: SparkSession) -> None:
    rows = [
        plant("W1", "2026-01-12T08:40:00", 9990.0),
        plant("W1", "2026-01-12T09:00:00", 9995.0),
        plant("W1", "2026-01-12T09:20:00", 5.0),  # the dial rolled over
        plant("W1", "2026-01-12T10:00:00", None, 7.0),
        plant("W1", "2026-01-12T10:20:00", 2.0),  # another meter
        plant("W1", "2026-01-12T10:40:00", 7.0),
        plant("W1", "2026-01-14T10:40:00", 90.0),  # after two days: of which day is the gain?
    ]
    where = "field_name = 'out_total_m3' AND period_s = 3600 AND place_level = 'device'"
    columns = "period_start_at readings_received readings_due coverage_pct value_growth"
    found = summary(spark, [device("W1", "water_plant")], rows, columns, where)
    assert [row[1:] for row in found] == [
        (1, 3, 33.33, None),
        (2, 3, 66.67, 15.0),
        (2, 3, 66.67, 5.0),
        (1, 3, 33.33, None),
    ]


def test_a_gain_beyond_what_the_device_can_pass_is_another_meter(spark: SparkSession) -> None:
    rows = [
        plant("W1", "2026-01-12T08:00:00", 9000.0),
        plant("W1", "2026-01-12T09:00:00", 9020.0),
        plant("W1", "2026-01-12T10:00:00", 9999.0),
        plant("W1", "2026-01-12T11:00:00", 500.0),  # would be a rollover
        plant("W1", "2026-01-12T14:00:00", 555.0),  # three hours: within twice the rated flow of ten
        plant("W1", "2026-01-12T15:00:00", 576.0),
    ]
    where = "field_name = 'out_total_m3' AND period_s = 3600 AND place_level = 'device'"
    found = summary(spark, [device("W1", "water_plant", rated=10.0)], rows, "period_start_at value_growth", where)
    assert [row[1] for row in found] == [None, 20.0, None, None, 55.0, None]


def test_places_have_the_readings_due_of_devices_that_are_silent(spark: SparkSession) -> None:
    devices = [
        device("W1", "water_plant", interval_s=43200),
        device("W2", "water_plant", interval_s=43200),
        device("W3", "water_plant", interval_s=43200, status="停用"),
        device("W4", "water_plant", interval_s=43200, installed=date(2026, 1, 13)),
        device("H1", "heat_station", interval_s=300),
    ]
    rows = [plant("W1", "2026-01-12T01:00:00", None, 10.0), plant("W1", "2026-01-12T13:00:00", None, 30.0)]
    where = "field_name = 'out_flow_m3_h' AND period_s = 86400"
    columns = "place_level place_code day readings_received readings_due coverage_pct value_mean value_sum"
    day = date(2026, 1, 12)
    assert summary(spark, devices, rows, columns, where) == [
        ("city", "371500", day, 2, 4, 50.0, 20.0, 20.0),
        ("county", "371502", day, 2, 4, 50.0, 20.0, 20.0),
        ("device", "W1", day, 2, 2, 100.0, 20.0, 20.0),
        ("township", "371502001", day, 2, 4, 50.0, 20.0, 20.0),
    ]


def test_flows_of_a_place_add_up_and_levels_do_not(spark: SparkSession) -> None:
    devices = [device("W1", "water_plant", interval_s=300), device("W2", "water_plant", interval_s=300)]
    rows = [plant(w, f"2026-01-12T00:{m:02d}:00", None, f) for w, f in (("W1", 10.0), ("W2", 30.0)) for m in (0, 5)]
    columns = "place_level period_s value_mean value_min value_max value_sum readings_due"
    found = summary(spark, devices, rows, columns, "place_level IN ('county', 'device') AND period_s < 86400")
    assert found[:1] == [("county", 3600, 20.0, 10.0, 30.0, 40.0, 24)]
    assert [row[:2] for row in found[1:]] == [("device", 300)] * 4 + [("device", 3600)] * 2


def test_a_day_begins_at_midnight_in_beijing(spark: SparkSession) -> None:
    rows = [plant("W1", "2026-01-12T23:59:59", None, 1.0), plant("W1", "2026-01-13T00:00:00", None, 2.0)]
    where = "period_s = 86400 AND place_level = 'device'"
    columns = "day value_mean period_start_at period_end_at"
    found = summary(spark, [device("W1", "water_plant")], rows, columns, where)
    assert [row[:2] for row in found] == [(date(2026, 1, 12), 1.0), (date(2026, 1, 13), 2.0)]
    assert all(end - start == timedelta(days=1) for _, _, start, end in found)


def test_every_dataset_is_summed_up_by_the_fields_of_its_contract(spark: SparkSession) -> None:
    """Two readings of each dataset, with a value in every field."""
    registry = load(PROJECT / "schemas", PROJECT / "expectations")
    devices = [device(f"D-{one.dataset}", one.device_type, interval_s=43200) for one in TELEMETRY]
    inputs = {"devices": table(spark, DEVICES, devices)}
    for one in TELEMETRY:
        fields = [
            field.name for field in registry.contract(one.dataset).fields if field.name in (*one.values, *one.totals)
        ]
        assert sorted(fields) == sorted((*one.values, *one.totals)), one.dataset
        stream = registry.contract(one.dataset).stream
        assert stream is not None and stream.device_type == one.device_type
        schema = ", ".join(["device_id string", "read_at timestamp", *(f"{name} double" for name in fields)])
        moments = (utc("2026-01-12T00:00:00"), utc("2026-01-12T12:00:00"))
        rows = [(f"D-{one.dataset}", at, *[float(n + 1)] * len(fields)) for n, at in enumerate(moments)]
        inputs[one.dataset] = table(spark, schema, rows)
    found = BUILDERS["telemetry_summary"](inputs).filter("place_level = 'city' AND period_s = 86400").collect()
    assert {(row.dataset_id, row.field_name, row.value_growth) for row in found} == {
        (one.dataset, name, 1.0 if name in one.totals else None)
        for one in TELEMETRY
        for name in (*one.values, *one.totals)
    }
    assert {(row.readings_received, row.coverage_pct, row.value_mean) for row in found} == {(2, 100.0, 1.5)}


# --- metering zones --------------------------------------------------------------------------------------------------


def nights(flows: Mapping[date, float], point: str = "N1") -> list[tuple[Any, ...]]:
    """Readings of each hour of the days: a night flow from two to four o'clock, and ten times as much by day."""
    rows, total = [], 0.0
    for day, night in flows.items():
        for hour in range(24):
            flow = night if 2 <= hour < 4 else night * 10
            total += flow
            at = utc(f"{day.isoformat()}T{hour:02d}:00:00")
            rows.append((point, at, flow, 0.3 + hour / 1000, total, 0.0))
    return rows


def zones(spark: SparkSession, rows: Sequence[Any], points: Sequence[Any], **parameters: float) -> list[Any]:
    inputs = {"devices": table(spark, DEVICES, points), "water_network_readings": table(spark, NETWORK, rows)}
    return BUILDERS["water_zone_day"](inputs, **parameters).orderBy("metering_zone", "day").collect()


def test_a_night_with_more_flow_than_usual_may_be_a_leak(spark: SparkSession) -> None:
    days = [date(2026, 1, 10) + timedelta(days=n) for n in range(6)]
    flows = dict(zip(days, (10.0, 11.0, 9.0, 12.9, 13.1, 50.0), strict=True))
    points = [device("N1", "network_point", "DMA-1", 3600)]
    found = zones(spark, nights(flows), points)
    assert [row.night_flow_min_m3_h for row in found] == list(flows.values())
    assert [row.night_flow_usual_m3_h for row in found] == [None, None, None, 10.0, 10.5, 11.0]
    assert [row.leak_suspected for row in found] == [None, None, None, False, False, True]
    assert [row.water_coverage_pct for row in found] == [100.0] * 6
    assert found[0].night_flow_share_pct == pytest.approx(100 * 10 / (10 * (2 + 22 * 10) / 24), abs=0.01)
    assert zones(spark, nights(flows), points, suspicious_ratio=1.2)[4].leak_suspected


def test_a_zones_flow_is_the_sum_of_its_points(spark: SparkSession) -> None:
    day = date(2026, 1, 10)
    points = [device("N1", "network_point", "DMA-1", 3600), device("N2", "network_point", "DMA-1", 3600)]
    (found,) = zones(spark, nights({day: 10.0}) + nights({day: 5.0}, "N2"), points)
    assert found.night_flow_min_m3_h == 15.0
    assert found.zone_inflow_m3 == (10 + 5) * (2 + 22 * 10) - 150.0  # the first reading of a total has gained nothing
    assert found.zone_pressure_spread_mpa == 0.023


# --- balances --------------------------------------------------------------------------------------------------------


def total_rows(name: str, day: str, gain: float) -> list[tuple[str, datetime, float]]:
    return [(name, utc(f"{day}T00:00:00"), 100.0), (name, utc(f"{day}T12:00:00"), 100.0 + gain)]


def test_what_is_given_stands_beside_what_arrives(spark: SparkSession) -> None:
    day = "2026-01-12"
    kinds = {"W1": "water_plant", "N1": "network_point", "S1": "heat_source", "H1": "heat_station", "G1": "gas_gate"}
    devices = [device(name, kind, interval_s=43200) for name, kind in kinds.items()]
    devices += [device(f"T{n}", "indoor_sensor", interval_s=43200) for n in range(4)]
    network = [(*row, 10.0 * n) for n, row in enumerate(total_rows("N1", day, 190.0))]
    homes = [(f"T{n}", utc(f"{day}T{hour:02d}:00:00"), 17.0 + n + hour / 24) for n in range(3) for hour in (0, 12)]
    inputs = {
        "devices": table(spark, DEVICES, devices),
        "divisions": table(spark, "division_code string, division_name string, code_valid_to date", DIVISIONS),
        "water_plant_minutes": table(spark, "device_id string, read_at timestamp, out_total_m3 double", total_rows("W1", day, 200.0)),
        "water_network_readings": table(
            spark, "device_id string, read_at timestamp, forward_total_m3 double, reverse_total_m3 double", network
        ),
        "heat_source_minutes": table(spark, "device_id string, read_at timestamp, source_total_gj double", total_rows("S1", day, 50.0)),
        "heat_station_minutes": table(spark, "device_id string, read_at timestamp, heat_total_gj double", total_rows("H1", day, 48.0)),
        "gas_gate_readings": table(spark, "device_id string, read_at timestamp, std_total_m3 double", total_rows("G1", day, 70.0)),
        "indoor_temperatures": table(spark, "device_id string, read_at timestamp, room_temp_c double", homes),
    }  # fmt: skip
    (found,) = BUILDERS["utility_balance_day"](inputs, warm_c=18).collect()
    assert (found.division_name, found.day) == ("东昌府区", date(2026, 1, 12))
    assert (found.water_supply_m3, found.zone_inflow_m3, found.water_gap_m3, found.water_gap_pct) == (200, 180, 20, 10)
    assert (found.heat_source_gj, found.heat_supply_gj, found.heat_loss_pct) == (50, 48, 4)
    assert (found.gas_gate_m3, found.gas_supply_m3, found.gas_gap_pct) == (70, None, None)
    assert (found.homes_measured, found.homes_warm, found.homes_warm_pct) == (3, 2, 66.67)
    assert (found.water_coverage_pct, found.gas_coverage_pct, found.home_coverage_pct) == (100, 100, 75)
