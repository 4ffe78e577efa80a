"""A cached value that is read often and slow to compute."""

from collections.abc import Callable
from threading import Lock, Thread
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


# Not a cache of cachetools: there, a request during a refresh waits for it. The overview of the city and
# the loop of a month take seconds with 50,000 tickets, and hundreds of people request them; here they get the previous value.
class CachedValue(Generic[T]):
    """A value that is refreshed at most every `seconds`; during a refresh, other requests get the previous value.

    `share`: it is refreshed sooner where reading it takes at most this share of the time. `ahead`: from this share of the
    time on, a request has it refreshed in the background, so that while there are requests none waits.
    """

    def __init__(self, read: Callable[[], T], seconds: float, share: float = 0.0, ahead: float = 1.0) -> None:
        self._read, self._most, self._share, self._lock = read, seconds, share, Lock()
        self._seconds, self._ahead = seconds, ahead
        self._value: T | None = None
        self._at = 0.0

    def get(self) -> T:
        """The value; waits only for the first one."""
        age = monotonic() - self._at
        if self._value is not None and age < self._seconds:
            if age >= self._seconds * self._ahead and not self._lock.locked():
                Thread(target=self._refreshed, args=(self._ahead, False), daemon=True).start()
            return self._value
        return self._refreshed(1.0, self._value is None)

    def _refreshed(self, share: float, waits: bool) -> T:
        """The value, which is read again where it is older than the share of its time and nobody else reads it."""
        if not self._lock.acquire(blocking=waits):
            return self._value  # type: ignore[return-value]
        try:
            if self._value is None or monotonic() - self._at >= self._seconds * share:
                began = monotonic()
                self._value = self._read()
                self._at = monotonic()
                if self._share:
                    self._seconds = min(self._most, (self._at - began) / self._share)
            return self._value
        finally:
            self._lock.release()
