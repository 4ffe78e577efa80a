"""What goes into the networks of a county in a day, and what comes out: water, heat, gas; and homes that are warm enough."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.products.beijing import beijing_day, current_divisions
from jobs.products.telemetry import (
    BY_DATASET,
    coverage_pct,
    days_of,
    due_readings,
    gain,
    register,
    with_gains,
    with_plates,
)

PLACE = ("day", "division_code")
FLOWS = (
    ("water_plant_minutes", "water_supply_m3", ("out_total_m3",)),
    ("water_network_readings", "zone_inflow_m3", ("forward_total_m3", "reverse_total_m3")),
    ("heat_source_minutes", "heat_source_gj", ("source_total_gj",)),
    ("heat_station_minutes", "heat_supply_gj", ("heat_total_gj",)),
    ("gas_gate_readings", "gas_gate_m3", ("std_total_m3",)),
    ("gas_regulator_readings", "gas_supply_m3", ("std_total_m3",)),
)
"""Dataset, column of the product, and the totals that it adds: the second is subtracted."""
HOMES = "indoor_temperatures"


def utility_balance_day(inputs: Mapping[str, DataFrame], warm_c: float = 18.0) -> DataFrame:
    """One row per county and day; differences only where both sides were measured."""
    parts = [_flow(inputs, *flow) for flow in FLOWS if flow[0] in inputs]
    if HOMES in inputs:
        parts.append(_homes(inputs, warm_c))
    joined = reduce(lambda left, right: left.join(right, list(PLACE), "full"), parts)
    for column in _columns() - set(joined.columns):
        joined = joined.withColumn(column, F.lit(None).cast("double"))
    balanced = joined.withColumns(
        {
            "water_gap_m3": F.round(F.col("water_supply_m3") - F.col("zone_inflow_m3"), 2),
            "water_gap_pct": _share_lost("water_supply_m3", "zone_inflow_m3"),
            "heat_loss_pct": _share_lost("heat_source_gj", "heat_supply_gj"),
            "gas_gap_pct": _share_lost("gas_gate_m3", "gas_supply_m3"),
            "water_coverage_pct": _lower("water_supply_m3", "zone_inflow_m3"),
            "heat_coverage_pct": _lower("heat_source_gj", "heat_supply_gj"),
            "gas_coverage_pct": _lower("gas_gate_m3", "gas_supply_m3"),
        }
    )
    return balanced.join(current_divisions(inputs["divisions"]), "division_code", "left")


def _columns() -> set[str]:
    flows = {name for _, column, _ in FLOWS for name in (column, f"_{column}_pct")}
    return flows | {"homes_measured", "homes_warm", "homes_warm_pct", "home_coverage_pct"}


def _flow(inputs: Mapping[str, DataFrame], dataset: str, column: str, totals: tuple[str, ...]) -> DataFrame:
    readings = with_gains(with_plates(inputs[dataset], register(inputs)), BY_DATASET[dataset])
    gains = F.sum(gain(totals[0]))
    for subtracted in totals[1:]:
        gains = gains - F.coalesce(F.sum(gain(subtracted)), F.lit(0.0))
    by_county = readings.groupBy(*_county_days()).agg(
        F.round(gains, 2).alias(column), F.count_distinct("device_id", "read_at").alias("_received")
    )
    return _with_coverage(inputs, dataset, by_county, f"_{column}_pct")


def _county_days() -> tuple[Column, Column]:
    return beijing_day(F.col("read_at")).alias("day"), F.col("division_code")


def _with_coverage(inputs: Mapping[str, DataFrame], dataset: str, by_county: DataFrame, column: str) -> DataFrame:
    due = due_readings(inputs, BY_DATASET[dataset], days_of(inputs[dataset]))
    by_place = due.groupBy(*PLACE).agg(F.sum("due").alias("_due"))
    covered = coverage_pct(F.col("_received"), F.col("_due")).alias(column)
    return by_county.join(by_place, list(PLACE), "left").select("*", covered).drop("_received", "_due")


def _homes(inputs: Mapping[str, DataFrame], warm_c: float) -> DataFrame:
    """Homes by their mean of the day."""
    readings = with_plates(inputs[HOMES], register(inputs)).filter("room_temp_c IS NOT NULL")
    homes = readings.groupBy(*_county_days(), "device_id").agg(
        F.avg("room_temp_c").alias("_mean"), F.count_distinct("read_at").alias("_readings")
    )
    warm = F.sum((F.col("_mean") >= warm_c).cast("bigint"))
    by_county = homes.groupBy(*PLACE).agg(
        F.count("device_id").alias("homes_measured"),
        warm.alias("homes_warm"),
        F.round(100 * warm / F.count("device_id"), 2).alias("homes_warm_pct"),
        F.sum("_readings").alias("_received"),
    )
    return _with_coverage(inputs, HOMES, by_county, "home_coverage_pct")


def _share_lost(given: str, arrived: str) -> Column:
    """The part of what was given that did not arrive, in percent; negative where more arrived."""
    return F.round(100 * (F.col(given) - F.col(arrived)) / F.when(F.col(given) > 0, F.col(given)), 2)


def _lower(given: str, arrived: str) -> Column:
    """Of two coverages the lower one; the one that there is."""
    return F.least(F.col(f"_{given}_pct"), F.col(f"_{arrived}_pct"))
