"""Readings by MQTT over TLS, through real servers, are in Kafka and in the lake; a certificate that is not trusted gets none."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jobs.contracts import Registry
from jobs.lake.broker import ensure_topics, producer, topic
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.serving.collector.mqtt import Bridge
from jobs.settings import Settings
from tests.mosquitto import NEEDS_MOSQUITTO, PATIENCE_S, TRIES, mqtt_server, publish, self_signed
from tests.spark.readings import DATASET, HOUR, all_rows, reading, run, with_contracts

pytestmark = NEEDS_MOSQUITTO
PATH = f"telemetry/heat/{DATASET}"


class Counting:
    """The real producer; `enough` is set once Kafka has so many messages of it."""

    def __init__(self, settings: Settings, wanted: int) -> None:
        self._inner, self._left, self.enough = producer(settings), wanted, threading.Event()

    def produce(self, *arguments: Any, on_delivery: Callable[[Any, Any], None], **named: Any) -> None:
        def counted(error: Any, message: Any) -> None:
            on_delivery(error, message)
            self._left -= error is None
            if self._left <= 0:
                self.enough.set()

        self._inner.produce(*arguments, on_delivery=counted, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@contextmanager
def bridge(settings: Settings, registry: Registry, counting: Counting) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=Bridge(settings, lambda: registry, counting).run, args=(stop, 0.05))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)


def test_readings_over_tls_are_in_kafka_and_in_the_lake(
    stream_lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path
) -> None:
    registry = with_contracts(stream_lake, write_contracts)
    ensure_topics(stream_lake.settings, [topic(stream_lake.settings, DATASET)])
    own, other = self_signed(tmp_path / "own.pem"), self_signed(tmp_path / "other.pem")
    sent = [(PATH, json.dumps(reading("A", minute)).encode()) for minute in range(20)]
    with mqtt_server(tmp_path, own) as port:
        trusting = stream_lake.settings.model_copy(update={"mqtt_url": f"mqtts://127.0.0.1:{port}", "mqtt_ca": own})
        first = Counting(trusting, 1)
        with bridge(trusting, registry, first):  # from now on the server keeps messages for it
            assert any(publish(port, sent[:1], ca=own) or first.enough.wait(0.2) for _ in range(TRIES))
        publish(port, sent, ca=own)
        distrusting = trusting.model_copy(update={"mqtt_ca": other})
        assert Bridge(distrusting, lambda: registry, first)._connected() is None
        rest = Counting(trusting, len(sent))
        with bridge(trusting, registry, rest):
            assert rest.enough.wait(PATIENCE_S)
    run(stream_lake, registry)
    times: list[datetime] = [row["read_at"] for row in all_rows(stream_lake, Zone.SILVER)]
    assert sorted(times) == [HOUR + timedelta(minutes=minute) for minute in range(20)]
    assert {row["sender"] for row in all_rows(stream_lake, Zone.TELEMETRY)} == {"heat"}
