"""A delivery's bronze rows with the types of its contract."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import pyarrow as pa
from pyspark.sql import functions as F

from jobs.conform import TypedRows, typed
from jobs.contracts import Contract
from jobs.contracts.names import BRONZE_OWN, LINE, RECEIVED, SENT_DATE
from jobs.lake.lake import Lake
from jobs.lake.named_rows import NamedRows
from jobs.lake.prepared_plans import in_engine
from jobs.lake.spark_tables import FEW_ROWS
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery


def bronze_rows(lake: Lake, contract: Contract, delivery: Delivery) -> TypedRows:
    """The delivery's rows with types."""
    rows, extras = _with_fields(_rows(lake, contract, delivery), contract)
    return typed(rows, contract, extras)


def typed_table(lake: Lake, contract: Contract, table: pa.Table) -> TypedRows:
    """Bronze rows in memory with types."""
    rows = NamedRows(in_engine(lake.spark, table), tuple(table.column_names))
    with_fields, extras = _with_fields(rows, contract)
    return typed(with_fields, contract, extras)


def texts(lake: Lake, contract: Contract, deliveries: Sequence[Delivery]) -> tuple[NamedRows, tuple[str, ...]]:
    """The deliveries' rows as text with every field of the contract, and the names of evolved extra columns."""
    rows = lake.tables.read_deliveries(lake.path(Zone.BRONZE, contract.id), deliveries)
    return _with_fields(NamedRows.of(rows), contract)


def is_small(delivery: Delivery) -> bool:
    """Whether the client hands the delivery's rows to the engine, instead of a path to read them from."""
    return (delivery.counted_rows or 0) <= FEW_ROWS


def _rows(lake: Lake, contract: Contract, delivery: Delivery) -> NamedRows:
    path = lake.path(Zone.BRONZE, contract.id)
    table = lake.delta.rows(path, delivery) if is_small(delivery) else None
    if table is None:
        return NamedRows.of(lake.tables.read_deliveries(path, (delivery,)))
    dated = with_day(table, delivery.sent_date(ZoneInfo(lake.settings.timezone)))
    return NamedRows(in_engine(lake.spark, dated), tuple(dated.column_names))


def with_day(table: pa.Table, day: date) -> pa.Table:
    """The rows with the day on which they were sent: as a value of the rows, since a plan that names it is new each day."""
    return table.append_column(SENT_DATE, pa.repeat(pa.scalar(day), table.num_rows))


def _expected(contract: Contract) -> tuple[str, ...]:
    return (*sorted(field.name for field in contract.fields if not field.is_computed()), LINE)


def _with_fields(rows: NamedRows, contract: Contract) -> tuple[NamedRows, tuple[str, ...]]:
    absent = [name for name in _expected(contract) if name not in rows.columns]
    own = {*contract.columns(), *BRONZE_OWN, SENT_DATE}
    extras = tuple(name for name in rows.columns if name not in own)
    empty = [F.lit(None).cast("string").alias(name) for name in absent]
    names = (*(name for name in rows.columns if name != RECEIVED), *absent)
    frame = rows.frame.drop(RECEIVED).select("*", *empty)
    return NamedRows(frame, names), extras if contract.layout.extra_columns == "evolve" else ()
