"""Silver → gold: pure functions of DataFrames, by builder name.

A builder takes the silver tables of its contract's inputs by dataset id, and the contract's parameters by name; it returns
the contract's fields. Only native
column expressions, so that it runs over Spark Connect; it never asks the clock.
"""

from collections.abc import Callable, Mapping

from pyspark.sql import DataFrame

from jobs.products.air_quality import air_quality_day
from jobs.products.balances import utility_balance_day
from jobs.products.enterprises import enterprise_master
from jobs.products.hotline import hotline_day
from jobs.products.summaries import telemetry_summary
from jobs.products.supply_sales import supply_sales_month
from jobs.products.utilities import utility_day_by_county
from jobs.products.zones import water_zone_day

Builder = Callable[..., DataFrame]

BUILDERS: Mapping[str, Builder] = {
    "air_quality_day": air_quality_day,
    "enterprise_master": enterprise_master,
    "hotline_day": hotline_day,
    "utility_day_by_county": utility_day_by_county,
    "supply_sales_month": supply_sales_month,
    "telemetry_summary": telemetry_summary,
    "utility_balance_day": utility_balance_day,
    "water_zone_day": water_zone_day,
}

__all__ = ["BUILDERS", "Builder"]
