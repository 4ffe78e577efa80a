"""Readings of all utilities summed up by period and place, each figure with the share of readings that it rests on."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.products.beijing import DAY_S, beijing_day
from jobs.products.telemetry import (
    TELEMETRY,
    Telemetry,
    coverage_pct,
    due_readings,
    gain,
    period_start,
    register,
    with_gains,
    with_plates,
)

SHORTEST_S, PERIODS_S = 300, (300, 3600, DAY_S)
FINE_LEVELS = ("device", "zone")
"""Places that have periods shorter than an hour."""
BUCKET = ("dataset_id", "field_name", "period_s", "period_start_at", "day")
PLACE = ("place_level", "place_code")
PLATE_PLACE = ("device_id", "division_code", "township_code", "metering_zone", "interval_s")


def telemetry_summary(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """One row per place, period and field in which any reading came.

    Mean over all readings; `value_sum` adds the devices' means, which says something of flows and rates.
    """
    present = [one for one in TELEMETRY if one.dataset in inputs]
    by_device = reduce(DataFrame.unionByName, [_by_device(one, inputs) for one in present])
    figures = (
        _by_place(by_device)
        .groupBy(*PLACE, *BUCKET)
        .agg(
            F.sum("n").alias("readings_received"),
            F.round(F.sum("total") / F.sum("n"), 4).alias("value_mean"),
            F.min("low").alias("value_min"),
            F.max("high").alias("value_max"),
            F.round(F.sum(F.col("total") / F.col("n")), 4).alias("value_sum"),
            F.round(F.sum("gain"), 4).alias("value_growth"),
        )
    )
    joined = figures.join(_due(inputs), ["dataset_id", *PLACE, "period_s", "day"], "left")
    return joined.withColumns(
        {
            "period_end_at": F.timestamp_seconds(F.unix_seconds("period_start_at") + F.col("period_s")),
            "coverage_pct": coverage_pct(F.col("readings_received"), F.col("readings_due")),
        }
    )


def _by_device(telemetry: Telemetry, inputs: Mapping[str, DataFrame]) -> DataFrame:
    """Sums of each device, field and period."""
    readings = with_plates(inputs[telemetry.dataset], register(inputs))
    # The longer periods are made from the shortest, so that readings are gone through once.
    shortest = _summed(_by_field(telemetry, readings), F.lit(SHORTEST_S), "read_at")
    lengths = F.explode(F.array(*(F.lit(length).cast("bigint") for length in PERIODS_S)))
    by_length = shortest.withColumn("period_s", lengths).filter(F.col("period_s") >= F.coalesce("interval_s", F.lit(0)))
    return _summed(by_length, F.col("period_s"), "period_start_at", "period_s").withColumns(
        {"dataset_id": F.lit(telemetry.dataset), "day": beijing_day(F.col("period_start_at"))}
    )


def _by_field(telemetry: Telemetry, readings: DataFrame) -> DataFrame:
    """One row for each value of a reading."""
    fields = [_field(name, F.lit(None).cast("double")) for name in telemetry.values]
    fields += [_field(name, F.col(gain(name))) for name in telemetry.totals]
    long = with_gains(readings, telemetry).select(*PLATE_PLACE, "read_at", F.explode(F.array(*fields)).alias("one"))
    return long.filter("one.value IS NOT NULL").select(
        *PLATE_PLACE,
        "read_at",
        F.col("one.field").alias("field_name"),
        F.lit(1).alias("n"),
        F.col("one.value").alias("total"),
        F.col("one.value").alias("low"),
        F.col("one.value").alias("high"),
        F.col("one.gain").alias("gain"),
    )


def _field(name: str, gained: Column) -> Column:
    return F.struct(F.lit(name).alias("field"), F.col(name).cast("double").alias("value"), gained.alias("gain"))


def _summed(rows: DataFrame, length: Column, at: str, *by: str) -> DataFrame:
    """Sums by device, field and the period of `at`."""
    started = rows.withColumn("_start", period_start(F.col(at), length))
    return (
        started.groupBy(*PLATE_PLACE, "field_name", *by, "_start")
        .agg(
            F.sum("n").alias("n"),
            F.sum("total").alias("total"),
            F.min("low").alias("low"),
            F.max("high").alias("high"),
            F.sum("gain").alias("gain"),
        )
        .withColumnRenamed("_start", "period_start_at")
    )


def _by_place(rows: DataFrame) -> DataFrame:
    """Each row once for every place that it belongs to."""
    city = F.concat(F.substring("division_code", 1, 4), F.lit("00"))
    places = {"device": F.col("device_id"), "zone": F.col("metering_zone"), "township": F.col("township_code"),
              "county": F.col("division_code"), "city": city}  # fmt: skip
    pairs = [F.struct(F.lit(level).alias("place_level"), code.alias("place_code")) for level, code in places.items()]
    exploded = (
        rows.withColumn("place", F.explode(F.array(*pairs))).select("*", "place.*").filter("place_code IS NOT NULL")
    )
    return exploded.filter((F.col("period_s") > SHORTEST_S) | F.col("place_level").isin(*FINE_LEVELS))


def _due(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """Readings due by place, period and day, from devices that read at least once in the period."""
    lengths = F.explode(F.array(*(F.lit(length).cast("bigint") for length in PERIODS_S)))
    by_length = due_readings(inputs).withColumn("period_s", lengths).filter(F.col("period_s") >= F.col("interval_s"))
    due = F.sum(F.floor(F.col("period_s") / F.col("interval_s")))
    return (
        _by_place(by_length)
        .groupBy("dataset_id", *PLACE, "period_s", "day")
        .agg(due.cast("bigint").alias("readings_due"))
    )
