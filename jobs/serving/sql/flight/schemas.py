"""Arrow schemas: of answers, with titles, units, grade and the query's id as metadata, and of what clients ask about tables."""

import json
import re

import pyarrow as pa

from jobs.serving.sql.answer import Answer
from jobs.serving.sql.listing import ShownColumn
from jobs.serving.sql.readable import Column, Readable

CATALOG = "lake"
STANDARD = "ARROW:FLIGHT:SQL:"
"""What the names of Flight SQL's own metadata begin with; only of tables, since JDBC's driver shows the remarks of an answer's column in place of its name."""
TYPES = {
    "VARCHAR": pa.string(), "BIGINT": pa.int64(), "INTEGER": pa.int32(), "SMALLINT": pa.int16(), "TINYINT": pa.int8(),
    "FLOAT": pa.float32(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(), "BLOB": pa.binary(), "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
}  # fmt: skip
"""Arrow's types by those of the engine."""


def arrow_type(kind: str, zone: str) -> pa.DataType:
    """The type in which a column of an engine's type arrives."""
    if kind.endswith("[]"):
        return pa.list_(pa.field("l", arrow_type(kind.removesuffix("[]"), zone)))
    if parts := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", kind):
        return pa.decimal128(int(parts[1]), int(parts[2]))
    return pa.timestamp("us", zone) if kind == "TIMESTAMPTZ" else TYPES.get(kind, pa.string())


def about_answer(answer: Answer) -> dict[str, str]:
    """What a client gets to know of an answer: `lake.cut` is true where there are more rows than the limit allows."""
    return {
        "lake.query": answer.id,
        "lake.grade": answer.grade.name,
        "lake.notice": "；".join(answer.notices()),
        "lake.rows": str(answer.table.num_rows),
        "lake.cut": json.dumps(answer.is_cut),
    }


def answer_schema(answer: Answer) -> pa.Schema:
    """The schema of an answer; columns that a table shows under their own name have its title, unit and grade."""
    fields = [field.with_metadata(_of_column(answer.columns.get(field.name))) for field in answer.table.schema]
    return pa.schema(fields, metadata=about_answer(answer))


def described_schema(answer: Answer) -> pa.Schema:
    """The schema of a statement that has not been run: there are no rows yet, and no query in the log."""
    about = {"lake.grade": answer.grade.name, "lake.notice": answer.grade.notice()}
    return answer_schema(answer).with_metadata(about)


def table_schema(table: Readable, columns: list[ShownColumn], zone: str) -> pa.Schema:
    """The schema of a table as its reader sees it, with its title."""
    name = {"CATALOG_NAME": CATALOG, "SCHEMA_NAME": str(table.name.schema), "TABLE_NAME": table.name.table}
    fields = []
    for column in columns:
        words = {
            **name,
            "TYPE_NAME": column.type,
            "REMARKS": f"{column.comment}（{column.grade}）",
            "IS_READ_ONLY": "1",
        }
        own = _of_column(table.column(column.name)) | {f"{STANDARD}{key}": value for key, value in words.items()}
        fields.append(pa.field(column.name, arrow_type(column.type, zone), metadata=own))
    return pa.schema(fields, metadata={"lake.title": table.contract.title})


def _of_column(column: Column | None) -> dict[str, str]:
    if column is None:
        return {}
    words = {"lake.title": column.field.title, "lake.unit": column.field.unit} if column.field else {}
    words |= {"lake.grade": column.grade}
    return {key: value for key, value in words.items() if value}


def _schema(**columns: pa.DataType) -> pa.Schema:
    """A schema by names; a name that ends with `_or_null` may be null."""
    suffix = "_or_null"
    return pa.schema([pa.field(n.removesuffix(suffix), kind, n.endswith(suffix)) for n, kind in columns.items()])


_TEXT = pa.string()
_KEY = {"catalog_name_or_null": _TEXT, "db_schema_name_or_null": _TEXT, "table_name": _TEXT}
CATALOGS = _schema(catalog_name=_TEXT)
DB_SCHEMAS = _schema(catalog_name_or_null=_TEXT, db_schema_name=_TEXT)
TABLES = _schema(**_KEY, table_type=_TEXT)
TABLES_WITH_SCHEMA = TABLES.append(pa.field("table_schema", pa.binary(), False))
TABLE_TYPES = _schema(table_type=_TEXT)
PRIMARY_KEYS = _schema(**_KEY, column_name=_TEXT, key_name_or_null=_TEXT, key_sequence=pa.int32())
FOREIGN_KEYS = pa.schema(
    [
        *(pa.field(f"{side}_{n}", _TEXT, n in ("catalog_name", "db_schema_name"))
          for side in ("pk", "fk") for n in ("catalog_name", "db_schema_name", "table_name", "column_name")),
        pa.field("key_sequence", pa.int32(), False),
        pa.field("fk_key_name", _TEXT),
        pa.field("pk_key_name", _TEXT),
        pa.field("update_rule", pa.uint8(), False),
        pa.field("delete_rule", pa.uint8(), False),
    ]
)  # fmt: skip
SQL_INFO_VALUE = pa.dense_union(
    [
        pa.field("string_value", _TEXT),
        pa.field("bool_value", pa.bool_()),
        pa.field("bigint_value", pa.int64()),
        pa.field("int32_bitmask", pa.int32()),
        pa.field("string_list", pa.list_(_TEXT)),
        pa.field("int32_to_int32_list_map", pa.map_(pa.int32(), pa.list_(pa.int32()))),
    ]
)
SQL_INFO = pa.schema([pa.field("info_name", pa.uint32(), False), pa.field("value", SQL_INFO_VALUE, False)])
