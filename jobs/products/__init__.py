"""Silver → gold: pure functions of DataFrames, by builder name.

A builder takes the silver tables of its contract's inputs by dataset id and returns the contract's fields. Only native
column expressions, so that it runs over Spark Connect; it never asks the clock.
"""

from collections.abc import Callable, Mapping

from pyspark.sql import DataFrame

from jobs.products.air_quality import air_quality_day
from jobs.products.enterprises import enterprise_master
from jobs.products.hotline import hotline_day
from jobs.products.utilities import utility_day_by_county
from jobs.products.water_hours import water_plant_hour

Builder = Callable[[Mapping[str, DataFrame]], DataFrame]

BUILDERS: Mapping[str, Builder] = {
    "air_quality_day": air_quality_day,
    "enterprise_master": enterprise_master,
    "hotline_day": hotline_day,
    "utility_day_by_county": utility_day_by_county,
    "water_plant_hour": water_plant_hour,
}

__all__ = ["BUILDERS", "Builder"]
