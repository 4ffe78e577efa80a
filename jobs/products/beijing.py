"""Days and names of the city: Beijing days of UTC moments, division names in force."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

BEIJING_OFFSET_S = 8 * 3600
DAY_S = 24 * 3600


def beijing_day(moment: Column) -> Column:
    """The calendar day in Beijing of a timestamp, in any session time zone (no clock change since 1991)."""
    return F.date_from_unix_date(F.floor((F.unix_seconds(moment) + BEIJING_OFFSET_S) / DAY_S).cast("int"))


def current_divisions(divisions: DataFrame) -> DataFrame:
    """Code and name of the divisions in force; one row per code."""
    in_force = divisions.filter(F.col("code_valid_to").isNull())
    return in_force.groupBy("division_code").agg(F.max("division_name").alias("division_name"))
