"""Air quality per station and day: valid hours, means and AQI."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.products.aqi import daily_index, level
from jobs.products.beijing import BEIJING_OFFSET_S, DAY_S, beijing_day

VALID_HOURS = 20
VALID_HOURS_OF_8 = 6
VALID_O3_MEANS = 14
"""Fewest hours of a 24-hour mean, of an 8-hour mean, and fewest 8-hour means of a day (HJ 663-2013, table 1)."""

DAILY: Mapping[str, tuple[str, str, str, int]] = {
    "PM2.5": ("pm25_ug_m3", "valid_hours_pm25", "pm25_mean_ug_m3", 0),
    "PM10": ("pm10_ug_m3", "valid_hours_pm10", "pm10_mean_ug_m3", 0),
    "SO2": ("so2_ug_m3", "valid_hours_so2", "so2_mean_ug_m3", 0),
    "NO2": ("no2_ug_m3", "valid_hours_no2", "no2_mean_ug_m3", 0),
    "CO": ("co_mg_m3", "valid_hours_co", "co_mean_mg_m3", 1),
}
"""Pollutant → hourly field, count of valid hours, daily mean, decimals of the mean."""
STATION_DAY = ("device_id", "day")
MEANS = {**{name: mean for name, (_, _, mean, _) in DAILY.items()}, "O3": "o3_8h_max_ug_m3"}


def air_quality_day(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """One row per station and Beijing day; hour 24 belongs to the day that it ends. No AQI unless all six are valid.

    Where several pollutants share the highest index, the primary one is the first in the order of MEANS.
    """
    hours = _hours(inputs["air_quality_hourly"])
    days = hours.groupBy(*STATION_DAY).agg(F.max("device_name").alias("device_name"), *_daily_means())
    station_days = days.join(_ozone(hours), list(STATION_DAY), "left")
    station_days = station_days.withColumn("valid_windows_o3", F.coalesce("valid_windows_o3", F.lit(0)))
    divisions = inputs["devices"].select("device_id", "division_code").dropDuplicates(["device_id"])
    indexed = station_days.join(_indices(station_days), list(STATION_DAY), "left").join(divisions, "device_id", "left")
    return indexed.withColumn("air_level", level(F.col("aqi_day")))


def _hours(readings: DataFrame) -> DataFrame:
    """One row per station and hour, with the hour's number 1 to 24 in its day; flagged hours have no valid value."""
    is_valid = F.col("data_flag").isNull()
    fields = [*(field for field, _, _, _ in DAILY.values()), "o3_ug_m3"]
    values = [F.max(F.when(is_valid, F.col(field))).alias(field) for field in fields]
    hourly = readings.groupBy("device_id", "hour_end_at").agg(F.max("device_name").alias("device_name"), *values)
    last_second = F.timestamp_seconds(F.unix_seconds("hour_end_at") - 1)
    day_second = F.pmod(F.unix_seconds(last_second) + BEIJING_OFFSET_S, F.lit(DAY_S))
    return hourly.withColumn("day", beijing_day(last_second)).withColumn(
        "hour", (F.floor(day_second / 3600) + 1).cast("int")
    )


def _daily_means() -> list[Column]:
    means = []
    for field, count, mean, decimals in DAILY.values():
        enough = F.count(field) >= VALID_HOURS
        means += [F.count(field).alias(count), F.when(enough, F.round(F.avg(field), decimals)).alias(mean)]
    return means


def _ozone(hours: DataFrame) -> DataFrame:
    """Valid 8-hour means that end at hours 8 to 24, and the highest of them where there are enough.

    Each value counts in every mean that its hour belongs to, so a mean may end at an hour that is missing itself.
    """
    hour, ozone = F.col("hour"), F.col("o3_ug_m3")
    ends = F.explode(F.sequence(F.greatest(hour, F.lit(8)), F.least(hour + 7, F.lit(24)))).alias("end")
    spread = hours.filter(ozone.isNotNull()).select(*STATION_DAY, ozone, ends)
    means = spread.groupBy(*STATION_DAY, "end").agg(F.avg(ozone).alias("mean"), F.count(ozone).alias("hours"))
    valid = means.filter(F.col("hours") >= VALID_HOURS_OF_8)
    highest = F.when(F.count("mean") >= VALID_O3_MEANS, F.round(F.max("mean"), 0))
    return valid.groupBy(*STATION_DAY).agg(F.count("mean").alias("valid_windows_o3"), highest.alias("o3_8h_max_ug_m3"))


def _indices(means: DataFrame) -> DataFrame:
    """AQI and primary pollutant per station and day, from one row per pollutant."""
    indices = [
        F.struct(
            F.lit(-order).alias("order"), F.lit(name).alias("pollutant"), daily_index(F.col(mean), name).alias("index")
        )
        for order, (name, mean) in enumerate(MEANS.items())
    ]
    rows = means.select(*STATION_DAY, F.explode(F.array(*indices)).alias("of"))
    highest = F.max(F.struct("of.index", "of.order", "of.pollutant"))
    top_indices = rows.groupBy(*STATION_DAY).agg(highest.alias("top"), F.count("of.index").alias("valid"))
    aqi = F.when(F.col("valid") == len(MEANS), F.col("top.index"))
    primary = F.when((F.col("valid") == len(MEANS)) & (F.col("top.index") > 50), F.col("top.pollutant"))
    return top_indices.select(*STATION_DAY, aqi.alias("aqi_day"), primary.alias("primary_pollutant"))
