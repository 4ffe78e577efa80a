"""Air quality a station and day: valid hours, means and AQI."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from jobs.products.aqi import daily_index, level
from jobs.products.beijing import BEIJING_OFFSET_S, DAY_S, beijing_day

VALID_HOURS = 20
VALID_HOURS_OF_8 = 6
VALID_O3_MEANS = 14
"""Least hours of a 24-hour mean, of an 8-hour mean, and least 8-hour means of a day (HJ 663-2013, table 1)."""

DAILY: Mapping[str, tuple[str, str, str, int]] = {
    "PM2.5": ("pm25_ug_m3", "valid_hours_pm25", "pm25_mean_ug_m3", 0),
    "PM10": ("pm10_ug_m3", "valid_hours_pm10", "pm10_mean_ug_m3", 0),
    "SO2": ("so2_ug_m3", "valid_hours_so2", "so2_mean_ug_m3", 0),
    "NO2": ("no2_ug_m3", "valid_hours_no2", "no2_mean_ug_m3", 0),
    "CO": ("co_mg_m3", "valid_hours_co", "co_mean_mg_m3", 1),
}
"""Pollutant → hourly field, count of valid hours, daily mean, decimals of the mean."""
MEANS = {**{name: mean for name, (_, _, mean, _) in DAILY.items()}, "O3": "o3_8h_max_ug_m3"}


def air_quality_day(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """One row a station and Beijing day; hour 24 belongs to the day that it ends. No AQI unless all six are valid.

    Where several pollutants share the highest index, the primary one is the first in the order of MEANS.
    """
    hours = _hours(inputs["air_quality_hourly"])
    days = hours.groupBy("device_id", "day").agg(F.max("device_name").alias("device_name"), *_daily_means())
    made = days.join(_ozone(hours), ["device_id", "day"], "left")
    made = made.withColumn("valid_windows_o3", F.coalesce("valid_windows_o3", F.lit(0)))
    indices = {name: daily_index(F.col(mean), name) for name, mean in MEANS.items()}
    made = made.withColumn("aqi_day", _highest(indices))
    made = made.withColumn("primary_pollutant", _primary(indices)).withColumn("air_level", level(F.col("aqi_day")))
    places = inputs["devices"].select("device_id", "division_code").dropDuplicates(["device_id"])
    return made.join(places, "device_id", "left")


def _hours(readings: DataFrame) -> DataFrame:
    """One row a station and hour, with the hour's number 1 to 24 in its day; flagged hours have no valid value."""
    is_valid = F.col("data_flag").isNull()
    fields = [*(field for field, _, _, _ in DAILY.values()), "o3_ug_m3"]
    values = [F.max(F.when(is_valid, F.col(field))).alias(field) for field in fields]
    hourly = readings.groupBy("device_id", "hour_end_at").agg(F.max("device_name").alias("device_name"), *values)
    last_second = F.timestamp_seconds(F.unix_seconds("hour_end_at") - 1)
    day_second = F.pmod(F.unix_seconds(last_second) + BEIJING_OFFSET_S, F.lit(DAY_S))
    return hourly.withColumn("day", beijing_day(last_second)).withColumn("hour", F.floor(day_second / 3600) + 1)


def _daily_means() -> list[Column]:
    made = []
    for field, count, mean, decimals in DAILY.values():
        enough = F.count(field) >= VALID_HOURS
        made += [F.count(field).alias(count), F.when(enough, F.round(F.avg(field), decimals)).alias(mean)]
    return made


def _ozone(hours: DataFrame) -> DataFrame:
    """Valid 8-hour means that end at hours 8 to 24, and the highest of them where there are enough."""
    last_8 = Window.partitionBy("device_id", "day").orderBy("hour").rangeBetween(-7, 0)
    ozone = F.col("o3_ug_m3")
    is_valid = F.count(ozone).over(last_8) >= VALID_HOURS_OF_8
    means = hours.withColumn("_mean", F.when(is_valid, F.avg(ozone).over(last_8))).filter(F.col("hour") >= 8)
    highest = F.when(F.count("_mean") >= VALID_O3_MEANS, F.round(F.max("_mean"), 0))
    return means.groupBy("device_id", "day").agg(
        F.count("_mean").alias("valid_windows_o3"), highest.alias("o3_8h_max_ug_m3")
    )


def _highest(indices: Mapping[str, Column]) -> Column:
    all_valid = reduce(Column.__and__, (index.isNotNull() for index in indices.values()))
    return F.when(all_valid, F.greatest(*indices.values()))


def _primary(indices: Mapping[str, Column]) -> Column:
    of_the_highest = [F.when(index == F.col("aqi_day"), F.lit(name)) for name, index in indices.items()]
    return F.when(F.col("aqi_day") > 50, F.coalesce(*of_the_highest))
