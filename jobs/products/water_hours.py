"""Water plants per hour: supply, flow, pressure and quality, with the share of readings that arrived."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

HOUR_S = 3600
NEAR_THE_TOP = 0.9
"""A total that falls from beyond this share of its dial has rolled over; any other fall is another meter, or a fault."""
HOUR = ("device_id", "hour_start_at")


def water_plant_hour(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """One row per plant and hour in which any reading came; due readings are those of the register's interval."""
    register = inputs["devices"].select("device_id", "division_code", "interval_s", "dial_digits")
    readings = inputs["water_plant_minutes"].join(register.dropDuplicates(["device_id"]), "device_id", "left")
    stepped = readings.withColumn("_step", _step()).withColumn("hour_start_at", _hour(F.col("read_at")))
    hours = stepped.groupBy(*HOUR).agg(
        F.max("division_code").alias("division_code"),
        F.count_distinct("read_at").alias("readings_received"),
        F.max(F.floor(HOUR_S / F.col("interval_s"))).alias("readings_due"),
        F.round(F.sum("_step"), 2).alias("hour_supply_m3"),
        F.round(F.avg("out_flow_m3_h"), 2).alias("hour_flow_mean_m3_h"),
        F.min("out_flow_m3_h").alias("hour_flow_min_m3_h"),
        F.round(F.avg("out_pressure_mpa"), 4).alias("hour_pressure_mean_mpa"),
        F.round(F.max("out_pressure_mpa") - F.min("out_pressure_mpa"), 4).alias("hour_pressure_spread_mpa"),
        F.max("out_turbidity_ntu").alias("water_turbidity_max_ntu"),
        F.min("free_chlorine_mg_l").alias("hour_chlorine_min_mg_l"),
    )
    received = F.least(F.col("readings_received"), F.col("readings_due"))
    return hours.withColumn("water_coverage_pct", F.round(100 * received / F.col("readings_due"), 2))


def _hour(moment: Column) -> Column:
    """The hour's begin; the same in UTC and in Beijing."""
    return F.timestamp_seconds(F.floor(F.unix_seconds(moment) / HOUR_S) * HOUR_S)


def _step() -> Column:
    """What the total gained since the plant's last reading that has one."""
    total, top = F.col("out_total_m3"), F.pow(F.lit(10.0), F.col("dial_digits"))
    prior = F.last(total, ignorenulls=True).over(
        Window.partitionBy("device_id").orderBy("read_at").rowsBetween(Window.unboundedPreceding, -1)
    )
    rolled = (total < prior) & (prior >= top * NEAR_THE_TOP)
    return F.when(total >= prior, total - prior).when(rolled, total + top - prior)
