"""Delta tables that stay open: the next reader of a table gets it with the newer commits alone, not with its whole log."""

import copy
import threading
import weakref
from collections import OrderedDict

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

MOST = 256
"""Open tables in memory; the one that was used longest ago is closed first."""


class OpenTables:
    """Lends each table to one borrower at a time, since a table moves on to its newest version; safe for threads.

    A table is back when the borrower's reference to it is gone.
    """

    def __init__(self, options: dict[str, str], most: int = MOST) -> None:
        self._options, self._most = options, most
        self._idle: OrderedDict[tuple[str, int], DeltaTable] = OrderedDict()
        self._lock = threading.Lock()
        self._returns = 0
        self._pinned: OrderedDict[tuple[str, int], DeltaTable] = OrderedDict()

    def newest(self, url: str) -> DeltaTable | None:
        """The table at its newest version; None where it does not exist."""
        table = self._idle_table(url)
        try:
            if table is not None:
                table.update_incremental()
        except DeltaError:  # made anew, or its log was shortened meanwhile
            table = None
        try:
            return self._lent(url, table or DeltaTable(url, storage_options=self._options))
        except TableNotFoundError:
            return None

    def at(self, url: str, version: int) -> DeltaTable | None:
        """The table at a version, to be read; None where it does not exist."""
        with self._lock:
            table = self._pinned.pop((url, version), None)
        try:
            table = table or DeltaTable(url, version=version, storage_options=self._options)
        except TableNotFoundError:
            return None
        with self._lock:
            self._pinned[url, version] = table
            if len(self._pinned) > self._most:
                self._pinned.popitem(last=False)
        return table

    def _lent(self, url: str, table: DeltaTable) -> DeltaTable:
        lent = copy.copy(table)
        weakref.finalize(lent, self._give_back, url, table).atexit = False
        return lent

    def _idle_table(self, url: str) -> DeltaTable | None:
        with self._lock:
            found = next((key for key in reversed(self._idle) if key[0] == url), None)
            return None if found is None else self._idle.pop(found)

    def _give_back(self, url: str, table: DeltaTable) -> None:
        with self._lock:
            self._returns += 1
            self._idle[url, self._returns] = table
            if len(self._idle) > self._most:
                self._idle.popitem(last=False)
