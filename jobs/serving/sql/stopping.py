"""Ends queries: after their time, or when they are cancelled."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic
from typing import Protocol

AGAIN_S = 0.1


class Interruptible(Protocol):
    """What runs a query."""

    def interrupt(self) -> None: ...


class Stop:
    """Of one query; `cancel` may be called from any thread, before the query begins too."""

    def __init__(self) -> None:
        self.is_cancelled = False
        self._wake = Event()
        self._ends_at: float | None = None

    def cancel(self) -> None:
        """End the query now."""
        self.is_cancelled = True
        self._wake.set()

    def has_ended(self) -> bool:
        """Whether its time is over."""
        return self._ends_at is not None and monotonic() >= self._ends_at

    @contextmanager
    def watched(self, cursor: Interruptible, seconds: float) -> Iterator[None]:
        """Within the block, what runs on the cursor is interrupted so many seconds after the first block, or when it is cancelled."""
        self._ends_at = self._ends_at or monotonic() + seconds
        self._wake, done = Event(), Event()
        if self.is_cancelled:
            self._wake.set()
        remaining = max(0.0, self._ends_at - monotonic())
        Thread(target=_interrupt, args=(cursor, remaining, self._wake, done), daemon=True).start()
        try:
            yield
        finally:
            done.set()
            self._wake.set()


def _interrupt(cursor: Interruptible, seconds: float, wake: Event, done: Event) -> None:
    wake.wait(seconds)
    # Again and again, since what has not begun is not interrupted.
    while not done.is_set():
        cursor.interrupt()
        done.wait(AGAIN_S)
