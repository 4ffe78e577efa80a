"""One row per enterprise: its registration with counts and latest of permits and penalties."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.products.beijing import current_divisions

REGISTRATION_FIELDS = (
    "uscc",
    "enterprise_name",
    "enterprise_type",
    "industry_code",
    "enterprise_status",
    "division_code",
    "established_date",
    "registered_capital_wan",
)


def enterprise_master(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """Registered enterprises with their permits and penalties, as of the latest decision or approval in the data."""
    registered = inputs["enterprise_registration"]
    as_of = _as_of(inputs)
    permits = _permits(inputs["admin_permits"].crossJoin(F.broadcast(as_of)))
    enterprises = (
        registered.select(*REGISTRATION_FIELDS)
        .crossJoin(F.broadcast(as_of))
        .join(current_divisions(inputs["divisions"]), "division_code", "left")
        .join(permits, "uscc", "left")
        .join(_penalties(inputs["admin_penalties"]), "uscc", "left")
    )
    for count in ("permit_count", "valid_permit_count", "penalty_count"):
        enterprises = enterprises.withColumn(count, F.coalesce(F.col(count), F.lit(0)))
    return enterprises.withColumn("licence_state", _licence_state())


def _as_of(inputs: Mapping[str, DataFrame]) -> DataFrame:
    days = inputs["enterprise_registration"].select(F.col("approved_date").alias("known"))
    for decisions in ("admin_permits", "admin_penalties"):
        days = days.unionByName(inputs[decisions].select(F.col("decided_date").alias("known")))
    return days.agg(F.max("known").alias("as_of_date"))


def _permits(permits: DataFrame) -> DataFrame:
    is_open = F.col("valid_to").isNull() | (F.col("valid_to") >= F.col("as_of_date"))
    is_valid = (F.col("permit_status") == "1") & is_open & (F.col("valid_from") <= F.col("as_of_date"))
    return permits.groupBy("uscc").agg(
        F.count(F.lit(1)).alias("permit_count"),
        F.count(F.when(is_valid, 1)).alias("valid_permit_count"),
        F.max("decided_date").alias("latest_permit_date"),
        F.max("valid_to").alias("permits_valid_to"),
    )


def _penalties(penalties: DataFrame) -> DataFrame:
    return penalties.groupBy("uscc").agg(
        F.count(F.lit(1)).alias("penalty_count"),
        F.max("decided_date").alias("latest_penalty_date"),
        F.sum("fine_wan").alias("fine_total_wan"),
    )


def _licence_state() -> Column:
    has_none = F.col("permit_count") == 0
    return F.when(has_none, "none").when(F.col("valid_permit_count") > 0, "valid").otherwise("expired")
