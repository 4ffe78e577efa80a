"""Metering zones of the water network by day: inflow, night minimum and what it says of leaks."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.products.beijing import BEIJING_OFFSET_S, beijing_day
from jobs.products.telemetry import (
    BY_DATASET,
    coverage_pct,
    due_readings,
    gain,
    period_start,
    register,
    with_gains,
    with_plates,
)

DATASET, ZONE_DAY, QUARTER_S = "water_network_readings", ("metering_zone", "day"), 900
LEAST_DAYS = 3
"""Days of history without which nothing is said of a zone's usual night flow."""


def water_zone_day(
    inputs: Mapping[str, DataFrame],
    night_from_h: float = 2,
    night_until_h: float = 4,
    history_d: float = 14,
    suspicious_ratio: float = 1.3,
) -> DataFrame:
    """One row per zone and day in which any reading came; a zone's flow is the sum of its points'."""
    readings = with_plates(inputs[DATASET], register(inputs)).filter("metering_zone IS NOT NULL")
    stepped = with_gains(readings, BY_DATASET[DATASET])
    days = (
        stepped.withColumn("day", beijing_day(F.col("read_at")))
        .groupBy(*ZONE_DAY)
        .agg(
            F.max("division_code").alias("division_code"),
            F.round(F.sum(gain("forward_total_m3")) - F.coalesce(F.sum(gain("reverse_total_m3")), F.lit(0.0)), 2).alias(
                "zone_inflow_m3"
            ),
            F.round(F.avg("network_pressure_mpa"), 4).alias("zone_pressure_mean_mpa"),
            F.round(F.max("network_pressure_mpa") - F.min("network_pressure_mpa"), 4).alias("zone_pressure_spread_mpa"),
            F.count("read_at").alias("_received"),
        )
    )
    joined = days.join(_flows(readings, night_from_h, night_until_h), list(ZONE_DAY), "left")
    zone_due = due_readings(inputs).filter(F.col("dataset_id") == DATASET)
    due = zone_due.groupBy(*ZONE_DAY).agg(F.sum("due").alias("_due"))
    covered = joined.join(due, list(ZONE_DAY), "left")
    return _against_usual(covered, int(history_d), suspicious_ratio).withColumn(
        "water_coverage_pct", coverage_pct(F.col("_received"), F.col("_due"))
    )


def _flows(readings: DataFrame, night_from_h: float, night_until_h: float) -> DataFrame:
    """Mean of the day and minimum of the night, of the zone's flow by the quarter of an hour."""
    by_point = readings.groupBy(
        "metering_zone", "device_id", period_start(F.col("read_at"), QUARTER_S).alias("at")
    ).agg(F.avg("network_flow_m3_h").alias("_flow"))
    by_quarter = by_point.groupBy("metering_zone", "at").agg(F.sum("_flow").alias("_flow"))
    hour = F.pmod((F.unix_seconds("at") + BEIJING_OFFSET_S) / 3600, F.lit(24.0))
    at_night = (hour >= night_from_h) & (hour < night_until_h)
    return by_quarter.groupBy("metering_zone", beijing_day(F.col("at")).alias("day")).agg(
        F.round(F.avg("_flow"), 2).alias("zone_flow_mean_m3_h"),
        F.round(F.min(F.when(at_night, F.col("_flow"))), 2).alias("night_flow_min_m3_h"),
    )


def _against_usual(days: DataFrame, history_d: int, suspicious_ratio: float) -> DataFrame:
    """Adds the median of the preceding nights' minimum flows, and the comparison with it."""
    number = F.unix_date("day")
    before = Window.partitionBy("metering_zone").orderBy(number).rangeBetween(-history_d, -1)
    night = F.col("night_flow_min_m3_h")
    known = days.withColumn("_nights", F.array_sort(F.collect_list(night).over(before)))
    usual = F.when(F.size("_nights") >= LEAST_DAYS, F.round(_median("_nights"), 2))
    return known.withColumn("night_flow_usual_m3_h", usual).withColumns(
        {
            "night_flow_share_pct": F.round(
                100 * night / F.when(F.col("zone_flow_mean_m3_h") > 0, F.col("zone_flow_mean_m3_h")), 2
            ),
            "leak_suspected": night > F.col("night_flow_usual_m3_h") * suspicious_ratio,
        }
    )


def _median(ordered: str) -> Column:
    """Of a column of ordered lists; Spark's own median takes no window with an order."""
    size = F.size(ordered)
    low, high = F.floor((size + 1) / 2).cast("int"), F.floor(size / 2).cast("int") + 1
    return (F.element_at(ordered, low) + F.element_at(ordered, high)) / 2
