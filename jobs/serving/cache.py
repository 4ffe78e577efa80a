"""A cached value that is read often and slow to compute."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


# Not a cache of cachetools: there, a request during a refresh waits for it. The overview of the city and
# the loop of a month take seconds with 50,000 tickets, and hundreds of people request them; here they get the previous value.
class CachedValue(Generic[T]):
    """A value that is refreshed at most every `seconds`; during a refresh, other requests get the previous value."""

    def __init__(self, read: Callable[[], T], seconds: float) -> None:
        self._read, self._seconds, self._lock = read, seconds, Lock()
        self._value: T | None = None
        self._at = 0.0

    def get(self) -> T:
        """The value; waits only for the first one."""
        if self._value is not None and time.monotonic() - self._at < self._seconds:
            return self._value
        if not self._lock.acquire(blocking=self._value is None):
            return self._value  # type: ignore[return-value]
        try:
            if self._value is None or time.monotonic() - self._at >= self._seconds:
                self._value = self._read()
                self._at = time.monotonic()
            return self._value
        finally:
            self._lock.release()
