"""What goes into the networks of a county in a day, and what comes out: water, heat, gas; and homes that are warm enough."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.products.beijing import beijing_day, current_divisions
from jobs.products.telemetry import (
    BY_DATASET,
    coverage_pct,
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
    parts = [_flow(inputs, dataset, totals) for dataset, _, totals in FLOWS if dataset in inputs]
    parts += [_homes(inputs, warm_c)] if HOMES in inputs else []
    # One union and two aggregates: a join for each dataset needs more memory at once than a small engine has.
    by_dataset = reduce(DataFrame.unionByName, parts).join(_due(inputs), ["dataset_id", *PLACE], "left")
    by_county = by_dataset.groupBy(*PLACE).agg(*_columns())
    balanced = by_county.withColumns(
        {
            "water_gap_m3": F.round(F.col("water_supply_m3") - F.col("zone_inflow_m3"), 2),
            "water_gap_pct": _share_lost("water_supply_m3", "zone_inflow_m3"),
            "heat_loss_pct": _share_lost("heat_source_gj", "heat_supply_gj"),
            "gas_gap_pct": _share_lost("gas_gate_m3", "gas_supply_m3"),
            "homes_warm_pct": F.round(100 * F.col("homes_warm") / F.col("homes_measured"), 2),
            "water_coverage_pct": _lower("water_supply_m3", "zone_inflow_m3"),
            "heat_coverage_pct": _lower("heat_source_gj", "heat_supply_gj"),
            "gas_coverage_pct": _lower("gas_gate_m3", "gas_supply_m3"),
        }
    )
    return balanced.join(current_divisions(inputs["divisions"]), "division_code", "left")


def _columns() -> list[Column]:
    """The product's columns from the rows of its datasets."""

    def of(dataset: str, value: Column) -> Column:
        return F.max(F.when(F.col("dataset_id") == dataset, value))

    covered = coverage_pct(F.col("received"), F.col("due"))
    flows = [
        found.alias(name)
        for dataset, column, _ in FLOWS
        for found, name in ((of(dataset, F.col("amount")), column), (of(dataset, covered), f"_{column}_pct"))
    ]
    return [
        *flows,
        of(HOMES, F.col("amount")).cast("bigint").alias("homes_measured"),
        of(HOMES, F.col("warm")).alias("homes_warm"),
        of(HOMES, covered).alias("home_coverage_pct"),
    ]


def _due(inputs: Mapping[str, DataFrame]) -> DataFrame:
    return due_readings(inputs).groupBy("dataset_id", *PLACE).agg(F.sum("due").alias("due"))


def _flow(inputs: Mapping[str, DataFrame], dataset: str, totals: tuple[str, ...]) -> DataFrame:
    """What the devices of a county passed in a day."""
    readings = with_gains(with_plates(inputs[dataset], register(inputs)), BY_DATASET[dataset])
    gains = F.sum(gain(totals[0]))
    for subtracted in totals[1:]:
        gains = gains - F.coalesce(F.sum(gain(subtracted)), F.lit(0.0))
    return readings.groupBy(*_county_days()).agg(
        F.lit(dataset).alias("dataset_id"),
        F.round(gains, 2).alias("amount"),
        F.lit(None).cast("bigint").alias("warm"),
        F.count("read_at").alias("received"),
    )


def _county_days() -> tuple[Column, Column]:
    return beijing_day(F.col("read_at")).alias("day"), F.col("division_code")


def _homes(inputs: Mapping[str, DataFrame], warm_c: float) -> DataFrame:
    """Homes by their mean of the day."""
    readings = with_plates(inputs[HOMES], register(inputs)).filter("room_temp_c IS NOT NULL")
    homes = readings.groupBy(*_county_days(), "device_id").agg(
        F.avg("room_temp_c").alias("_mean"), F.count("read_at").alias("_readings")
    )
    return homes.groupBy(*PLACE).agg(
        F.lit(HOMES).alias("dataset_id"),
        F.count("device_id").cast("double").alias("amount"),
        F.sum((F.col("_mean") >= warm_c).cast("bigint")).alias("warm"),
        F.sum("_readings").alias("received"),
    )


def _share_lost(given: str, arrived: str) -> Column:
    """The part of what was given that did not arrive, in percent; negative where more arrived."""
    return F.round(100 * (F.col(given) - F.col(arrived)) / F.when(F.col(given) > 0, F.col(given)), 2)


def _lower(given: str, arrived: str) -> Column:
    """Of two coverages the lower one; the one that there is."""
    return F.least(F.col(f"_{given}_pct"), F.col(f"_{arrived}_pct"))
