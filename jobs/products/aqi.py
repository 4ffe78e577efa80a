"""Air quality indices of HJ 633-2012, as native column expressions."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from pyspark.sql import Column
from pyspark.sql import functions as F

INDEX_STEPS = (0, 50, 100, 150, 200, 300, 400, 500)
DAILY_STEPS: Mapping[str, Sequence[float]] = {
    "PM2.5": (0, 35, 75, 115, 150, 250, 350, 500),
    "PM10": (0, 50, 150, 250, 350, 420, 500, 600),
    "SO2": (0, 50, 150, 475, 800, 1600, 2100, 2620),
    "NO2": (0, 40, 80, 180, 280, 565, 750, 940),
    "CO": (0, 2, 4, 14, 24, 36, 48, 60),
    "O3": (0, 100, 160, 215, 265, 800),
}
"""Concentrations of table 1 where the index takes INDEX_STEPS: 24-hour means, and the 8-hour mean of O3 (to 800)."""
LEVELS = ((50, "1"), (100, "2"), (150, "3"), (200, "4"), (300, "5"))


def daily_index(concentration: Column, pollutant: str) -> Column:
    """The IAQI, rounded up (HJ 633-2012, 4.2); beyond the table the index of its last step, null without a value."""
    steps = DAILY_STEPS[pollutant]
    index = F.when(concentration.isNull(), F.lit(None).cast("int"))
    for (low, high), (low_index, high_index) in zip(pairwise(steps), pairwise(INDEX_STEPS[: len(steps)]), strict=True):
        exact = (high_index - low_index) / (high - low) * (concentration - low) + low_index
        index = index.when(concentration <= high, F.ceil(F.round(exact, 6)).cast("int"))
    return index.otherwise(F.lit(INDEX_STEPS[len(steps) - 1]))


def level(aqi: Column) -> Column:
    """The level 1 to 6 of an AQI as text (HJ 633-2012 table 2); null without an AQI."""
    level_name = F.when(aqi.isNull(), F.lit(None).cast("string"))
    for highest, name in LEVELS:
        level_name = level_name.when(aqi <= highest, F.lit(name))
    return level_name.otherwise(F.lit("6"))
