"""Plans over rows in memory, which the engine analyzes and optimizes once for all requests that differ in their rows alone.

The plan is sent with a placeholder for each table, followed by the tables; infra/spark/PreparedPlans.scala answers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from struct import pack
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.connect import proto
from pyspark.sql.connect.dataframe import DataFrame as ConnectDataFrame
from pyspark.sql.connect.plan import LocalRelation
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

REQUEST, PLACEHOLDER = "lake/prepared", "lake/placeholder"
MOST_BYTES = 32 << 20
"""A larger table goes by pyspark's own way, in chunks: the engine takes no message beyond 128 MiB."""
_TABLES: ContextVar[list[bytes] | None] = ContextVar("tables", default=None)
"""The tables of the plan that is being written, where these are left out of it."""


class RowsInMemory(LocalRelation):  # type: ignore[misc]  # pyspark has no types for it
    """A table of the client as rows of the engine."""

    def plan(self, session: Any) -> proto.Relation:
        tables = _TABLES.get()
        relation = super().plan(session)
        if tables is None:
            return relation
        tables.append(_plain(relation).SerializeToString())
        left = self._create_proto_relation()
        left.extension.type_url = PLACEHOLDER
        left.extension.value = pack(">i", len(tables) - 1)
        return left


def in_engine(spark: SparkSession, table: pa.Table) -> DataFrame:
    """Rows in memory as rows of the engine; pyspark's own function asks the engine for its settings each time."""
    if table.nbytes > MOST_BYTES:
        return spark.createDataFrame(table)
    schema = from_arrow_schema(table.schema)
    if not table.num_rows:  # the engine reads no Arrow table without rows
        return ConnectDataFrame(RowsInMemory(None, schema.json()), spark)
    rows = table.cast(to_arrow_schema(schema, timezone="UTC"))
    return ConnectDataFrame(RowsInMemory(rows), spark)


def request(rows: DataFrame) -> proto.Plan | None:
    """The rows as a plan that the engine may have prepared; None where they are not all made of tables in memory."""
    with _tables() as tables:
        template = rows._plan.plan(rows._session.client)
    if not tables or not _is_of_placeholders(template):
        return None
    parts = [_plain(template).SerializeToString(deterministic=True), *tables]
    plan = proto.Plan()
    plan.root.extension.type_url = REQUEST
    plan.root.extension.value = b"".join([pack(">i", len(parts)), *(pack(">i", len(p)) + p for p in parts)])
    return plan


@contextmanager
def _tables() -> Iterator[list[bytes]]:
    tables: list[bytes] = []
    token = _TABLES.set(tables)
    try:
        yield tables
    finally:
        _TABLES.reset(token)


def _plain(relation: proto.Relation) -> proto.Relation:
    """The relation without the numbers that pyspark gives each plan anew."""
    relation.ClearField("common")
    for inner in _inputs(relation):
        _plain(inner)
    return relation


def _is_of_placeholders(relation: proto.Relation) -> bool:
    inputs = list(_inputs(relation))
    if not inputs:
        return bool(relation.extension.type_url == PLACEHOLDER)
    return all(map(_is_of_placeholders, inputs))


def _inputs(relation: proto.Relation) -> Iterator[proto.Relation]:
    """The relations that a relation is made of."""
    for field, value in getattr(relation, relation.WhichOneof("rel_type")).ListFields():
        if field.message_type is proto.Relation.DESCRIPTOR:
            yield from value if field.is_repeated else (value,)
