"""Readings through Kafka to silver: how many a second, how soon, and how much longer than unchecked; and the collector."""

import asyncio
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pyspark.sql import functions as F

from jobs.contracts import Registry
from jobs.contracts import load as load_contracts
from jobs.lake.broker import ensure_topics, producer, spark_options, topic
from jobs.lake.database import Database
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline import stream_query
from jobs.pipeline.stream_alarms import alarms_of
from jobs.pipeline.stream_seal import seal_due
from jobs.serving.collector.keys import Keys
from tests.bench.common import Measures
from tests.contract_texts import stream_contract

DATASET, DEVICES = "meter", 1000
WARM_ROWS, ROWS = 300_000, 700_000
RATE, SECONDS = 2_000, 20
PATIENCE_S = 600
FIELDS = """
      - {name: station, businessName: 设备, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1, logicalTypeOptions: {pattern: '^M-[0-9]{4}$'}}
      - {name: read_at, businessName: 时间, logicalType: timestamp, required: true, primaryKey: true, primaryKeyPosition: 2}
""" + "".join(
    f"      - {{name: value_{n}, businessName: 读数{n}, logicalType: number, required: true, "
    "logicalTypeOptions: {minimum: 0, maximum: 100}}\n"
    for n in "abcdef"
)
SUITE = """name: meter
expectations:
  - id: a_above_b
    type: expect_column_pair_values_a_to_be_greater_than_b
    kwargs: {column_A: value_a, column_B: value_b, ignore_row_if: either_value_is_missing}
    severity: warning
    meta: {dimension: 一致性, message: 甲不高于乙, remedy: 请核对, basis: 约定, alarm: {after: 1, clear_after: 1}}
"""


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """All figures of streams, in one run."""
    registry = _contracts(lake, folder)
    ensure_topics(lake.settings, [topic(lake.settings, DATASET)])
    rules = len(registry.rules[DATASET])
    _send(lake, _readings(0, WARM_ROWS))
    readings = list(_readings(WARM_ROWS, ROWS))
    with _streaming(lake, registry):
        _until(lake, WARM_ROWS)
        _send(lake, readings)
        rows, ours = _sustained(lake, WARM_ROWS + ROWS)
        _latency(lake, measures)
        _alarm(lake, measures)
    bare = _bare(lake)
    measures.say("stream_rows_per_s", rows / ours, "≥ 20000", f"{rows:,} rows, {rules} rules, Kafka to silver")
    per_row = bare / (WARM_ROWS + ROWS + RATE * SECONDS + 1)
    measures.say("stream_ratio", ours / rows / per_row, "≤ 1.3", f"ours {ours:.1f} s; unchecked {per_row * rows:.1f} s")
    _seal(lake, registry, measures)


def measure_collector(lake: Lake, folder: Path, measures: Measures) -> None:
    """Requests of 100 readings by four clients; the shipped contract of heat stations."""
    database = Database(lake.settings.state_url())
    _, secret = Keys(database).add("liaocheng_heat", "", datetime.now(UTC))
    database.close()
    waits, seconds = asyncio.run(_post(lake.settings.collector_url, secret))
    waits.sort()
    p95 = waits[int(len(waits) * 0.95)] * 1000
    measures.say("collector_readings_per_s", 100 * len(waits) / seconds, "≥ 5000", f"{len(waits)} requests of 100")
    measures.say("collector_p95_ms", p95, "≤ 50", f"median {statistics.median(waits) * 1000:.0f} ms")


async def _post(url: str, secret: str) -> tuple[list[float], float]:
    readings = [{"device_id": f"HS-371502-{n:03d}", "read_at": "2026-01-12 08:00:00"} for n in range(100)]
    body, headers = json.dumps(readings).encode(), {"Authorization": f"Bearer {secret}"}
    waits: list[float] = []

    async def client() -> None:
        async with httpx.AsyncClient(trust_env=False, headers=headers) as session:
            for _ in range(150):
                began = time.perf_counter()
                answer = await session.post(f"{url}/v1/telemetry/heat_station_minutes", content=body)
                answer.raise_for_status()
                waits.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(4)))
    return waits, time.perf_counter() - began


def _contracts(lake: Lake, folder: Path) -> Registry:
    schemas, suites = folder / "schemas", folder / "expectations"
    for path, text in (
        (schemas / "sources/heat/meter.yaml", stream_contract(DATASET, FIELDS)),
        (suites / "sources/heat/meter.yaml", SUITE),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    lake.settings = lake.settings.model_copy(update={"schemas": schemas, "expectations": suites})
    lake.store.create()
    return load_contracts(schemas, suites)


def _readings(first: int, count: int) -> Iterator[bytes]:
    start = datetime.now(UTC) - timedelta(minutes=1)
    for number in range(first, first + count):
        at = start + timedelta(milliseconds=number // DEVICES)
        values = {f"value_{n}": 50 + i / 10 for i, n in enumerate("fedcba")}
        reading = {"station": f"M-{number % DEVICES:04d}", "read_at": at.isoformat(timespec="milliseconds"), **values}
        yield json.dumps(reading).encode()


def _send(lake: Lake, readings: Iterable[bytes]) -> None:
    client = producer(lake.settings, **{"queue.buffering.max.messages": 500_000})
    for number, value in enumerate(readings):
        client.produce(topic(lake.settings, DATASET), value, key=str(number % DEVICES))
        if number % 1000 == 0:
            client.poll(0)
    client.flush()


@contextmanager
def _streaming(lake: Lake, registry: Registry) -> Iterator[None]:
    checkpoint = lake.streams.own("bench", datetime.now(UTC))
    query = stream_query.start(lake, registry, checkpoint or "")
    try:
        yield
    finally:
        query.stop()
        lake.streams.leave("bench")


def _count(lake: Lake) -> int:
    return lake.delta.count(lake.path(Zone.SILVER, DATASET))


def _sustained(lake: Lake, total: int) -> tuple[int, float]:
    """Rows and seconds from the next batch until all are in silver: the sender, on this same machine, is done by then."""
    sent = _count(lake)
    _until(lake, sent + 1)
    began, before = time.perf_counter(), _count(lake)
    _until(lake, total)
    return total - before, time.perf_counter() - began


def _until(lake: Lake, rows: int) -> None:
    _wait(lambda: _count(lake) >= rows, every_s=0.2)


def _wait(is_done: Callable[[], bool], every_s: float = 0.05) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not done after {PATIENCE_S} s")
        time.sleep(every_s)


def _latency(lake: Lake, measures: Measures) -> None:
    """At a steady rate: from a reading's sending until silver has as many rows as were sent by then."""
    before, sent = _count(lake), []

    def send() -> None:
        client, began, readings = producer(lake.settings), time.perf_counter(), _readings(10**7, RATE * SECONDS)
        for number, value in enumerate(readings, 1):
            client.produce(topic(lake.settings, DATASET), value, key=str(number % DEVICES))
            if number % 40 == 0:
                client.poll(0)
                sent.append((time.perf_counter(), number))
                time.sleep(max(0, began + number / RATE - time.perf_counter()))
        client.flush()

    thread = threading.Thread(target=send)
    thread.start()
    seen: list[tuple[float, int]] = []
    _wait(lambda: _seen(seen, _count(lake) - before) >= RATE * SECONDS)
    thread.join()
    waits = sorted(_waits(sent, seen))
    note = f"{RATE} readings a second for {SECONDS} s"
    measures.say("event_to_silver_p50_s", statistics.median(waits), "≤ 2", note)
    measures.say("event_to_silver_p95_s", waits[int(len(waits) * 0.95)], "≤ 5", note)


def _seen(seen: list[tuple[float, int]], count: int) -> int:
    seen.append((time.perf_counter(), count))
    return count


def _waits(sent: Sequence[tuple[float, int]], seen: Sequence[tuple[float, int]]) -> Iterator[float]:
    place = 0
    for at, number in sent:
        while seen[place][1] < number:
            place += 1
        yield max(0.0, seen[place][0] - at)


def _alarm(lake: Lake, measures: Measures) -> None:
    """From the sending of one reading beyond a limit until its alarm is open."""
    reading: dict[str, Any] = {"station": "M-0001", "read_at": datetime.now(UTC).isoformat(timespec="milliseconds")}
    reading |= {f"value_{n}": 50 for n in "bcdef"} | {"value_a": 1}
    began = time.perf_counter()
    _send(lake, [json.dumps(reading).encode()])
    _wait(lambda: bool(alarms_of(lake).all()))
    measures.say("event_to_alarm_s", time.perf_counter() - began, "≤ 3", "one reading, idle stream")


def _seal(lake: Lake, registry: Registry, measures: Measures) -> None:
    """The hours of all readings become deliveries: each is far larger than what the engine evaluates in memory."""
    before, began = _count(lake), time.perf_counter()
    ids = seal_due(lake, registry, datetime.now(UTC) + timedelta(hours=3))
    seconds = time.perf_counter() - began
    sealed = [lake.ledger.get(delivery) for delivery in ids]
    if _count(lake) != before or sum(delivery.counted_rows or 0 for delivery in sealed) != before:
        raise ValueError(f"{before} rows before sealing, {_count(lake)} after it")
    states = ", ".join(sorted({delivery.state.value for delivery in sealed}))
    measures.say(
        "seal_rows_per_s", before / seconds, "–", f"{before:,} readings of {len(ids)} hours, {seconds:.1f} s; {states}"
    )


def _bare(lake: Lake) -> float:
    """Seconds in which Spark alone reads the same topic, parses the fields as text, and appends them to a Delta table."""
    names = ["station", "read_at", *(f"value_{n}" for n in "abcdef")]
    schema = ", ".join(f"{name} string" for name in names)
    reader = lake.spark.readStream.format("kafka").option("startingOffsets", "earliest")
    options = {"maxOffsetsPerTrigger": str(stream_query.MOST_MESSAGES), "kafka.fetch.max.wait.ms": "20"}
    for name, value in {**options, **spark_options(lake.settings)}.items():
        reader = reader.option(name, value)
    rows = reader.option("subscribe", topic(lake.settings, DATASET)).load()
    parsed = rows.select(F.from_json(F.col("value").cast("string"), schema).alias("m")).select("m.*")
    folder = f"s3a://{lake.settings.s3_bucket}/bare"
    began = time.perf_counter()
    writer = parsed.writeStream.format("delta").option("checkpointLocation", f"{folder}-checkpoint")
    writer.trigger(availableNow=True).start(folder).awaitTermination()
    return time.perf_counter() - began
