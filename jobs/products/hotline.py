"""12345 hotline orders per day, county and category."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.products.beijing import beijing_day, current_divisions


def hotline_day(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """Orders by day of dispatch: how many, closed, on time, their mean handling time. The share counts closed ones."""
    orders = inputs["hotline_orders"]
    is_closed = (F.col("order_status") == "已办结") & F.col("closed_at").isNotNull()
    hours = (F.unix_seconds("closed_at") - F.unix_seconds("dispatched_at")) / 3600
    counted = orders.groupBy(beijing_day(F.col("dispatched_at")).alias("day"), "division_code", "category_major").agg(
        F.count(F.lit(1)).alias("order_count"),
        _count(is_closed).alias("closed_count"),
        _count(is_closed & (F.col("closed_at") <= F.col("promised_at"))).alias("on_time_count"),
        F.round(F.avg(F.when(is_closed, hours)), 2).alias("mean_handling_h"),
        _count(F.col("satisfaction") == "不满意").alias("dissatisfied_count"),
    )
    share = F.when(F.col("closed_count") > 0, F.round(100 * F.col("on_time_count") / F.col("closed_count"), 2))
    named = counted.join(current_divisions(inputs["divisions"]), "division_code", "left")
    return named.withColumn("on_time_share_pct", share)


def _count(condition: Column) -> Column:
    return F.count(F.when(condition, 1))
