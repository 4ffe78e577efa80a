"""A table as its reader may see it, in the engine's SQL."""

from collections.abc import Collection, Mapping, Sequence

from jobs.serving.sql.marked import MarkedSnapshot
from jobs.serving.sql.masks import quoted, shown
from jobs.serving.sql.readable import Column, Readable, text_literal
from jobs.serving.sql.snapshot import Snapshot

LegacyColumns = Mapping[str, Collection[str]]
NONE: LegacyColumns = {}


def visible_columns(readable: Readable, snapshot: Snapshot) -> list[tuple[Column, str]]:
    """The columns that the reader sees, in the order of the table, with their SQL."""
    columns = [_column(readable, snapshot, name) for name in snapshot.columns]
    return [(column, sql) for column in columns if (sql := shown(readable, column, snapshot)) is not None]


def _column(readable: Readable, snapshot: Snapshot, name: str) -> Column:
    is_added = isinstance(snapshot, MarkedSnapshot) and name == snapshot.column
    return readable.tickets(name) if is_added else readable.column(name)


def physical_name(table: str, snapshot: Snapshot) -> str:
    """The name of a table's view: each version has its own, so that a query keeps what it began with."""
    return f"{table}@{snapshot.label}"


def view_sql(
    readable: Readable, snapshot: Snapshot, copied: str = "", legacy: LegacyColumns = NONE, found: str = ""
) -> str:
    """The statement that makes the view; `copied` is the table that holds the rows, where its files do not by themselves.

    `legacy`: columns by file whose moments are INT96; `found`: the table of what has tickets, of a marked snapshot.
    """
    listed = ", ".join(f"{sql} AS {quoted(column.name)}" for column, sql in visible_columns(readable, snapshot))
    name = f"{quoted(readable.name.schema)}.{quoted(physical_name(readable.name.table, snapshot))}"
    rows = copied or _rows(snapshot.silver if isinstance(snapshot, MarkedSnapshot) else snapshot, legacy)
    if isinstance(snapshot, MarkedSnapshot):
        rows = snapshot.joined(rows, found)
    where = f" WHERE {readable.rows}" if readable.rows else ""
    return f"CREATE VIEW IF NOT EXISTS {name} AS SELECT {listed or 'NULL AS nothing'} FROM {rows}{where}"


def _rows(snapshot: Snapshot, legacy: LegacyColumns) -> str:
    return _files(snapshot, legacy) if snapshot.files else _nothing(snapshot)


def _files(snapshot: Snapshot, legacy: LegacyColumns) -> str:
    """Files that are older than a column lack it; an empty part with every column adds it."""
    usual = [file for file in snapshot.files if file not in legacy]
    parts = [f"SELECT * FROM {_nothing(snapshot)}"]
    if usual:
        parts.append(f"SELECT * FROM {_read(snapshot, usual)}")
    if legacy:
        names = sorted(set().union(*legacy.values()) & snapshot.columns.keys())
        in_utc = ", ".join(f"{quoted(name)} AT TIME ZONE 'UTC' AS {quoted(name)}" for name in names)
        replaced = f" REPLACE ({in_utc})" if names else ""
        parts.append(f"SELECT *{replaced} FROM {_read(snapshot, list(legacy))}")
    return f"({' UNION ALL BY NAME '.join(parts)})"


def _read(snapshot: Snapshot, files: Sequence[str]) -> str:
    listed = ", ".join(map(text_literal, files))
    options = ["union_by_name = true"]
    if snapshot.partitions:
        kinds = ", ".join(f"{text_literal(name)}: {snapshot.columns[name]}" for name in snapshot.partitions)
        options.append(f"hive_partitioning = true, hive_types = {{{kinds}}}")
    else:
        options.append("hive_partitioning = false")
    return f"read_parquet([{listed}], {', '.join(options)})"


def _nothing(snapshot: Snapshot) -> str:
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in snapshot.columns.items())
    return f"(SELECT {columns} WHERE false)"
