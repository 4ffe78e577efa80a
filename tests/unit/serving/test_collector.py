"""The collector answers when the broker has the readings, and names the place of what is wrong."""

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobs.contracts import Registry
from jobs.errors import Unknown
from jobs.lake.database import Database
from jobs.serving.collector.app import Collector, app
from jobs.serving.collector.keys import Keys
from jobs.serving.collector.queue import BrokerQueue
from jobs.serving.collector.readings import MOST_BODY, MOST_READING, Rejected, SentReading, readings, unpacked
from jobs.settings import Settings
from tests.contract_texts import STATION_FIELDS, contract, stream_contract

NOW = datetime(2026, 1, 12, tzinfo=UTC)


class Memory:
    """A queue that stores at once, or refuses."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, bytes, str, str]] = []
        self.refusal: Rejected | None = None
        self.waiting = 0

    async def put(self, topic: str, readings: Sequence[SentReading], sender: str, number: str) -> None:
        if self.refusal:
            raise self.refusal
        self.stored += [(topic, r.value, r.device, f"{sender} {number}") for r in readings]

    def close(self) -> None:
        """Nothing waits."""


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    database.migrate()
    yield Keys(database)
    database.close()


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    return write_contracts(
        {
            "schemas/sources/heat/station.yaml": stream_contract("station"),
            "schemas/sources/heat/files.yaml": contract("files", STATION_FIELDS),
        }
    )


@pytest.fixture
def queue() -> Memory:
    return Memory()


@pytest.fixture
def post(keys: Keys, registry: Registry, queue: Memory) -> Callable[..., Any]:
    _, secret = keys.add("heat", "", datetime.now(UTC))
    collector = app(Collector(Settings(), lambda: registry, keys, queue))  # type: ignore[arg-type]

    def send(body: bytes, dataset: str = "station", key: str = secret, **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return ask(collector, "POST", f"/v1/telemetry/{dataset}", content=body, headers=sent)

    send.get = lambda path: ask(collector, "GET", path)  # type: ignore[attr-defined]
    return send


def ask(collector: Any, method: str, path: str, **request: Any) -> httpx.Response:
    """One request to the application, without a server."""

    async def answer() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(collector), base_url="http://collector") as client:
            return await client.request(method, path, **request)

    return asyncio.run(answer())


def test_readings_are_stored_with_their_very_bytes(post: Callable[..., Any], queue: Memory) -> None:
    body = b' [ {"station": "A", "temp_c": 1.10},\n {"temp_c":2e0,"station":"B"} ] '
    answer = post(body, idempotency_key="n1")
    assert (answer.status_code, answer.json()) == (200, {"accepted": 2})
    assert queue.stored == [
        ("telemetry.station", b'{"station": "A", "temp_c": 1.10}', "A", "heat n1"),
        ("telemetry.station", b'{"temp_c":2e0,"station":"B"}', "B", "heat n1"),
    ]


def test_one_reading_packed(post: Callable[..., Any], queue: Memory) -> None:
    answer = post(gzip.compress(b'{"station": "A"}'), content_encoding="gzip")
    assert answer.json() == {"accepted": 1}
    assert queue.stored[0][1] == b'{"station": "A"}'


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        (b"", 422, "line 1, column 1"),
        (b"[]", 422, "no reading"),
        (b'{"a": }', 422, "line 1, column 7"),
        (b'[{"a": 1},\n {"b" 2}]', 422, "line 2, column 7"),
        (b'[{"a": 1} {"b": 2}]', 422, "column 11"),
        (b'[{"a": 1},', 422, "column 11"),
        (b'{"a": 1} x', 422, "text after the end"),
        (b'[{"a": 1}, 3]', 422, "reading 2 is no object"),
        (b'{"a": "\xff"}', 422, "byte 7"),
        (b"[" * 100_000, 422, ""),
        (json.dumps([{}, {"a": "x" * MOST_READING}]).encode(), 413, "reading 2 has"),
        (b" " * (MOST_BODY + 1), 413, "more than"),
    ],
)
def test_mistakes_are_named_by_their_place(
    post: Callable[..., Any], queue: Memory, body: bytes, status: int, place: str
) -> None:
    answer = post(body)
    assert answer.status_code == status
    assert place in answer.json()["detail"]
    assert answer.json()["error"]
    assert queue.stored == []


@pytest.mark.parametrize(
    ("data", "encoding", "status"),
    [
        (b"{}", "br", 415),
        (b"{}", "gzip", 422),
        (gzip.compress(b"{}", mtime=0)[:-4], "gzip", 422),
        (gzip.compress(b" " * (MOST_BODY + 1), mtime=0), "gzip", 413),
    ],
)
def test_a_body_that_cannot_be_unpacked(data: bytes, encoding: str, status: int) -> None:
    with pytest.raises(Rejected) as refused:
        unpacked(data, encoding)
    assert refused.value.status == status


def test_who_may_send_what(post: Callable[..., Any], keys: Keys) -> None:
    _, other = keys.add("water", "", datetime.now(UTC))
    assert post(b"{}", key="lake_x_y").status_code == 401
    assert post(b"{}", key="").headers["www-authenticate"] == "Bearer"
    assert post(b"{}", key=other).status_code == 403
    assert post(b"{}", dataset="files").status_code == 404
    assert post(b"{}", dataset="nothing").status_code == 404


def test_pressure_and_outage_ask_for_another_try(post: Callable[..., Any], queue: Memory) -> None:
    for status in (429, 503):
        queue.refusal = Rejected(status, "繁忙", "busy")
        answer = post(b"{}")
        assert (answer.status_code, answer.headers["retry-after"]) == (status, "2")


def test_metrics_count_what_was_accepted_and_refused(post: Callable[..., Any]) -> None:
    post(b"[{}, {}]")
    post(b"x")
    text = post.get("/metrics").text  # type: ignore[attr-defined]
    assert 'lake_collector_readings_total{dataset="station"} 2' in text
    assert 'lake_collector_refused_total{status="422"} 1' in text
    assert post.get("/healthz").text == "ok"  # type: ignore[attr-defined]


def test_a_rotated_key_stays_valid_for_a_while_and_an_ended_one_does_not(keys: Keys) -> None:
    old, secret = keys.add("heat", "调度", NOW)
    new, fresh = keys.rotate(old.id, NOW, NOW + timedelta(hours=1))
    assert (new.provider, new.note) == ("heat", "调度")
    assert keys.owner(secret, NOW + timedelta(minutes=59)) and keys.owner(fresh, NOW + timedelta(days=9))
    assert keys.owner(secret, NOW + timedelta(hours=1)) is None
    keys.end(new.id, NOW)
    assert keys.owner(fresh, NOW) is None
    assert secret not in repr(keys.all())
    with pytest.raises(Unknown):
        keys.end("nothing", NOW)


class Broker:
    """A producer whose acknowledgements the test triggers."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[Any, Any], None]] = []

    def produce(self, *_: Any, on_delivery: Callable[[Any, Any], None], **__: Any) -> None:
        self.waiting.append(on_delivery)


@pytest.fixture
def broker_queue() -> BrokerQueue:
    queue = object.__new__(BrokerQueue)
    queue._producer, queue.waiting = Broker(), 0  # type: ignore[assignment]
    return queue


@pytest.mark.parametrize("error", [None, "broker is unavailable"])
def test_an_answer_waits_for_every_acknowledgement(broker_queue: BrokerQueue, error: str | None) -> None:
    async def scene() -> Any:
        task = asyncio.ensure_future(broker_queue.put("t", readings(b"[{}, {}]", ["station"]), "heat", ""))
        await asyncio.sleep(0)
        first, second = broker_queue._producer.waiting  # type: ignore[attr-defined]
        first(error, None)
        await asyncio.sleep(0)
        assert not task.done() and broker_queue.waiting == 2
        second(None, None)
        return await task

    if error is None:
        asyncio.run(scene())
    else:
        with pytest.raises(Rejected) as refused:
            asyncio.run(scene())
        assert refused.value.status == 503
    assert broker_queue.waiting == 0


def test_too_many_waiting_readings_are_refused(broker_queue: BrokerQueue) -> None:
    broker_queue.waiting = 10**9
    with pytest.raises(Rejected) as refused:
        asyncio.run(broker_queue.put("t", readings(b"{}", ["station"]), "heat", ""))
    assert refused.value.status == 429
