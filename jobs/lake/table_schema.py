"""A contract's fields → the Arrow schema and the Spark columns of a table, with Chinese comments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa
from deltalake import Field as DeltaField
from deltalake.schema import ArrayType, PrimitiveType

from jobs.contracts import Field
from jobs.errors import ContractError

ARROW_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "array<string>": pa.list_(pa.string()),
}
DELTA_TYPES = {"bigint": "long", "int": "integer", "smallint": "short", "tinyint": "byte"}
"""Names of Spark's DDL that differ in Delta's schema."""


@dataclass(frozen=True)
class ColumnSpec:
    """A column as analysts see it: Spark type and comment (title, unit)."""

    name: str
    type: str
    comment: str = ""

    def ddl(self) -> str:
        comment = self.comment.replace("\\", "\\\\").replace("'", "\\'")
        return f"`{self.name}` {self.type}" + (f" COMMENT '{comment}'" if comment else "")

    def delta(self) -> DeltaField:
        """The column in a Delta table's schema; nullable, so that older rows may lack it."""
        kind = self.type.strip().lower()
        element = kind.removeprefix("array<").removesuffix(">")
        primitive = PrimitiveType(DELTA_TYPES.get(element, element))
        return DeltaField(self.name, ArrayType(primitive) if element != kind else primitive, metadata=self._metadata())

    def _metadata(self) -> dict[str, str]:
        return {"comment": self.comment} if self.comment else {}


def arrow_schema(fields: Iterable[Field]) -> pa.Schema:
    """The fields as an Arrow schema; every column is nullable, so that older tables accept the rows."""
    return pa.schema([_arrow_field(field) for field in fields])


def _arrow_field(field: Field) -> pa.Field:
    if field.spark_type() not in ARROW_TYPES:
        raise ContractError(f"field '{field.name}': no Arrow type is known for '{field.spark_type()}'")
    return pa.field(field.name, ARROW_TYPES[field.spark_type()], metadata={"comment": field.words()})


def column_specs(fields: Iterable[Field]) -> list[ColumnSpec]:
    """The fields as columns that Spark creates."""
    return [ColumnSpec(field.name, field.spark_type(), field.words()) for field in fields]


def spark_schema(fields: Iterable[Field]) -> str:
    """The fields as a schema in Spark's DDL."""
    return ", ".join(spec.ddl() for spec in column_specs(fields))
