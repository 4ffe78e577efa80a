"""Readings by MQTT, through a real server: each is in the broker before it is acknowledged, and what failed comes again."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.contracts import load_usable
from jobs.errors import UserError
from jobs.serving.collector.mqtt import Bridge
from jobs.serving.collector.readings import MOST_READING
from jobs.settings import PROJECT, Settings
from tests.mosquitto import NEEDS_MOSQUITTO, PATIENCE_S, mqtt_server, publish

pytestmark = NEEDS_MOSQUITTO
REGISTRY = load_usable(PROJECT / "schemas", PROJECT / "expectations")
TOPIC = "telemetry/liaocheng_water/water_plant_minutes"


class Broker:
    """Stores messages; refuses the first `failing` of them. `enough` is set once it has `wanted`."""

    def __init__(self, wanted: int, failing: int = 0) -> None:
        self.stored: list[tuple[str, bytes, dict[str, str]]] = []
        self.wanted, self.failing, self.enough = wanted, failing, threading.Event()
        self._waiting: list[Any] = []

    def produce(self, topic: str, value: bytes, key: bytes | None, headers: dict[str, str], on_delivery: Any) -> None:
        if self.failing:
            self.failing -= 1
            self._waiting.append((on_delivery, "no leader"))
            return
        self.stored.append((topic, value, headers))
        self._waiting.append((on_delivery, None))

    def poll(self, seconds: float) -> None:
        while self._waiting:
            done, error = self._waiting.pop(0)
            done(error, None)
        if len(self.stored) >= self.wanted:
            self.enough.set()
        threading.Event().wait(min(seconds, 0.01))

    def flush(self, seconds: float) -> None:
        self.poll(0)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The port of an MQTT server."""
    with mqtt_server(tmp_path) as number:
        yield number


def bridged(port: int, broker: Broker, version: str = "5", before: Any = lambda: None) -> None:
    """Run a bridge until the broker has what is wanted."""
    settings = Settings(_env_file=None, mqtt_url=f"mqtt://127.0.0.1:{port}", mqtt_version=version)  # type: ignore[call-arg,arg-type]
    stop = threading.Event()
    bridge = threading.Thread(target=Bridge(settings, lambda: REGISTRY, broker).run, args=(stop, 0.05))
    bridge.start()
    try:
        before()
        assert broker.enough.wait(PATIENCE_S), broker.stored
    finally:
        stop.set()
        bridge.join(PATIENCE_S)


def session(port: int, version: str) -> None:
    """The bridge was there once: the server keeps messages for it."""
    bridged(port, Broker(0), version)


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_readings_of_a_time_without_a_bridge_come_later(port: int, version: str) -> None:
    session(port, version)
    sent = [{"device_id": "W1", "read_at": f"2026-11-28 10:0{n}:00", "ph": 7.1} for n in range(9)]
    publish(port, [(TOPIC, json.dumps(one).encode()) for one in sent], version)
    broker = Broker(len(sent))
    bridged(port, broker, version)
    assert [json.loads(value) for _, value, _ in broker.stored] == sent
    assert {topic for topic, _, _ in broker.stored} == {"telemetry.water_plant_minutes"}
    again = Broker(1)
    bridged(port, again, version, lambda: publish(port, [(TOPIC, b'{"device_id": "W2"}')], version))
    assert [value for _, value, _ in again.stored] == [b'{"device_id": "W2"}']  # the others were acknowledged


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_what_the_broker_did_not_store_comes_again(port: int, version: str) -> None:
    session(port, version)
    publish(port, [(TOPIC, b'{"device_id": "%d"}' % n) for n in range(5)], version)
    broker = Broker(5, failing=2)
    bridged(port, broker, version)
    assert {value for _, value, _ in broker.stored} >= {b'{"device_id": "%d"}' % n for n in range(5)}


def test_lists_numbers_poison_and_unknown_topics(port: int) -> None:
    session(port, "5")
    publish(port, [(TOPIC + "/W1", b'[{"device_id": "W1"}, {"device_id": "W2"}]')], number="77")
    publish(port, [(TOPIC, b"no json"), ("telemetry/liaocheng_gas/water_plant_minutes", b"{}"), ("telemetry/x", b"")])
    publish(port, [(TOPIC, b"x" * (MOST_READING + 5))])
    broker = Broker(7)
    bridged(port, broker)
    own = [(value, headers) for topic, value, headers in broker.stored if topic == "telemetry.water_plant_minutes"]
    assert own[0] == (b'{"device_id": "W1"}', {"sender": "liaocheng_water", "id": "77/1"})
    assert own[1][1]["id"] == "77/2"
    assert own[2][0] == b"no json"
    unrouted = [value for topic, value, _ in broker.stored if topic == "telemetry.unrouted"]
    assert unrouted[:2] == [b"{}", b""]
    assert b"".join(unrouted[2:]) == b"x" * (MOST_READING + 5)


def test_a_certificate_file_that_is_missing_is_named(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, mqtt_url="mqtts://127.0.0.1:1", mqtt_ca=tmp_path / "ca.pem")  # type: ignore[call-arg]
    with pytest.raises(UserError, match=r"ca\.pem"):
        Bridge(settings, lambda: REGISTRY, Broker(0)).run(threading.Event())
