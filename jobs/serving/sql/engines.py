"""The open databases, closed when others need the memory.

People with the same rights share one, which holds the files that they read. Who needs more memory than is left in it gets
a database of their own, with the memory that they have: so nobody's queries fail for what others do.
"""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from threading import Lock, Thread

import duckdb

from jobs.lake.delta_tables import DeltaTables
from jobs.lake.zones import TablePath
from jobs.serving.sql.engine import Engine, open_database
from jobs.serving.sql.limits import Limits, size_bytes
from jobs.settings import Settings

MOST = 64
"""Open databases; of those without a query, the one that was used longest ago is closed first."""


class Engines:
    """Databases by their readers. `spares`: as many are kept open in advance, so that a first query does not wait."""

    def __init__(self, settings: Settings, delta: DeltaTables, spares: int = 0) -> None:
        self._settings, self._delta, self._spares = settings, delta, spares
        self._most_bytes = size_bytes(settings.sql_total_memory)
        self._open: OrderedDict[Hashable, Engine] = OrderedDict()
        self._waiting: list[duckdb.DuckDBPyConnection] = []
        self._lock = Lock()

    def get(self, reader: Hashable, paths: Sequence[TablePath], limits: Limits) -> Engine:
        """The reader's database; another one where rights or limits have changed, which are part of `reader`."""
        with self._lock:
            engine = self._open.pop(reader, None)
            if engine is None:
                engine = Engine(self._database(), self._delta, paths, limits)
                self._forget()
            self._open[reader] = engine
        return engine

    def prepare(self) -> None:
        """Open the spare databases."""
        while len(self._waiting) < self._spares:
            self._waiting.append(open_database(self._settings))

    def close(self) -> None:
        """Close all databases."""
        for engine in self._open.values():
            engine.close()

    def _database(self) -> duckdb.DuckDBPyConnection:
        database = self._waiting.pop() if self._waiting else open_database(self._settings)
        if self._spares:
            Thread(target=self.prepare, daemon=True).start()
        return database

    def _forget(self) -> None:
        """Close databases without a query while there are too many, or they hold too much."""
        used = sum(engine.used_bytes() for engine in self._open.values())
        for reader, engine in list(self._open.items()):
            if len(self._open) < MOST and used <= self._most_bytes:
                return
            if engine.is_idle:
                used -= engine.used_bytes()
                del self._open[reader]  # its last cursor closes it
