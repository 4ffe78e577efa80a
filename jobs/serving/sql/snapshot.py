"""A version of a Delta table as the engine reads it: files, partitions, types, and the range of numbers."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from jobs.lake.delta_tables import DeltaTables
from jobs.lake.zones import TablePath
from jobs.serving.cache import CachedValue

TYPES = {
    "string": "VARCHAR",
    "long": "BIGINT",
    "integer": "INTEGER",
    "short": "SMALLINT",
    "byte": "TINYINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "binary": "BLOB",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "timestamp_ntz": "TIMESTAMP",
}
"""Types of the engine by those of Delta."""
NUMERIC = ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "FLOAT", "DOUBLE", "DECIMAL")
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
FRESH_S = 2.0
"""So long a table's newest version is not asked for again."""
AHEAD = 0.5
"""Share of that time after which it is asked for while a query goes on with the version that is known."""


@dataclass(frozen=True)
class Snapshot:
    """One version. `largest`: the greatest absolute value of numeric columns where the log knows it.

    `is_plain`: the files are the table; a table with deletion vectors or mapped columns is read by delta-rs.
    """

    version: int
    files: tuple[str, ...]
    uris: tuple[str, ...]
    """The same files as Delta writes them, which takes less time to read."""
    rows: int
    size_bytes: int
    columns: Mapping[str, str]
    partitions: tuple[str, ...]
    largest: Mapping[str, float]
    is_plain: bool

    @property
    def label(self) -> str:
        """Of the version, in names of views."""
        return str(self.version)


class Snapshots:
    """Snapshots of tables, kept: the newest for some seconds, a given version for good."""

    def __init__(self, delta: DeltaTables, fresh_s: float = FRESH_S) -> None:
        self._delta, self._fresh_s = delta, fresh_s
        self._newest: dict[TablePath, CachedValue[Snapshot | None]] = {}
        self._known: dict[tuple[TablePath, int], Snapshot] = {}

    def newest(self, path: TablePath) -> Snapshot | None:
        """The newest version; None where the table does not exist yet."""
        if path not in self._newest:
            self._newest[path] = CachedValue(self._reader(path), self._fresh_s, ahead=AHEAD)
        return self._newest[path].get()

    def version(self, path: TablePath, version: int) -> Snapshot | None:
        """A given version; None where there is none."""
        known = self._known.get((path, version))
        if known is None:
            try:
                table = self._delta.open(path, version)
            except DeltaError:  # its part of the log is no longer kept
                return None
            if table is None:
                return None
            known = self._keep(path, snapshot_of(table))
        return known

    def _reader(self, path: TablePath) -> Callable[[], Snapshot | None]:
        def read() -> Snapshot | None:
            table = self._delta.open(path)
            if table is None:
                return None
            known = self._known.get((path, table.version()))
            # A table that was made anew has the same versions with other files.
            if known is not None and set(known.uris) == set(table.file_uris()):
                return known
            return self._keep(path, snapshot_of(table))

        return read

    def _keep(self, path: TablePath, snapshot: Snapshot) -> Snapshot:
        if len(self._known) > 1000:
            self._known.clear()
        self._known[path, snapshot.version] = snapshot
        return snapshot


def snapshot_of(table: DeltaTable) -> Snapshot:
    """The table at the version at which it is open."""
    uris, folder = tuple(table.file_uris()), table.table_uri.rstrip("/")
    partitions = tuple(table.metadata().partition_columns)
    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist() if uris else []
    columns = {field.name: _type(field.type) for field in table.schema().fields}
    return Snapshot(
        table.version(),
        tuple(f"{folder}/{unquote(action['path'])}" for action in actions),
        uris,
        _count(actions),
        sum(action["size_bytes"] for action in actions),
        columns,
        partitions,
        _all_largest(actions, [name for name, kind in columns.items() if kind.startswith(NUMERIC)]),
        _is_plain(table) and all(_partitions_fit(action, partitions) for action in actions),
    )


def _count(actions: list[dict[str, Any]]) -> int:
    return sum(action.get("num_records") or 0 for action in actions)


def _type(kind: Any) -> str:
    """The engine's type; a type that the lake does not write is read as text."""
    if kind.type == "array":
        return f"{_type(kind.element_type)}[]"
    if str(kind.type).startswith("decimal"):
        return str(kind.type).upper()
    return TYPES.get(str(kind.type), "VARCHAR")


def _is_plain(table: DeltaTable) -> bool:
    features = set(table.protocol().reader_features or ())
    mapping = table.metadata().configuration.get("delta.columnMapping.mode") or "none"
    return not features & {"deletionVectors", "columnMapping"} and mapping == "none"


def _partitions_fit(action: Mapping[str, Any], partitions: tuple[str, ...]) -> bool:
    """Whether the names of a file's folders hold its partition values, which is usual but no rule of Delta."""
    folders = dict(part.split("=", 1) for part in unquote(action["path"]).split("/")[:-1] if "=" in part)
    for name in partitions:
        value = action.get(f"partition.{name}")
        if name not in folders or (value is None) != (folders[name] == NULL_PARTITION):
            return False
    return True


def _all_largest(actions: list[dict[str, Any]], names: list[str]) -> dict[str, float]:
    """The greatest absolute value of each column whose statistics have it."""
    return {name: largest for name in names if (largest := _largest(actions, name)) is not None}


def _largest(actions: list[dict[str, Any]], name: str) -> float | None:
    """The greatest absolute value of a column; None where a file's statistics lack it."""
    largest = 0.0
    for action in actions:
        if action.get(f"null_count.{name}") is not None and action[f"null_count.{name}"] == action.get("num_records"):
            continue
        for bound in ("min", "max"):
            value = action.get(f"{bound}.{name}")
            if value is None or not math.isfinite(value):
                return None
            largest = max(largest, abs(float(value)))
    return largest
