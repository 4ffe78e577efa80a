"""A delivery's bronze rows with the types of its contract."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.conform import Repair, typed
from jobs.contracts import Contract
from jobs.contracts.names import BRONZE_OWN, LINE, RECEIVED
from jobs.lake.lake import Lake
from jobs.lake.spark_tables import FEW_ROWS, in_engine
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery


def bronze_rows(
    lake: Lake, contract: Contract, delivery: Delivery
) -> tuple[DataFrame, tuple[Repair, ...], tuple[str, ...]]:
    """The delivery's rows with types, their repairs, and the names of evolved extra columns."""
    rows, extras = _with_fields(_rows(lake, contract, delivery), contract)
    typed_rows, repairs = typed(rows, contract, extras)
    return typed_rows, repairs, extras


def texts(lake: Lake, contract: Contract, deliveries: Sequence[Delivery]) -> tuple[DataFrame, tuple[str, ...]]:
    """The deliveries' rows as text with every field of the contract, and the names of evolved extra columns."""
    return _with_fields(lake.tables.read_deliveries(lake.path(Zone.BRONZE, contract.id), deliveries), contract)


def is_small(delivery: Delivery) -> bool:
    """Whether the client hands the delivery's rows to the engine, instead of a path to read them from."""
    return (delivery.counted_rows or 0) <= FEW_ROWS


def _rows(lake: Lake, contract: Contract, delivery: Delivery) -> DataFrame:
    path = lake.path(Zone.BRONZE, contract.id)
    table = lake.delta.rows(path, delivery) if is_small(delivery) else None
    return lake.tables.read_deliveries(path, (delivery,)) if table is None else in_engine(lake.spark, table)


def _with_fields(rows: DataFrame, contract: Contract) -> tuple[DataFrame, tuple[str, ...]]:
    columns = rows.columns
    expected = (*sorted(f.name for f in contract.fields if not f.is_computed()), LINE)
    absent = [F.lit(None).cast("string").alias(name) for name in expected if name not in columns]
    own = {*contract.columns(), *BRONZE_OWN}
    extras = tuple(name for name in columns if name not in own)
    return rows.drop(RECEIVED).select("*", *absent), extras if contract.layout.extra_columns == "evolve" else ()
