"""Bronze → silver | quarantine: typed values, declared repairs, and the split by verdict."""

from jobs.conform.cast import TypedRows, typed
from jobs.conform.normalise import Repair
from jobs.conform.product import PLACE, product_columns, product_rows
from jobs.conform.publish import Publication, publish, silver_columns
from jobs.conform.split import evaluated_columns, failing_columns, key_column, staged_columns, value_columns
from jobs.contracts.names import FIRST_SENT, SENT_DATE

__all__ = [
    "FIRST_SENT",
    "PLACE",
    "SENT_DATE",
    "Publication",
    "Repair",
    "TypedRows",
    "evaluated_columns",
    "failing_columns",
    "key_column",
    "product_columns",
    "product_rows",
    "publish",
    "silver_columns",
    "staged_columns",
    "typed",
    "value_columns",
]
