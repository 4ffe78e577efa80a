"""A table as its reader may see it, in the engine's SQL."""

from jobs.serving.sql.masks import quoted, shown
from jobs.serving.sql.readable import Column, Readable, text_literal
from jobs.serving.sql.snapshot import Snapshot


def visible_columns(readable: Readable, snapshot: Snapshot) -> list[tuple[Column, str]]:
    """The columns that the reader sees, in the order of the table, with their SQL."""
    columns = [readable.column(name) for name in snapshot.columns]
    return [(column, sql) for column in columns if (sql := shown(readable, column, snapshot)) is not None]


def physical_name(table: str, snapshot: Snapshot) -> str:
    """The name of a table's view: each version has its own, so that a query keeps what it began with."""
    return f"{table}@{snapshot.version}"


def view_sql(readable: Readable, snapshot: Snapshot, copied: str = "") -> str:
    """The statement that makes the view; `copied` is the table that holds the rows, where its files do not by themselves."""
    listed = ", ".join(f"{sql} AS {quoted(column.name)}" for column, sql in visible_columns(readable, snapshot))
    name = f"{quoted(readable.name.schema)}.{quoted(physical_name(readable.name.table, snapshot))}"
    rows = copied or (_files(snapshot) if snapshot.files else _nothing(snapshot))
    where = f" WHERE {readable.rows}" if readable.rows else ""
    return f"CREATE VIEW IF NOT EXISTS {name} AS SELECT {listed or 'NULL AS nothing'} FROM {rows}{where}"


def _files(snapshot: Snapshot) -> str:
    listed = ", ".join(text_literal(file) for file in snapshot.files)
    options = ["union_by_name = true"]
    if snapshot.partitions:
        kinds = ", ".join(f"{text_literal(name)}: {snapshot.columns[name]}" for name in snapshot.partitions)
        options.append(f"hive_partitioning = true, hive_types = {{{kinds}}}")
    else:
        options.append("hive_partitioning = false")
    read = f"read_parquet([{listed}], {', '.join(options)})"
    # Files that are older than a column lack it; an empty part with every column adds it.
    return f"(SELECT * FROM {_nothing(snapshot)} UNION ALL BY NAME SELECT * FROM {read})"


def _nothing(snapshot: Snapshot) -> str:
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in snapshot.columns.items())
    return f"(SELECT {columns} WHERE false)"
