"""The lineage of a product as the engine plans it: the transform is analysed over empty inputs, and nothing runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame, SparkSession

from jobs.contracts import Contract, Registry
from jobs.errors import UserError
from jobs.products import BUILDERS
from jobs.products.plan_lineage import Lineage, lineage

FIELDS_SHOWN = "spark.sql.debug.maxToStringFields"
ALL_FIELDS = "100000"


def planned_lineage(spark: SparkSession, registry: Registry, product: str) -> Lineage:
    """The lineage of the product's columns, from its transform over all its inputs; UserError for what is no product."""
    contract = registry.contract(product)
    if contract.product is None:
        raise UserError(f"'{product}' is not a product / {product} 不是产品")
    inputs = {name: _empty(spark, registry.contract(name)) for name in contract.product.inputs}
    frame = BUILDERS[contract.product.builder](inputs, **contract.product.parameters)
    with _all_fields_shown(spark):
        return lineage(frame._explain_string(extended=True))


def _empty(spark: SparkSession, contract: Contract) -> DataFrame:
    """A dataset's silver table without rows, by whose alias the plan names it."""
    columns = ", ".join(f"{field.name} {field.spark_type()}" for field in contract.fields)
    return spark.createDataFrame([], columns).alias(contract.id)


@contextmanager
def _all_fields_shown(spark: SparkSession) -> Iterator[None]:
    """Plans without an ellipsis for what is longer than 25 fields."""
    before = spark.conf.get(FIELDS_SHOWN)
    spark.conf.set(FIELDS_SHOWN, ALL_FIELDS)
    try:
        yield
    finally:
        spark.conf.set(FIELDS_SHOWN, before or "25")
