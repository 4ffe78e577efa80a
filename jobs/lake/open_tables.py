"""Delta tables that stay open: the next reader of a table gets it with the newer commits alone, not with its whole log."""

import copy
import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

MOST = 256
"""Open tables in memory; the one that was used longest ago is closed first."""


@dataclass(frozen=True)
class _Known:
    """A table, and the commit at which it was lent last: where the log has another one there, the table was made anew."""

    table: DeltaTable
    version: int
    stamp: object


class OpenTables:
    """Lends each table to one borrower at a time, since a table moves on to its newest version; safe for threads.

    A table is back when the borrower's reference to it is gone.
    """

    def __init__(self, options: dict[str, str], most: int = MOST) -> None:
        self._options, self._most = options, most
        self._idle: OrderedDict[tuple[str, int], _Known] = OrderedDict()
        self._lock = threading.Lock()
        self._returns = 0

    def newest(self, url: str) -> DeltaTable | None:
        """The table at its newest version; None where it does not exist."""
        idle = self._idle_table(url)
        known = (idle and _moved_on(idle)) or self._opened(url)
        if known is None:
            return None
        lent = copy.copy(known.table)
        weakref.finalize(lent, self._give_back, url, known).atexit = False
        return lent

    def _opened(self, url: str) -> _Known | None:
        """The table with its whole log read."""
        try:
            table = DeltaTable(url, storage_options=self._options)
        except TableNotFoundError:
            return None
        return _known(table, table.history(1))

    def _idle_table(self, url: str) -> _Known | None:
        with self._lock:
            found = next((key for key in reversed(self._idle) if key[0] == url), None)
            return None if found is None else self._idle.pop(found)

    def _give_back(self, url: str, known: _Known) -> None:
        with self._lock:
            self._returns += 1
            self._idle[url, self._returns] = known
            if len(self._idle) > self._most:
                self._idle.popitem(last=False)


def _moved_on(known: _Known) -> _Known | None:
    """The table at its newest version; None where its log no longer has the known commit."""
    try:
        known.table.update_incremental()
        commits = known.table.history(known.table.version() - known.version + 1)
    except DeltaError:
        return None
    if not commits or known.stamp is None or _stamp(commits[-1]) != (known.version, known.stamp):
        return None
    return _known(known.table, commits)


def _known(table: DeltaTable, commits: list[dict[str, Any]]) -> _Known:
    """The table with its newest commit; without a stamp where the log does not say when that was."""
    version, stamp = _stamp(commits[0]) if commits else (None, None)
    return _Known(table, table.version(), stamp if version == table.version() else None)


def _stamp(commit: dict[str, Any]) -> tuple[int | None, object]:
    return commit.get("version"), commit.get("timestamp")
