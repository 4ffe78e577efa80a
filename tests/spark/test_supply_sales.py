"""Supply and sales of a county by month: what is compared, and what is not because it was not measured."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from jobs.contracts import load
from jobs.products import BUILDERS
from jobs.settings import PROJECT
from jobs.simulator.feed import Feed
from jobs.simulator.feeds import bills, gas_gates, water
from jobs.simulator.registers import devices
from jobs.simulator.setting import Setting
from tests.spark.test_products import DIVISIONS, table, utc

DEVICES = (
    "device_id string, device_type string, device_status string, division_code string, township_code string,"
    " interval_s bigint, dial_digits bigint, rated_flow double, installed_date date, removed_date date"
)
BILLS = "account_no string, division_code string, billing_month date, billed_volume_m3 double, bill_status string"
READINGS = "device_id string, read_at timestamp, {} double"
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
HALF_DAYS = 62


def device(name: str, kind: str = "water_plant", **others: Any) -> tuple[Any, ...]:
    """A device with a dial of four digits, in service since 2020."""
    plate = {"status": "在用", "installed": date(2020, 1, 1), "removed": None} | others
    return (name, kind, plate["status"], "371502", None, 43200, 4, None, plate["installed"], plate["removed"])


def month_of(
    name: str, first: float, half_days: Sequence[int] = range(HALF_DAYS + 1)
) -> list[tuple[str, datetime, float]]:
    """Readings of January every half day, each 10 m³ more; number 0 is that of noon before it."""
    start = utc("2025-12-31T12:00:00").astimezone(UTC)
    return [(name, start + timedelta(hours=12 * n), (first + 10 * n) % 10_000) for n in half_days]


def bill(
    volume: float, status: str = "已缴", month: date = JANUARY, county: str = "371502", account: str = "3800000001"
) -> tuple[Any, ...]:
    return (account, county, month, volume, status)


def built(
    spark: SparkSession,
    plates: Sequence[Any],
    water_readings: Sequence[Any],
    water_bills: Sequence[Any],
    others: Mapping[str, DataFrame] | None = None,
    **parameters: float,
) -> dict[tuple[str, date], Row]:
    inputs = {
        "devices": table(spark, DEVICES, plates),
        "divisions": table(spark, "division_code string, division_name string, code_valid_to date", DIVISIONS),
        "water_plant_minutes": table(spark, READINGS.format("out_total_m3"), water_readings),
        "water_bills": table(spark, BILLS, water_bills),
        **(others or {}),
    }
    rows = BUILDERS["supply_sales_month"](inputs, **parameters).collect()
    assert len({(row.utility_kind, row.division_code, row.month) for row in rows}) == len(rows)
    return {(row.utility_kind, row.month): row for row in rows if row.division_code == "371502"}


def test_what_is_sold_stands_beside_what_was_supplied_also_where_the_dial_rolled_over(spark: SparkSession) -> None:
    gas = {
        "gas_gate_readings": table(spark, READINGS.format("std_total_m3"), month_of("G1", 0)),
        "gas_bills": table(spark, BILLS, [bill(300), bill(278), bill(100, "作废")]),
    }
    plates = [device("W1"), device("W2"), device("G1", "gas_gate")]
    readings = month_of("W1", 9800) + month_of("W2", 100)
    found = built(spark, plates, readings, [bill(1000.0), bill(116, "欠费"), bill(900, month=FEBRUARY)], gas)
    january = found["water", JANUARY]
    assert (january.division_name, january.month_days, january.supply_days) == ("东昌府区", 31, 31)
    assert (january.month_supply_m3, january.sold_volume_m3, january.bill_count) == (2 * 620, 1116, 2)
    assert (january.supply_coverage_pct, january.supply_gap_m3, january.supply_gap_pct) == (100, 124, 10)
    gases = found["gas", JANUARY]
    assert (gases.month_supply_m3, gases.sold_volume_m3, gases.bill_count, gases.supply_gap_pct) == (620, 578, 2, 6.77)
    february = found["water", FEBRUARY]
    assert (february.month_supply_m3, february.sold_volume_m3, february.supply_gap_m3) == (None, 900, None)
    assert (february.supply_days, february.supply_coverage_pct) == (0, None)


def test_part_of_a_month_is_compared_with_nothing(spark: SparkSession) -> None:
    january = built(spark, [device("W1")], month_of("W1", 0, range(7)), [bill(500)])["water", JANUARY]
    assert (january.month_supply_m3, january.supply_days, january.supply_coverage_pct) == (60, 3, 9.68)
    assert (january.sold_volume_m3, january.supply_gap_m3, january.supply_gap_pct) == (500, None, None)


@pytest.mark.parametrize(
    ("missing", "supply", "coverage", "is_compared"),
    [
        ([20], 620, 100, True),  # within a day: the next reading holds what the missing one would have
        ([20, 21], 590, 95.16, False),  # longer than a day: nobody knows of which day the gain is
        (range(60, 63), 590, 95.16, False),
    ],
)
def test_what_a_silence_leaves_out_is_not_measured(
    spark: SparkSession, missing: Sequence[int], supply: float, coverage: float, is_compared: bool
) -> None:
    kept = [n for n in range(HALF_DAYS + 1) if n not in missing]
    january = built(spark, [device("W1")], month_of("W1", 0, kept), [bill(558)])["water", JANUARY]
    assert (january.month_supply_m3, january.supply_coverage_pct) == (supply, coverage)
    assert (january.supply_gap_m3 is not None) == is_compared
    lenient = built(spark, [device("W1")], month_of("W1", 0, kept), [bill(558)], min_coverage_pct=90)["water", JANUARY]
    assert lenient.supply_gap_m3 == supply - 558


@pytest.mark.parametrize(
    ("second", "readings", "coverage"),
    [
        (device("W2"), [], 0),
        (device("W2", status="停用"), [], 100),
        (device("W2", status="停用"), month_of("W2", 0, range(32)), 50),
        (device("W2", status="拆除", removed=date(2026, 1, 15)), month_of("W2", 0, range(31)), 100),
        (device("W2", status="拆除", removed=date(2026, 1, 15)), [], 0),
        (device("W2", status="拆除", removed=date(2025, 12, 15)), [], 100),
        (device("W2", installed=date(2026, 1, 17)), month_of("W2", 0, range(32, 63)), 100),
        (device("W2", installed=date(2026, 2, 1)), [], 100),
    ],
    ids=[
        "silent",
        "out of service",
        "stopped within the month",
        "removed within the month",
        "removed, and silent before",
        "removed before",
        "installed within the month",
        "installed later",
    ],
)
def test_a_county_is_measured_as_far_as_its_least_measured_device(
    spark: SparkSession, second: Any, readings: Sequence[Any], coverage: float
) -> None:
    both = month_of("W1", 0) + list(readings)
    january = built(spark, [device("W1"), second], both, [bill(500)])["water", JANUARY]
    assert january.supply_coverage_pct == pytest.approx(coverage, abs=1.7)
    assert (january.supply_gap_m3 is not None) == (coverage == 100)


@pytest.mark.parametrize(("accounts", "sold", "count"), [(2, None, None), (3, 30, 4)])
def test_bills_of_few_accounts_are_not_summed_up(
    spark: SparkSession, accounts: int, sold: float | None, count: int | None
) -> None:
    bills = [bill(10, account=f"380000000{n}") for n in range(accounts)] + [bill(0, account="3800000000")]
    january = built(spark, [device("W1")], month_of("W1", 0), bills, min_accounts=3)["water", JANUARY]
    assert (january.sold_volume_m3, january.bill_count) == (sold, count)
    assert (january.supply_gap_m3, january.month_supply_m3) == (None if sold is None else 620 - sold, 620)


def test_supply_and_sales_stand_alone_where_the_other_is_missing(spark: SparkSession) -> None:
    found = built(spark, [device("W1")], month_of("W1", 0), [bill(5, county="371503")])
    assert (found["water", JANUARY].sold_volume_m3, found["water", JANUARY].bill_count) == (None, 0)
    assert found["water", JANUARY].supply_gap_m3 is None
    assert {kind for kind, _ in found} == {"water"}


def readings_of(feed: Feed, total: str) -> list[tuple[str, datetime, float]]:
    """Each twelfth reading of January and of the last day before it, as the simulated city sends them, without faults."""
    days = (date(2025, 12, 31) + timedelta(days=n) for n in range(32))
    rows = [row for day in days for row in feed.rows(Setting(7, day))[::12]]
    return [(row.text("device_id"), moment(row.text("read_at")), float(row.text(total))) for row in rows]


def moment(text: str) -> datetime:
    return datetime.fromtimestamp(int(text) / 1000, UTC) if text.isdigit() else utc(text.replace(" ", "T"))


def bills_of(feed: Feed) -> list[tuple[Any, ...]]:
    """The simulated bills of January, without faults."""
    cells = [row.cells for row in feed.rows(Setting(7, date(2026, 2, 12)))]
    return [(c["account_no"], c["division_code"], JANUARY, float(str(c["billed_volume_m3"])), "已缴") for c in cells]


def test_the_simulated_city_sells_about_nine_tenths_of_its_supply(spark: SparkSession) -> None:
    plates = [d for prefix in ("WP", "GG") for d in devices(Setting(7, JANUARY), prefix)]
    rows = [
        (d.id, d.kind, "在用", d.county.code, None, d.interval_s, 9, d.rated_flow, d.installed, None) for d in plates
    ]
    inputs = {
        "devices": table(spark, DEVICES, rows),
        "divisions": table(spark, "division_code string, division_name string, code_valid_to date", DIVISIONS),
        "water_plant_minutes": table(spark, READINGS.format("out_total_m3"), readings_of(water.FEED, "out_total_m3")),
        "gas_gate_readings": table(spark, READINGS.format("std_total_m3"), readings_of(gas_gates.FEED, "std_total_m3")),
        "water_bills": table(spark, BILLS, bills_of(bills.WATER_FEED)),
        "gas_bills": table(spark, BILLS, bills_of(bills.GAS_FEED)),
    }
    found = BUILDERS["supply_sales_month"](inputs).filter(F.col("month") == F.lit(JANUARY)).collect()
    gaps = {(row.utility_kind, row.division_code): row.supply_gap_pct for row in found}
    without_plant = {key for key, gap in gaps.items() if gap is None}
    assert len(gaps) == 16 and len(without_plant) == 3 and {kind for kind, _ in without_plant} == {"water"}
    assert [gap for gap in gaps.values() if gap is not None and not 7.8 <= gap <= 12.2] == []


def test_usage_over_the_end_of_a_dial_is_right_and_a_fall_elsewhere_is_not(spark: SparkSession) -> None:
    rules = load(PROJECT / "schemas", PROJECT / "expectations").rules["water_meter_readings"]
    (rule,) = [rule for rule in rules if rule.id == "usage_equals_difference"]
    rows = [
        (12, 9_990, 22.0),
        (12, 9_990, 12.0),
        (5, 99_985, 20.0),
        (12, 8_500, 1_512.0),
        (40, 20, 20.0),
        (5, 950, 55.0),
    ]
    found = table(spark, "reading_m3 bigint, previous_reading_m3 bigint, usage_m3 double", rows)
    assert [row.ok for row in found.selectExpr(f"{rule.kwargs['condition']} AS ok").collect()] == [
        True, False, True, False, True, False,
    ]  # fmt: skip
