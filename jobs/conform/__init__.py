"""Bronze → silver | quarantine: typed values, declared repairs, and the split by verdict."""

from jobs.conform.cast import Repair, typed
from jobs.conform.product import PLACE, product_columns, product_rows
from jobs.conform.publish import Publication, publish, silver_columns
from jobs.conform.split import evaluated_columns, key_column, sent_columns, value_columns
from jobs.contracts.names import FIRST_SENT, SENT_DATE

__all__ = [
    "FIRST_SENT",
    "PLACE",
    "SENT_DATE",
    "Publication",
    "Repair",
    "evaluated_columns",
    "key_column",
    "product_columns",
    "product_rows",
    "publish",
    "sent_columns",
    "silver_columns",
    "typed",
    "value_columns",
]
