"""Rows of a product in the shape that rules and the gold table need."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.contracts import SENT, Contract, text_column
from jobs.lake.table_schema import ColumnSpec, column_specs

PLACE = ("_file", "_row")


def product_rows(rows: DataFrame, contract: Contract) -> DataFrame:
    """A builder's rows with the contract's types, and the columns that evaluation expects."""
    values = [F.col(f.name).cast(f.spark_type()).alias(f.name) for f in contract.fields]
    texts = [F.col(f.name).cast("string").alias(text_column(f)) for f in contract.fields if text_column(f) != f.name]
    sent = [F.col(f.name).cast("string").alias(SENT + f.name) for f in contract.fields]
    row = F.monotonically_increasing_id().alias("_row")
    return rows.select(F.lit(contract.id).alias("_file"), row, *sent, *texts, *values)


def product_columns(contract: Contract) -> list[ColumnSpec]:
    """Columns of a gold table with Chinese comments and units."""
    return column_specs(contract.fields)
