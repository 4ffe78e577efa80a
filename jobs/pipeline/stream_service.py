"""The stream as a service: one owner of the query, restarted when it fails; hours are sealed as they become due."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from jobs.contracts import Registry, load_usable
from jobs.errors import LakeError
from jobs.lake.lake import Lake
from jobs.lake.session import is_unavailable
from jobs.pipeline.processing import report_and_govern
from jobs.pipeline.products import build_of
from jobs.pipeline.stream_alarms import publish
from jobs.pipeline.stream_query import start, subscribed
from jobs.pipeline.stream_seal import seal_due

if TYPE_CHECKING:
    from pyspark.sql.connect.streaming import StreamingQuery

logger = logging.getLogger(__name__)
LOOK_S, BEAT_S = 2.0, 10.0
"""Seconds between looks at the query and at due hours, and between signs of life."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0


class StreamService:
    """Runs the query until it is stopped; while another process owns the query, it is on standby."""

    def __init__(self, lake: Lake, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._lake, self._now = lake, now
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._query: StreamingQuery | None = None
        self._datasets: tuple[str, ...] = ()
        self._checkpoint: str | None = None
        self._pause_s = FIRST_PAUSE_S
        self._behind: set[str] | None = None
        """Datasets whose hours may lack reports, tickets or products; None at first: those of a process that died."""

    def run(self, stop: threading.Event) -> None:
        """Run until `stop` is set, then end the query and leave."""
        beat = threading.Thread(target=self._beat, args=(stop,), daemon=True)
        beat.start()
        try:
            while not stop.wait(self._turn()):
                pass
        finally:
            stop.set()
            beat.join()
            self._end()
            self._lake.streams.leave(self.owner)

    def _beat(self, stop: threading.Event) -> None:
        """Say that this owner lives, also while an hour is being evaluated."""
        while True:
            try:
                self._checkpoint = self._lake.streams.own(self.owner, self._now())
            except LakeError as error:
                logger.warning("the state database does not answer: %s", error)
            if stop.wait(BEAT_S if self._checkpoint else LOOK_S):
                return

    def _turn(self) -> float:
        """One look at the query and at due hours; the seconds to wait before the next."""
        if self._checkpoint is None:
            self._end()
            return LOOK_S
        try:
            settings = self._lake.settings
            registry = load_usable(settings.schemas, settings.expectations)
            self._keep_running(registry, self._checkpoint)
            publish(self._lake, self._now())
            failed: list[Exception] = []
            evaluated = seal_due(self._lake, registry, self._now(), failed)
            sealed = {self._lake.ledger.get(delivery).dataset for delivery in evaluated}
            of_before = {contract.id for contract in registry.streams()} if self._behind is None else self._behind
            self._behind = sealed | of_before
            if self._behind:
                _follow_up(self._lake, registry, self._behind)
                self._behind = set()
            if failed:
                raise failed[0]
        except Exception as error:  # whatever failed is tried again, and the others go on
            return self._failed(error)
        self._pause_s = FIRST_PAUSE_S
        return LOOK_S

    def _keep_running(self, registry: Registry, checkpoint: str) -> None:
        """Start the query where it does not run, or where other contracts have streams now."""
        datasets = tuple(contract.id for contract in subscribed(registry))
        query, self._query = self._query, None
        if query is not None and query.isActive and datasets == self._datasets:
            self._query = query
            return
        if query is not None:
            error = query.exception()
            query.stop()
            if error is not None:
                raise error
        if datasets:
            logger.info("streaming %s", ", ".join(datasets))
            self._query, self._datasets = start(self._lake, registry, checkpoint), datasets

    def _failed(self, error: Exception) -> float:
        logger.error("tried again in %s s: %s", self._pause_s, str(error).split("\n")[0][:300])
        if is_unavailable(error):
            self._query = None
            with suppress(Exception):
                self._lake.reset_engine()
        pause, self._pause_s = self._pause_s, min(2 * self._pause_s, LONGEST_PAUSE_S)
        return pause

    def _end(self) -> None:
        query, self._query = self._query, None
        if query is not None:
            with suppress(Exception):  # an unavailable engine runs no query
                query.stop()


def seal(lake: Lake, registry: Registry, now: datetime) -> list[str]:
    """The deliveries of the hours that are due, evaluated and reported."""
    if lake.settings.kafka_servers:
        publish(lake, now)
    evaluated = seal_due(lake, registry, now)
    _follow_up(lake, registry, {lake.ledger.get(delivery).dataset for delivery in evaluated})
    return evaluated


def _follow_up(lake: Lake, registry: Registry, datasets: Collection[str]) -> None:
    """Reports and tickets of evaluated deliveries, and the products that are made from these datasets."""
    report_and_govern(lake, registry)
    build_of(lake, registry, datasets)


def read_once(lake: Lake, registry: Registry) -> list[str]:
    """Read what the broker has now, and evaluate the hours that are due; nothing without a broker, or where a service owns the query.

    The deliveries that were evaluated.
    """
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    has_streams = bool(lake.settings.kafka_servers and subscribed(registry))
    checkpoint = lake.streams.own(owner, datetime.now(UTC)) if has_streams else None
    if checkpoint is None:
        return []
    try:
        query = start(lake, registry, checkpoint, until_now=True)
        while not query.awaitTermination(10):
            lake.streams.own(owner, datetime.now(UTC))
        return seal(lake, registry, datetime.now(UTC))
    finally:
        lake.streams.leave(owner)
