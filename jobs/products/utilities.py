"""Water, heat and gas per day and county, with the share of readings that arrived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.products.beijing import DAY_S, beijing_day, current_divisions

PLACE = ("day", "division_code")


@dataclass(frozen=True)
class Utility:
    """One utility's readings: its device type, its running total, and the product's columns from them."""

    name: str
    dataset: str
    device_type: str
    total: str
    supply: str
    extreme: str
    per_device: Column
    per_county: Column


def utility_day_by_county(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """The three utilities in one row; a county has a row where any of them has devices in service that day."""
    parts = [_by_county(utility, inputs) for utility in _utilities()]
    joined = reduce(lambda left, right: left.join(right, list(PLACE), "full"), parts)
    return joined.join(current_divisions(inputs["divisions"]), "division_code", "left")


def _utilities() -> Sequence[Utility]:
    turbidity, secondary, outlet = (
        F.col("out_turbidity_ntu"),
        F.col("secondary_supply_temp_c"),
        F.col("outlet_pressure_kpa"),
    )
    return (
        Utility(
            "water",
            "water_plant_minutes",
            "water_plant",
            "out_total_m3",
            "water_supply_m3",
            "water_turbidity_max_ntu",
            F.max(turbidity),
            F.max("_extreme"),
        ),
        Utility(
            "heat",
            "heat_station_minutes",
            "heat_station",
            "heat_total_gj",
            "heat_supply_gj",
            "heat_secondary_supply_avg_c",
            F.avg(secondary),
            F.round(F.avg("_extreme"), 2),
        ),
        Utility(
            "gas",
            "gas_regulator_readings",
            "gas_regulator",
            "std_total_m3",
            "gas_supply_m3",
            "gas_outlet_min_kpa",
            F.min(outlet),
            F.min("_extreme"),
        ),
    )


def _by_county(utility: Utility, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """Supply: sum of the devices' last minus first total; coverage: moments received of those due, in percent."""
    per_device = _per_device(utility, inputs[utility.dataset])
    due = _due(utility, inputs["devices"], per_device.select("day").distinct())
    with_readings = due.join(per_device, ["device_id", "day"], "left")
    received = F.least(F.coalesce("_received", F.lit(0)), F.col("_due"))
    return with_readings.groupBy(*PLACE).agg(
        F.round(F.sum("_supply"), 2).alias(utility.supply),
        utility.per_county.alias(utility.extreme),
        F.round(100 * F.sum(received) / F.sum("_due"), 2).alias(f"{utility.name}_coverage_pct"),
    )


def _per_device(utility: Utility, readings: DataFrame) -> DataFrame:
    return readings.groupBy("device_id", beijing_day(F.col("read_at")).alias("day")).agg(
        (F.max(utility.total) - F.min(utility.total)).alias("_supply"),
        utility.per_device.alias("_extreme"),
        F.count_distinct("read_at").alias("_received"),
    )


def _due(utility: Utility, devices: DataFrame, days: DataFrame) -> DataFrame:
    """Devices in service on each day, with the number of moments that their interval makes due."""
    in_service = devices.filter((F.col("device_type") == utility.device_type) & (F.col("device_status") == "在用"))
    device_days = in_service.crossJoin(days).filter(F.col("installed_date") <= F.col("day"))
    return device_days.select("device_id", "division_code", "day", F.floor(DAY_S / F.col("interval_s")).alias("_due"))
