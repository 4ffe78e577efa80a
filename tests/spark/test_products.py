"""Products: one small table in, one table out."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.products import BUILDERS
from jobs.products.aqi import daily_index
from jobs.products.beijing import beijing_day

DIVISIONS = [("371502", "东昌府区", None), ("371503", "茌平区", None), ("371523", "茌平县", date(2018, 12, 31))]


def table(spark: SparkSession, columns: str, rows: Sequence[Sequence[Any]]) -> DataFrame:
    return spark.createDataFrame([tuple(row) for row in rows], columns)


def made(builder: str, inputs: Mapping[str, DataFrame], columns: str, order: str) -> list[tuple[Any, ...]]:
    names = columns.split()
    return [tuple(row) for row in BUILDERS[builder](inputs).select(*names).orderBy(*order.split()).collect()]


@pytest.fixture(scope="module")
def divisions(spark: SparkSession) -> DataFrame:
    return table(spark, "division_code string, division_name string, code_valid_to date", DIVISIONS)


def utc(text: str) -> datetime:
    """A Beijing time as the UTC moment that silver holds."""
    return datetime.fromisoformat(f"{text}+08:00")


def test_beijing_day_begins_at_sixteen_utc(spark: SparkSession) -> None:
    moments = table(spark, "at timestamp", [[utc("2026-01-12T23:59:59")], [utc("2026-01-13T00:00:00")]])
    days = [row[0] for row in moments.select(beijing_day(F.col("at"))).collect()]
    assert days == [date(2026, 1, 12), date(2026, 1, 13)]


# --- hotline ---------------------------------------------------------------------------------------------------------

ORDERS = (
    "division_code string, category_major string, order_status string, dispatched_at timestamp, promised_at timestamp,"
    " closed_at timestamp, satisfaction string"
)


def test_hotline_share_counts_closed_orders_only(spark: SparkSession, divisions: DataFrame) -> None:
    sent, due = utc("2026-01-12T08:00:00"), utc("2026-01-15T08:00:00")
    orders = table(
        spark,
        ORDERS,
        [
            ("371502", "供热", "已办结", sent, due, utc("2026-01-12T20:00:00"), "满意"),
            ("371502", "供热", "已办结", sent, due, utc("2026-01-16T08:00:00"), "不满意"),
            ("371502", "供热", "办理中", sent, due, None, None),
            ("371503", "供水", "办理中", sent, due, None, None),
        ],
    )
    columns = (
        "division_name order_count closed_count on_time_count on_time_share_pct mean_handling_h dissatisfied_count"
    )
    rows = made("hotline_day", {"hotline_orders": orders, "divisions": divisions}, columns, "division_code")
    assert rows == [("东昌府区", 3, 2, 1, 50.0, 54.0, 1), ("茌平区", 1, 0, 0, None, None, 0)]


# --- enterprises -----------------------------------------------------------------------------------------------------

REGISTERED = (
    "uscc string, enterprise_name string, enterprise_type string, industry_code string, enterprise_status string,"
    " division_code string, established_date date, approved_date date, registered_capital_wan decimal(18,6)"
)
PERMITS = "uscc string, decided_date date, valid_from date, valid_to date, permit_status string"
PENALTIES = "uscc string, decided_date date, fine_wan decimal(18,6)"


@pytest.fixture(scope="module")
def register(spark: SparkSession) -> DataFrame:
    rows = [
        (
            code,
            f"企业{code}",
            "有限责任公司",
            "F5299",
            "存续",
            "371502",
            date(2010, 1, 1),
            date(2025, 6, 1),
            Decimal(50),
        )
        for code in ("A", "B", "C")
    ]
    return table(spark, REGISTERED, rows)


def test_licence_is_judged_at_the_latest_decision(
    spark: SparkSession, divisions: DataFrame, register: DataFrame
) -> None:
    permits = table(
        spark,
        PERMITS,
        [
            ("A", date(2020, 1, 1), date(2020, 1, 1), date(2025, 1, 1), "1"),
            ("A", date(2026, 1, 5), date(2026, 1, 5), None, "1"),
            ("B", date(2020, 1, 1), date(2020, 1, 1), date(2025, 1, 1), "1"),
            ("B", date(2026, 1, 5), date(2026, 1, 5), date(2031, 1, 1), "2"),
        ],
    )
    penalties = table(spark, PENALTIES, [("A", date(2026, 1, 9), Decimal("0.5")), ("A", date(2025, 1, 9), None)])
    inputs = {
        "enterprise_registration": register,
        "admin_permits": permits,
        "admin_penalties": penalties,
        "divisions": divisions,
    }
    columns = (
        "uscc permit_count valid_permit_count licence_state latest_permit_date penalty_count fine_total_wan as_of_date"
    )
    day, as_of = date(2026, 1, 5), date(2026, 1, 9)
    assert made("enterprise_master", inputs, columns, "uscc") == [
        ("A", 2, 1, "valid", day, 2, Decimal("0.500000"), as_of),
        ("B", 2, 0, "expired", day, 0, None, as_of),
        ("C", 0, 0, "none", None, 0, None, as_of),
    ]


# --- utilities -------------------------------------------------------------------------------------------------------

DEVICES = "device_id string, device_type string, device_status string, division_code string, interval_s bigint, installed_date date"


def hours_of(device: str, day: str, hours: Sequence[int], total: float, figure: float) -> list[tuple[Any, ...]]:
    return [(device, utc(f"{day}T{hour:02d}:00:00"), total + hour, figure) for hour in hours]


def test_utilities_stand_side_by_side_with_their_coverage(spark: SparkSession, divisions: DataFrame) -> None:
    devices = table(
        spark,
        DEVICES,
        [
            ("W1", "water_plant", "在用", "371502", 3600, date(2020, 1, 1)),
            ("W2", "water_plant", "在用", "371502", 3600, date(2020, 1, 1)),
            ("W3", "water_plant", "停用", "371502", 3600, date(2020, 1, 1)),
            ("H1", "heat_station", "在用", "371503", 3600, date(2020, 1, 1)),
            ("G1", "gas_regulator", "在用", "371503", 3600, date(2020, 1, 1)),
        ],
    )
    water = hours_of("W1", "2026-01-12", range(24), 1000, 0.3) + hours_of("W1", "2026-01-12", [5], 1000, 0.3)
    heat = hours_of("H1", "2026-01-12", range(12), 50, 45.0)
    gas = hours_of("G1", "2026-01-12", range(24), 10, 2.5)
    inputs = {
        "devices": devices,
        "divisions": divisions,
        "water_plant_minutes": table(
            spark, "device_id string, read_at timestamp, out_total_m3 double, out_turbidity_ntu double", water
        ),
        "heat_station_minutes": table(
            spark, "device_id string, read_at timestamp, heat_total_gj double, secondary_supply_temp_c double", heat
        ),
        "gas_regulator_readings": table(
            spark, "device_id string, read_at timestamp, std_total_m3 double, outlet_pressure_kpa double", gas
        ),
    }
    columns = (
        "day division_name water_supply_m3 water_turbidity_max_ntu water_coverage_pct"
        " heat_supply_gj heat_secondary_supply_avg_c heat_coverage_pct gas_supply_m3 gas_coverage_pct"
    )
    day = date(2026, 1, 12)
    assert made("utility_day_by_county", inputs, columns, "division_code") == [
        (day, "东昌府区", 23.0, 0.3, 50.0, None, None, None, None, None),
        (day, "茌平区", None, None, None, 11.0, 45.0, 50.0, 23.0, 100.0),
    ]


# --- air -------------------------------------------------------------------------------------------------------------

AIR = (
    "device_id string, device_name string, hour_end_at timestamp, pm25_ug_m3 double, pm10_ug_m3 double, so2_ug_m3 double,"
    " no2_ug_m3 double, co_mg_m3 double, o3_ug_m3 double, data_flag string"
)


def station(hours: Sequence[int], flags: Mapping[int, str] | None = None, **values: float) -> list[tuple[Any, ...]]:
    given = {"pm25": 60.0, "pm10": 90.0, "so2": 10.0, "no2": 30.0, "co": 0.9, "o3": 50.0, **values}
    start = utc("2026-01-12T00:00:00")
    return [
        ("AQ1", "一号站", start + timedelta(hours=hour), *given.values(), (flags or {}).get(hour)) for hour in hours
    ]


def air(spark: SparkSession, rows: Sequence[Sequence[Any]], columns: str) -> list[tuple[Any, ...]]:
    devices = table(spark, "device_id string, division_code string", [("AQ1", "371502")])
    return made("air_quality_day", {"air_quality_hourly": table(spark, AIR, rows), "devices": devices}, columns, "day")


def test_hour_24_belongs_to_the_day_that_it_ends(spark: SparkSession) -> None:
    rows = air(spark, station(range(1, 25)), "day valid_hours_pm25 valid_windows_o3 division_code")
    assert rows == [(date(2026, 1, 12), 24, 17, "371502")]


def test_aqi_is_the_highest_index_with_its_pollutant(spark: SparkSession) -> None:
    rows = air(
        spark,
        station(range(1, 25)),
        "pm25_mean_ug_m3 co_mean_mg_m3 o3_8h_max_ug_m3 aqi_day primary_pollutant air_level",
    )
    assert rows == [(60.0, 0.9, 50.0, 82, "PM2.5", "2")]


def test_clean_air_has_no_primary_pollutant(spark: SparkSession) -> None:
    rows = air(spark, station(range(1, 25), pm25=20, pm10=40), "aqi_day primary_pollutant air_level")
    assert rows == [(40, None, "1")]


def test_nineteen_valid_hours_are_too_few_for_a_daily_mean(spark: SparkSession) -> None:
    flags = dict.fromkeys(range(1, 6), "M")
    rows = air(
        spark, station(range(1, 25), flags), "valid_hours_pm25 pm25_mean_ug_m3 aqi_day primary_pollutant air_level"
    )
    assert rows == [(19, None, None, None, None)]


def test_ozone_needs_six_hours_of_eight_and_fourteen_means(spark: SparkSession) -> None:
    hours = [hour for hour in range(1, 25) if hour not in (9, 10, 11)]
    rows = air(spark, station(hours), "valid_hours_pm25 valid_windows_o3 o3_8h_max_ug_m3")
    assert rows == [(21, 11, None)]


def test_repeated_hour_counts_once(spark: SparkSession) -> None:
    assert air(spark, station([*range(1, 25), 7]), "valid_hours_pm25") == [(24,)]


@pytest.mark.parametrize(
    ("pollutant", "value", "index"),
    [
        ("PM2.5", 35.0, 50),
        ("PM2.5", 36.0, ceil(50 + 50 / 40)),
        ("PM2.5", 600.0, 500),
        ("PM10", 150.0, 100),
        ("CO", 4.3, 102),
        ("O3", 160.0, 100),
        ("NO2", 0.0, 0),
    ],
)
def test_index_follows_the_table(spark: SparkSession, pollutant: str, value: float, index: int) -> None:
    (row,) = spark.range(1).select(daily_index(F.lit(value), pollutant)).collect()
    assert row[0] == index
