"""The tables of PostgreSQL's catalogue with the user's tables, columns and comments in them."""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from jobs.serving.sql.listing import ShownColumn
from jobs.serving.sql.readable import SCHEMAS, Readable

FILE = Path(__file__).parent / "pg_catalog.yaml"
DATABASE = "lake"
CATALOGUE, INFORMATION, FIRST = 11, 13000, 16384
"""Oids: of the two schemas of the catalogue, and the first that PostgreSQL gives to others."""
CLASSES = {"pg_class": 1259, "pg_namespace": 2615, "pg_type": 1247, "pg_proc": 1255, "pg_attribute": 1249,
           "pg_constraint": 2606, "pg_database": 1262, "pg_extension": 3079}  # fmt: skip
"""Oids of tables of the catalogue that comments refer to."""
KINDS = {
    "oid": pa.int64(),
    "int": pa.int32(),
    "real": pa.float64(),
    "bool": pa.bool_(),
    "text": pa.string(),
    "time": pa.timestamp("us", "UTC"),
    "oid[]": pa.list_(pa.int64()),
    "int[]": pa.list_(pa.int32()),
    "text[]": pa.list_(pa.string()),
}
EMPTY: Mapping[str, Any] = {"oid": 0, "int": 0, "real": 0.0, "bool": False, "text": ""}
TYPES = {
    "VARCHAR": 25, "BIGINT": 20, "INTEGER": 23, "SMALLINT": 21, "TINYINT": 21, "FLOAT": 700, "DOUBLE": 701, "BOOLEAN": 16,
    "BLOB": 17, "DATE": 1082, "TIMESTAMPTZ": 1184, "TIMESTAMP": 1114, "VARCHAR[]": 1009, "BIGINT[]": 1016, "DOUBLE[]": 1022,
}  # fmt: skip
ONLY_READ = f"{DATABASE}=r/{DATABASE}"
"""What the reader may do with a table, as PostgreSQL writes it."""
TEXT, NUMERIC, COLLATION = 25, 1700, 100
Row = Mapping[str, object]


@dataclass(frozen=True)
class Listed:
    """A table that its reader may query, with its columns, rows and bytes."""

    table: Readable
    columns: Sequence[ShownColumn]
    rows: int
    size_bytes: int

    @property
    def oid(self) -> int:
        """A number that depends on the name only, so that it is the same in all connections."""
        return _oid(str(self.table.name))


def catalogue_tables(listed: Sequence[Listed]) -> dict[str, pa.Table]:
    """Every table by its name in the engine; those of the information schema begin with `info_`."""
    rows = {**_fixed(), **_of_schemas(), **_of_tables(listed), **_information(listed)}
    found = {name: _table(columns, rows.pop(name, ())) for name, columns in _columns().items()}
    return found | {name: pa.Table.from_pylist(list(more)) for name, more in rows.items() if more}


def server_settings() -> Mapping[str, str]:
    """What the server says of itself, by name."""
    settings: Mapping[str, str] = _file()["settings"]
    return settings


@lru_cache
def _file() -> Mapping[str, Any]:
    content: Mapping[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return content


@lru_cache
def _columns() -> Mapping[str, Mapping[str, str]]:
    found = {}
    for schema, start in (("pg_catalog", ""), ("information_schema", "info_")):
        for table, words in _file()[schema].items():
            found[start + table] = dict(word.split(":") for word in words.split())
    return found


def _table(columns: Mapping[str, str], rows: Sequence[Row]) -> pa.Table:
    arrays = {}
    for name, kind in columns.items():
        empty = None if kind.endswith("?") else EMPTY.get(kind)
        arrays[name] = pa.array([row.get(name, empty) for row in rows], KINDS[kind.rstrip("?")])
    return pa.table(arrays)


def _oid(name: str) -> int:
    return FIRST + zlib.crc32(name.encode()) % 2**30


def _fixed() -> dict[str, Sequence[Row]]:
    """What does not depend on the reader."""
    types = list(_types())
    settings = [{"name": name, "setting": value, "vartype": "string"} for name, value in server_settings().items()]
    role = {"rolname": DATABASE, "rolinherit": True, "rolcanlogin": True, "rolconnlimit": -1, "oid": 10}
    database = {"oid": 5, "datname": DATABASE, "datdba": 10, "encoding": 6, "datlocprovider": "c", "datallowconn": True}
    database |= {"datconnlimit": -1, "dattablespace": 1663, "datcollate": "C.UTF-8", "datctype": "C.UTF-8"}
    return {
        "pg_type": types,
        "pg_lake_type": [{key: row[key] for key in ("oid", "typname", "title")} for row in types],
        "pg_settings": settings,
        "pg_roles": [role],
        "pg_user": [{"usename": DATABASE, "usesysid": 10}],
        "pg_database": [database],
        "pg_tablespace": [{"oid": 1663, "spcname": "pg_default", "spcowner": 10}],
        "pg_am": [{"oid": 2, "amname": "heap", "amhandler": "heap_tableam_handler", "amtype": "t"}],
        "pg_language": [{"oid": 14, "lanname": "sql", "lanowner": 10, "lanpltrusted": True}],
        "pg_collation": [{"oid": COLLATION, "collname": "default", "collnamespace": CATALOGUE, "collprovider": "d"}],
    }


def _types() -> Iterator[dict[str, object]]:
    for oid, name, title, size, category, list_oid, align in _file()["types"]:
        common = {"typnamespace": CATALOGUE, "typowner": 10, "typtype": "b", "typisdefined": True, "typdelim": ","}
        common |= {"typtypmod": -1, "typalign": align, "typcollation": COLLATION if category == "S" else 0}
        own = {"typlen": size, "typbyval": 0 < size <= 8, "typcategory": category, "typinput": f"{name}in"}
        yield {"oid": oid, "typname": name, "title": title, "typarray": list_oid, "typstorage": "p", **own, **common}
        of_list = {"typlen": -1, "typcategory": "A", "typinput": "array_in", "typstorage": "x", "typelem": oid}
        yield {"oid": list_oid, "typname": f"_{name}", "title": f"{title}[]", **of_list, **common}


def _of_schemas() -> dict[str, Sequence[Row]]:
    named = {
        "pg_catalog": CATALOGUE,
        "information_schema": INFORMATION,
        **{str(name): _oid(str(name)) for name in SCHEMAS},
    }
    catalogue = [
        {"oid": oid, "relname": name, "relnamespace": CATALOGUE, "relkind": "r"} for name, oid in CLASSES.items()
    ]
    schemata = [{"catalog_name": DATABASE, "schema_name": name, "schema_owner": DATABASE} for name in named]
    return {
        "pg_namespace": [{"oid": oid, "nspname": name, "nspowner": 10} for name, oid in named.items()],
        "pg_class": catalogue,
        "info_schemata": schemata,
    }


def _of_tables(listed: Sequence[Listed]) -> dict[str, Sequence[Row]]:
    schemas = _of_schemas()
    classes, attributes, comments = list(schemas["pg_class"]), [], []
    for table in listed:
        name = table.table.name
        about = {"relowner": 10, "relam": 2, "relkind": "r", "relpersistence": "p", "relreplident": "d", "reltype": 0}
        about |= {"oid": table.oid, "relname": name.table, "relnamespace": _oid(str(name.schema))}
        classes.append(
            about
            | {
                "reltuples": float(table.rows),
                "relnatts": len(table.columns),
                "relispopulated": True,
                "relacl": [ONLY_READ],
            }
        )
        comments.append(_comment(table.oid, 0, table.table.contract.title))
        for number, column in enumerate(table.columns, 1):
            attributes.append(_attribute(table.oid, number, column))
            comments.append(_comment(table.oid, number, f"{column.comment}（{column.grade}）"))
    tables = [
        {"schemaname": str(t.table.name.schema), "tablename": t.table.name.table, "tableowner": DATABASE}
        for t in listed
    ]
    sizes = [{"oid": t.oid, "size_bytes": t.size_bytes} for t in listed] or [{"oid": 0, "size_bytes": 0}]
    return {
        "pg_class": classes,
        "pg_attribute": attributes,
        "pg_description": comments,
        "pg_tables": tables,
        "pg_lake_size": sizes,
    }


def _comment(oid: int, number: int, words: str) -> Row:
    return {"objoid": oid, "classoid": CLASSES["pg_class"], "objsubid": number, "description": words}


def _attribute(oid: int, number: int, column: ShownColumn) -> Row:
    kind, modifier = type_of(column.type)
    size = next((t["typlen"] for t in _types() if t["oid"] == kind), -1)
    collation = COLLATION if kind == TEXT else 0
    shape = {"atttypid": kind, "atttypmod": modifier, "attlen": size, "attcollation": collation, "attstattarget": -1}
    return {"attrelid": oid, "attname": column.name, "attnum": number, "attislocal": True, "attstorage": "x", **shape}


def type_of(engine_type: str) -> tuple[int, int]:
    """PostgreSQL's oid and modifier of a type of the engine; what it cannot say is text."""
    parts = re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", engine_type)
    if parts:
        return NUMERIC, (int(parts[1]) << 16 | int(parts[2])) + 4
    return TYPES.get(engine_type, TEXT), -1


def _information(listed: Sequence[Listed]) -> dict[str, Sequence[Row]]:
    titles = {t["oid"]: (t["title"], t["typname"]) for t in _types()}
    tables, columns = [], []
    for table in listed:
        name = {
            "table_catalog": DATABASE,
            "table_schema": str(table.table.name.schema),
            "table_name": table.table.name.table,
        }
        tables.append({**name, "table_type": "BASE TABLE", "is_insertable_into": "NO", "is_typed": "NO"})
        for number, column in enumerate(table.columns, 1):
            title, short = titles[type_of(column.type)[0]]
            shape = {
                "data_type": "ARRAY" if str(short).startswith("_") else title,
                "udt_name": short,
                "is_nullable": "YES",
            }
            place = {"column_name": column.name, "ordinal_position": number, "is_updatable": "NO"}
            columns.append({**name, **place, **shape, "udt_catalog": DATABASE, "udt_schema": "pg_catalog"})
    return {"info_tables": tables, "info_columns": columns}
