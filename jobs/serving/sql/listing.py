"""Answers about tables rather than from them: SHOW TABLES, DESCRIBE and EXPLAIN."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from jobs.access.policy import Mask
from jobs.access.roles import MASKS
from jobs.serving.sql.large.route import DUCKDB, SPARK, Route
from jobs.serving.sql.readable import MARKED, Name, Readable
from jobs.serving.sql.snapshot import Snapshot
from jobs.serving.sql.views import visible_columns


@dataclass(frozen=True)
class ShownColumn:
    """A column that its reader sees; `type` is the engine's."""

    name: str
    type: str
    comment: str
    unit: str
    grade: str
    mask: Mask


def shown_columns(readable: Readable, snapshot: Snapshot) -> list[ShownColumn]:
    """The columns that the reader sees; a masked one that is no text becomes one."""
    return [
        ShownColumn(
            column.name,
            "VARCHAR" if column.mask is Mask.ENDS else snapshot.columns[column.name],
            column.comment,
            column.field.unit if column.field else "",
            column.grade,
            column.mask,
        )
        for column, _ in visible_columns(readable, snapshot)
    ]


def tables(known: Sequence[Readable]) -> pa.Table:
    """Tables with schema, title and department."""
    rows = [(str(t.name.schema), t.name.table, title(t), t.contract.department) for t in known]
    return _table(("schema", "table", "title", "department"), rows)


def title(table: Readable) -> str:
    """The Chinese title."""
    return f"{table.contract.title}（含未关闭工单）" if table.name.schema == MARKED else table.contract.title


def columns(readable: Readable, snapshot: Snapshot) -> pa.Table:
    """Columns with type, title and unit, grade and mask."""
    rows = [(c.name, c.type, c.comment, c.unit, c.grade, MASKS[c.mask]) for c in shown_columns(readable, snapshot)]
    return _table(("column", "type", "comment", "unit", "grade", "mask"), rows)


def plan(opened: Sequence[tuple[Name, Snapshot]], grade: str, route: Route) -> pa.Table:
    """What a query would read at most, table by table, before the engine skips files and columns; nothing is read."""
    return pa.table(
        {
            "table": pa.array([str(name) for name, _ in opened], pa.string()),
            "version": pa.array([s.version for _, s in opened], pa.int64()),
            "engine": pa.array([_engine(s, route) for _, s in opened], pa.string()),
            "files": pa.array([len(s.files) for _, s in opened], pa.int64()),
            "rows": pa.array([s.rows for _, s in opened], pa.int64()),
            "bytes": pa.array([s.size_bytes for _, s in opened], pa.int64()),
            "grade": pa.array([grade for _ in opened], pa.string()),
            "note": pa.array([route.note for _ in opened], pa.string()),
        }
    )


def _engine(snapshot: Snapshot, route: Route) -> str:
    return route.engine if snapshot.is_plain or route.engine == SPARK else f"delta-rs + {DUCKDB}"


def _table(names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> pa.Table:
    return pa.table({name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(names)})
