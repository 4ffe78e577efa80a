"""Bronze → silver | quarantine: typed values, declared repairs, and the split by verdict."""

from jobs.conform.cast import Repair, typed
from jobs.conform.publish import Publication, publish, silver_columns
from jobs.conform.split import value_columns

__all__ = ["Publication", "Repair", "publish", "silver_columns", "typed", "value_columns"]
