"""Bronze → silver | quarantine: typed values, declared repairs, and the split by verdict."""

from jobs.conform.cast import Repair, typed
from jobs.conform.product import PLACE, product_columns, product_rows
from jobs.conform.publish import Publication, publish, silver_columns
from jobs.conform.split import FIRST_SENT, SENT_DATE, key_column, value_columns

__all__ = [
    "FIRST_SENT",
    "PLACE",
    "SENT_DATE",
    "Publication",
    "Repair",
    "key_column",
    "product_columns",
    "product_rows",
    "publish",
    "silver_columns",
    "typed",
    "value_columns",
]
