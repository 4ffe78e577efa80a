"""Files whose moments are INT96, the format of Spark's own default and of earlier releases.

DuckDB reads such a moment as a time without a zone, and would take it for one of the session's zone: hours off. What is in it is UTC.
"""

from collections.abc import Mapping, Sequence
from threading import Lock

import duckdb

from jobs.serving.sql.readable import text_literal

MOST = 100_000
"""Files that are remembered; a file of a table never changes."""


class LegacyTimes:
    """Which columns of which files are INT96; each file's footer is read once."""

    def __init__(self) -> None:
        self._known: dict[str, frozenset[str]] = {}
        self._lock = Lock()

    def of(self, cursor: duckdb.DuckDBPyConnection, files: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Columns by file, of those files that have such columns."""
        with self._lock:
            unknown = [file for file in files if file not in self._known]
            if unknown:
                if len(self._known) > MOST:
                    self._known.clear()
                    unknown = list(files)
                self._known |= _read(cursor, unknown)
            return {file: columns for file in files if (columns := self._known[file])}


def _read(cursor: duckdb.DuckDBPyConnection, files: Sequence[str]) -> dict[str, frozenset[str]]:
    listed = ", ".join(map(text_literal, files))
    columns = "list(name) FILTER (WHERE type = 'INT96')"
    rows = cursor.execute(f"SELECT file_name, {columns} FROM parquet_schema([{listed}]) GROUP BY file_name").fetchall()
    found = {str(file): frozenset(names or ()) for file, names in rows}
    if len(files) == 1:  # whatever the engine calls it
        return dict.fromkeys(files, frozenset().union(*found.values()))
    missing = [file for file in files if file not in found]
    for file in missing:
        found |= _read(cursor, [file])
    return {file: found[file] for file in files}
