"""Water and gas: the supply of a county's plants and gas gates in a month, compared with the volume billed for that month."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.products.beijing import DAY_S, beijing_day, current_divisions
from jobs.products.telemetry import (
    BY_DATASET,
    IN_SERVICE,
    coverage_pct,
    gain,
    register,
    span_s,
    with_gains,
    with_plates,
)

SIDES = (
    ("water", "water_plant_minutes", "out_total_m3", "water_bills"),
    ("gas", "gas_gate_readings", "std_total_m3", "gas_bills"),
)
"""Kind of the utility, readings of the supply, their total, and bills."""
KEY = ("month", "division_code", "utility_kind")
VOID = "作废"


def supply_sales_month(
    inputs: Mapping[str, DataFrame], min_coverage_pct: float = 99.0, min_accounts: float = 1
) -> DataFrame:
    """One row per county, month and utility that has readings or bills; a gap only where the whole month was measured.

    Bills of fewer than `min_accounts` accounts are not summed up: the sum would be known to be that of few households.
    """
    supplies = [_supply(inputs, kind, readings, total) for kind, readings, total, _ in SIDES if readings in inputs]
    sales = [_sales(inputs[bills], kind, min_accounts) for kind, _, _, bills in SIDES if bills in inputs]
    by_county = reduce(DataFrame.unionByName, [*supplies, *sales]).groupBy(*KEY).agg(*_columns())
    given, sold = F.col("month_supply_m3"), F.col("sold_volume_m3")
    gap = F.when(F.col("supply_coverage_pct") >= min_coverage_pct, F.round(given - sold, 2))
    compared = by_county.withColumn("supply_gap_m3", gap).withColumns(
        {
            "supply_gap_pct": F.round(100 * F.col("supply_gap_m3") / F.when(given > 0, given), 2),
            "month_days": F.day(F.last_day("month")).cast("bigint"),
        }
    )
    return compared.join(current_divisions(inputs["divisions"]), "division_code", "left")


def _columns() -> list[Column]:
    """The product's columns from the rows of supply and of sales, of which each has nulls for the other."""
    return [
        F.max("month_supply_m3").alias("month_supply_m3"),
        F.coalesce(F.max("supply_days"), F.lit(0)).cast("bigint").alias("supply_days"),
        F.max("supply_coverage_pct").alias("supply_coverage_pct"),
        F.max("sold_volume_m3").alias("sold_volume_m3"),
        F.when(F.max("_is_billed"), F.max("bill_count")).otherwise(F.lit(0)).cast("bigint").alias("bill_count"),
    ]


def _month(day: Column) -> Column:
    return F.trunc(day, "month")


def _supply(inputs: Mapping[str, DataFrame], kind: str, dataset: str, total: str) -> DataFrame:
    """Gains of a county's devices in a month, and the coverage of the device that was measured least."""
    telemetry = BY_DATASET[dataset]
    readings = with_gains(with_plates(inputs[dataset], register(inputs)), telemetry)
    day = beijing_day(F.col("read_at"))
    by_device = readings.groupBy("device_id", "division_code", _month(day).alias("month")).agg(
        F.sum(gain(total)).alias("_gain"),
        F.sum(span_s(total)).alias("_measured_s"),
        F.collect_set(F.when(F.col(gain(total)).isNotNull(), day)).alias("_days"),
    )
    covered = by_device.join(_due(inputs, telemetry.device_type, by_device), ["device_id", "month"], "full_outer")
    return (
        covered.withColumn("division_code", F.coalesce("division_code", "_division"))
        .filter("division_code IS NOT NULL")
        .groupBy("month", "division_code")
        .agg(
            F.lit(kind).alias("utility_kind"),
            F.round(F.sum("_gain"), 2).alias("month_supply_m3"),
            F.size(F.array_distinct(F.flatten(F.collect_list("_days")))).alias("supply_days"),
            F.min(coverage_pct(F.coalesce("_measured_s", F.lit(0)), F.col("_due_s"))).alias("supply_coverage_pct"),
            F.lit(None).cast("double").alias("sold_volume_m3"),
            F.lit(None).cast("bigint").alias("bill_count"),
            F.lit(False).alias("_is_billed"),
        )
    )


def _due(inputs: Mapping[str, DataFrame], device_type: str, by_device: DataFrame) -> DataFrame:
    """Seconds of each month of any reading in which a device was in place, from its installation to its removal.

    Of devices in service, and of others in months in which they sent: that they stopped shall not hide what is missing.
    """
    sent = by_device.select("device_id", "month", F.lit(True).alias("_sent"))
    months = F.broadcast(by_device.select("month").distinct())
    devices = register(inputs).filter(F.col("device_type") == device_type).crossJoin(months)
    removed = F.col("removed_date")
    days = F.datediff(F.least(F.last_day("month"), removed), F.greatest("month", "installed_date")) + 1
    in_place = (F.col("device_status") == IN_SERVICE) | (removed >= F.col("month")) | F.col("_sent")
    return (
        devices.join(sent, ["device_id", "month"], "left")
        .filter(in_place & (days > 0))
        .select("device_id", "month", F.col("division_code").alias("_division"), (days * DAY_S).alias("_due_s"))
    )


def _sales(bills: DataFrame, kind: str, min_accounts: float) -> DataFrame:
    """Billed volumes of a county by month, without void bills; null where they are those of too few accounts."""
    is_enough = F.count_distinct("account_no") >= min_accounts
    return (
        bills.filter(F.col("bill_status") != VOID)
        .groupBy(_month(F.col("billing_month")).alias("month"), "division_code")
        .agg(
            F.lit(kind).alias("utility_kind"),
            F.lit(None).cast("double").alias("month_supply_m3"),
            F.lit(None).cast("int").alias("supply_days"),
            F.lit(None).cast("double").alias("supply_coverage_pct"),
            F.when(is_enough, F.round(F.sum("billed_volume_m3"), 2)).alias("sold_volume_m3"),
            F.when(is_enough, F.count(F.lit(1))).alias("bill_count"),
            F.lit(True).alias("_is_billed"),
        )
    )
