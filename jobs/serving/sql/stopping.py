"""Ends queries: after their time, or when somebody cancels them."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import duckdb

AGAIN_S = 0.1


class Stop:
    """Of one query; `cancel` may be called from any thread, before the query begins too."""

    def __init__(self) -> None:
        self.is_cancelled = False
        self._wake, self._done = Event(), Event()

    def cancel(self) -> None:
        """End the query now."""
        self.is_cancelled = True
        self._wake.set()

    @contextmanager
    def watched(self, cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
        """Within the block, what runs on the cursor is interrupted after so many seconds, or when it is cancelled."""
        Thread(target=self._interrupt, args=(cursor, seconds), daemon=True).start()
        try:
            yield
        finally:
            self._done.set()
            self._wake.set()

    def _interrupt(self, cursor: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self._wake.wait(seconds)
        # Again and again, since what has not begun is not interrupted.
        while not self._done.is_set():
            cursor.interrupt()
            self._done.wait(AGAIN_S)
