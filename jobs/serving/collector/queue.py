"""Readings put into the broker: acknowledged when every replica has them, refused when too many wait."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

from jobs.lake.broker import producer
from jobs.serving.collector.readings import Rejected, SentReading
from jobs.settings import Settings

MOST_WAITING = 20_000
"""Readings that wait for the broker; more are refused for now."""
PATIENCE_MS = 10_000
POLL_S = 0.1


class BrokerQueue:
    """One producer for all requests; its callbacks come from a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        options = {"delivery.timeout.ms": PATIENCE_MS, "queue.buffering.max.messages": 2 * MOST_WAITING}
        self._producer = producer(settings, **options)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()
        self.waiting = 0

    async def put(self, topic: str, readings: Sequence[SentReading], sender: str, number: str) -> None:
        """Put readings of one request; returns when all are stored. `number` is the request's, of the sender."""
        if self.waiting + len(readings) > MOST_WAITING and self.waiting:
            raise Rejected(429, "接收繁忙，请稍后重发", f"{self.waiting} readings wait for the broker")
        batch = _Stored(len(readings), asyncio.get_running_loop())
        self.waiting += len(readings)
        try:
            for index, reading in enumerate(readings, 1):
                headers: dict[str, Any] = {"sender": sender} | ({"id": f"{number}/{index}"} if number else {})
                key = reading.device.encode() or None
                self._producer.produce(topic, reading.value, key=key, headers=headers, on_delivery=batch.one)
            error = await batch.done
        except BufferError as error:
            raise Rejected(429, "接收繁忙，请稍后重发", f"the producer's queue is full: {error}") from error
        finally:
            self.waiting -= len(readings)
        if error is not None:
            raise Rejected(503, "消息队列暂不可用，请稍后用同一编号重发", f"broker: {error}")

    def close(self) -> None:
        """Send what waits, and stop."""
        self._producer.flush(PATIENCE_MS / 1000)
        self._stopped.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._stopped.is_set():
            self._producer.poll(POLL_S)


class _Stored:
    """Counts the acknowledgements of one request; `done` has the first error, or None."""

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self._left, self._loop, self._error = count, loop, None
        self.done: asyncio.Future[Any] = loop.create_future()

    def one(self, error: Any, _message: Any) -> None:
        """Called from the producer's thread, for each reading."""
        self._error = self._error or error
        self._left -= 1
        if not self._left:
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(self._error)
