"""Answers between the call that asks and the call that reads: each belongs to one account, is read once, and is kept for a bounded time and size."""

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from jobs.errors import Unknown, UserError
from jobs.serving.sql.answer import Answer
from jobs.serving.sql.flight.login import MOST_CALLS, Owner
from jobs.serving.sql.stopping import Stop

KEPT_S = 300.0
MOST_OF_ONE = 32
SHARE = 4
"""One account keeps at most this part of the memory for all, but one answer of any size."""
GONE = (
    "no such answer of yours: it was read, or kept for too long; ask again / 没有这个结果：已读取或已过期，请重新查询"
)


@dataclass
class Kept:
    """One answer, or the query that is still running. `ends_at`: when it is dropped, once it is there."""

    owner: Owner
    stop: Stop = field(default_factory=Stop)
    future: Future[Answer] = field(default_factory=Future)
    size_bytes: int = 0
    ends_at: float | None = None
    is_read: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether it is there, and no call reads it."""
        return self.ends_at is not None and not self.is_read


class Answers:
    """Runs queries and keeps their answers until they are read; safe for threads."""

    def __init__(self, most_bytes: int, clock: Callable[[], float] = monotonic) -> None:
        self._most_bytes, self._clock = most_bytes, clock
        self._kept: dict[bytes, Kept] = {}
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(MOST_CALLS, thread_name_prefix="flight-query")

    def start(self, owner: Owner, ask: Callable[[Stop], Answer]) -> tuple[bytes, Kept]:
        """Begin a query; its handle, and where its answer will be."""
        handle, kept = secrets.token_bytes(16), Kept(owner)
        self.sweep()
        with self._lock:
            while sum(1 for _ in self._owned(owner)) >= MOST_OF_ONE:
                self._drop_oldest(owner)
            kept.future = self._pool.submit(self._run, kept, ask)
            self._kept[handle] = kept
        return handle, kept

    def reading(self, handle: bytes, owner: Owner) -> Kept:
        """The answer, which no other call can read from now on; Unknown where it is not the owner's, was read, or is too old."""
        self.sweep()
        with self._lock:
            kept = self._kept.get(handle)
            if kept is None or kept.owner != owner or kept.is_read:
                raise Unknown(GONE)
            kept.is_read = True
            return kept

    def drop(self, handle: bytes) -> None:
        """Stop the query, and forget the answer."""
        with self._lock:
            kept = self._kept.pop(handle, None)
        if kept is not None:
            kept.stop.cancel()

    def cancel(self, handle: bytes, owner: Owner) -> bool:
        """Whether the owner has such an answer, which is dropped now."""
        with self._lock:
            kept = self._kept.get(handle)
        if kept is None or kept.owner != owner:
            return False
        self.drop(handle)
        return True

    def sweep(self) -> None:
        """Drop what was not read in time."""
        with self._lock:
            now = self._clock()
            for handle, kept in list(self._kept.items()):
                if kept.is_waiting and kept.ends_at is not None and now >= kept.ends_at:
                    del self._kept[handle]

    def close(self) -> None:
        """Stop all queries."""
        for handle in list(self._kept):
            self.drop(handle)
        self._pool.shutdown(wait=True)

    @property
    def size_bytes(self) -> int:
        """Of all answers that are kept, those that are being read too."""
        return sum(kept.size_bytes for kept in self._kept.values())

    def _run(self, kept: Kept, ask: Callable[[Stop], Answer]) -> Answer:
        try:
            answer = ask(kept.stop)
            with self._lock:
                self._make_room(kept.owner, answer.table.nbytes)
                kept.size_bytes = answer.table.nbytes
            return answer
        finally:
            kept.ends_at = self._clock() + KEPT_S

    def _make_room(self, owner: Owner, size: int) -> None:
        """Drop answers that wait: the owner's first, then of those who keep most."""
        while self._of(owner) and self._of(owner) + size > self._most_bytes // SHARE:
            self._drop_oldest(owner)
        while self.size_bytes + size > self._most_bytes:
            waiting = {kept.owner for kept in self._kept.values() if kept.is_waiting}
            if not waiting:
                return
            self._drop_oldest(max(waiting, key=self._of))

    def _of(self, owner: Owner) -> int:
        return sum(kept.size_bytes for kept in self._owned(owner))

    def _owned(self, owner: Owner) -> Iterator[Kept]:
        return (kept for kept in self._kept.values() if kept.owner == owner)

    def _drop_oldest(self, owner: Owner) -> None:
        """Drop the owner's oldest answer that waits; UserError where all are being read, or still to come."""
        oldest = next((h for h, kept in self._kept.items() if kept.owner == owner and kept.is_waiting), None)
        if oldest is None:
            raise UserError("read the answers that you asked for first / 您未取完的结果过多，请先取完")
        del self._kept[oldest]
