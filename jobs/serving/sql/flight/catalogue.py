"""What clients ask about tables: catalogs, schemas, tables with their columns, keys, and what the server can do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from jobs.contracts import Field
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.serving.sql.flight import schemas
from jobs.serving.sql.flight.schemas import CATALOG
from jobs.serving.sql.readable import MARKED, SCHEMAS, Name, Readable
from jobs.serving.sql.service import SqlService

TABLE = "TABLE"
NO_ACTION = 3
"""What happens to a row whose referenced one is changed, as JDBC numbers it."""
MOST_PATTERN = 200
INFO = Path(__file__).parent / "sql_info.yaml"
LIMITS, CONVERSIONS = range(541, 563), 517
"""Numbers of SqlInfo whose values are long integers, and that of the only map."""


def sql_info(command: Any) -> pa.Table:
    """What the server can do; all of it, where the client names nothing."""
    known = _info()
    asked = dict.fromkeys(command.info) or known
    numbers = [number for number in asked if number in known]
    columns = [pa.array(numbers, pa.uint32()), _union([(_place(n, known[n]), known[n]) for n in numbers])]
    return pa.table(columns, schema=schemas.SQL_INFO)


@lru_cache
def _info() -> Mapping[int, object]:
    read: Mapping[int, object] = yaml.safe_load(INFO.read_text(encoding="utf-8"))
    return {**read, 1: f"DuckDB {duckdb.__version__}", 2: str(pa.__version__)}


def _place(number: int, value: object) -> int:
    """The place of a value in the union: text, yes or no, long integer, integer, list of texts, or map."""
    if isinstance(value, int) and not isinstance(value, bool):
        return 2 if number in LIMITS else 3
    return 5 if number == CONVERSIONS else {str: 0, bool: 1, list: 4}[type(value)]


def _union(values: Sequence[tuple[int, object]]) -> pa.Array:
    """Values, each with its place in the union."""
    found: list[list[object]] = [[] for _ in schemas.SQL_INFO_VALUE]
    offsets = []
    for place, value in values:
        offsets.append(len(found[place]))
        found[place].append(value)
    children = [pa.array(of, field.type) for of, field in zip(found, schemas.SQL_INFO_VALUE, strict=True)]
    places, names = [place for place, _ in values], [field.name for field in schemas.SQL_INFO_VALUE]
    union = pa.UnionArray.from_dense(pa.array(places, pa.int8()), pa.array(offsets, pa.int32()), children, names)
    return union.cast(schemas.SQL_INFO_VALUE)


class TableCatalogue:
    """The tables that one actor may query."""

    def __init__(self, service: SqlService, actor: Actor) -> None:
        self._service, self._tables = service, service.tables(actor)

    def rows(self, name: str, command: Any) -> pa.Table:
        """The answer to one of `COMMANDS`."""
        found = [dict(row) for row in ROWS[name](self, command)]
        return pa.Table.from_pylist(found, schema=schema_of(name, command))

    def catalogs(self, _: Any) -> Iterator[Mapping[str, object]]:
        yield {"catalog_name": CATALOG}

    def db_schemas(self, command: Any) -> Iterator[Mapping[str, object]]:
        for schema in sorted(str(schema) for schema in SCHEMAS):
            if _is_asked(command, schema):
                yield {"catalog_name": CATALOG, "db_schema_name": schema}

    def tables(self, command: Any) -> Iterator[Mapping[str, object]]:
        kinds = list(command.table_types)
        for table in sorted(self._tables, key=lambda table: (str(table.name.schema), table.name.table)):
            is_named = _fits(command, "table_name_filter_pattern", table.name.table)
            if is_named and _is_asked(command, str(table.name.schema)) and (not kinds or TABLE in kinds):
                yield {**_key(table), "table_type": TABLE, "table_schema": self._schema(command, table)}

    def table_types(self, _: Any) -> Iterator[Mapping[str, object]]:
        yield {"table_type": TABLE}

    def primary_keys(self, command: Any) -> Iterator[Mapping[str, object]]:
        for table in self._named(command):
            shown = {column.name for column in self._service.columns(table)}
            key = table.contract.key()
            if shown.issuperset(key):
                for sequence, column in enumerate(key, 1):
                    name = f"{table.name.table}_key"
                    yield {**_key(table), "column_name": column, "key_name": name, "key_sequence": sequence}

    def imported_keys(self, command: Any) -> Iterator[Mapping[str, object]]:
        for table in self._named(command):
            yield from (row for row, _ in self._references(table))

    def exported_keys(self, command: Any) -> Iterator[Mapping[str, object]]:
        named = {table.name for table in self._named(command)}
        for table in self._tables:
            yield from (row for row, to in self._references(table) if to in named)

    def cross_reference(self, command: Any) -> Iterator[Mapping[str, object]]:
        for table in self._tables:
            if table.name.table == command.fk_table:
                yield from (row for row, to in self._references(table) if to.table == command.pk_table)

    def _references(self, table: Readable) -> Iterator[tuple[Mapping[str, object], Name]]:
        """The fields that refer to another table which the reader may query, with that table."""
        known = {other.name: other for other in self._tables}
        for column in self._service.columns(table) if table.name.schema != MARKED else ():
            to, name = _reference(table.column(column.name).field)
            if to in known:
                sides = {f"pk_{key}": value for key, value in _key(known[to]).items()} | {"pk_column_name": name}
                sides |= {f"fk_{key}": value for key, value in _key(table).items()} | {"fk_column_name": column.name}
                yield {**sides, "key_sequence": 1, "update_rule": NO_ACTION, "delete_rule": NO_ACTION}, to

    def _named(self, command: Any) -> Iterator[Readable]:
        """The tables of that name, in the schema that the command names; where it names none, not silver a second time with its tickets."""
        for table in self._tables:
            schema = table.name.schema
            is_there = command.db_schema == schema if command.HasField("db_schema") else schema != MARKED
            if table.name.table == command.table and is_there and _is_catalog(command):
                yield table

    def _schema(self, command: Any, table: Readable) -> bytes | None:
        if not command.include_schema:
            return None
        zone = self._service.settings.timezone
        schema = schemas.table_schema(table, self._service.columns(table), zone)
        return bytes(schema.serialize())


ROWS: Mapping[str, Callable[[TableCatalogue, Any], Iterator[Mapping[str, object]]]] = {
    "CommandGetCatalogs": TableCatalogue.catalogs,
    "CommandGetDbSchemas": TableCatalogue.db_schemas,
    "CommandGetTables": TableCatalogue.tables,
    "CommandGetTableTypes": TableCatalogue.table_types,
    "CommandGetPrimaryKeys": TableCatalogue.primary_keys,
    "CommandGetImportedKeys": TableCatalogue.imported_keys,
    "CommandGetExportedKeys": TableCatalogue.exported_keys,
    "CommandGetCrossReference": TableCatalogue.cross_reference,
}
COMMANDS = (*ROWS, "CommandGetSqlInfo")
SHAPES = {
    "CommandGetCatalogs": schemas.CATALOGS,
    "CommandGetDbSchemas": schemas.DB_SCHEMAS,
    "CommandGetTableTypes": schemas.TABLE_TYPES,
    "CommandGetPrimaryKeys": schemas.PRIMARY_KEYS,
    "CommandGetImportedKeys": schemas.FOREIGN_KEYS,
    "CommandGetExportedKeys": schemas.FOREIGN_KEYS,
    "CommandGetCrossReference": schemas.FOREIGN_KEYS,
    "CommandGetSqlInfo": schemas.SQL_INFO,
}


def schema_of(name: str, command: Any) -> pa.Schema:
    """The schema of the answer to one of `COMMANDS`."""
    if name == "CommandGetTables":
        return schemas.TABLES_WITH_SCHEMA if command.include_schema else schemas.TABLES
    return SHAPES[name]


def rows_of(service: SqlService, actor: Actor, name: str, command: Any) -> pa.Table:
    """The answer to one of `COMMANDS`."""
    return sql_info(command) if name == "CommandGetSqlInfo" else TableCatalogue(service, actor).rows(name, command)


def _key(table: Readable) -> dict[str, object]:
    return {"catalog_name": CATALOG, "db_schema_name": str(table.name.schema), "table_name": table.name.table}


def _reference(field: Field | None) -> tuple[Name | None, str]:
    """The delivered table and the column to which a field refers."""
    dataset, _, column = (field.reference or "").partition(".") if field else ("", "", "")
    return (Name(Zone.SILVER, dataset) if column else None), column


def _is_catalog(command: Any) -> bool:
    return not command.HasField("catalog") or command.catalog == CATALOG


def _is_asked(command: Any, schema: str) -> bool:
    return _is_catalog(command) and _fits(command, "db_schema_filter_pattern", schema)


def _fits(command: Any, field: str, name: str) -> bool:
    """Whether the name fits a pattern of LIKE; all do where there is none."""
    if not command.HasField(field):
        return True
    pattern = getattr(command, field)
    return len(pattern) <= MOST_PATTERN and is_like(name, pattern)


def is_like(name: str, pattern: str) -> bool:
    """Whether `%` (any text) and `_` (any character) in the pattern make it the name; the time is in the product of their lengths."""
    reached = {0}
    for mark in pattern:
        if mark == "%":
            reached = set(range(min(reached), len(name) + 1)) if reached else reached
        else:
            reached = {at + 1 for at in reached if at < len(name) and mark in ("_", name[at])}
    return len(name) in reached
