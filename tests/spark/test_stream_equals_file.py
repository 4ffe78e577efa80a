"""The same readings one by one, in any order and in any batches, and as one file: the same silver, quarantine and evidence."""

import csv
import itertools
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from jobs.contracts import Registry
from jobs.contracts.names import DELIVERY, FILE, FIRST_SENT, ROW, SEQ
from jobs.ingest.land import Manifest, deliver
from jobs.lake.broker import topic
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land
from jobs.pipeline.recent_readings import RecentReadings
from jobs.pipeline.stream_batch import StreamWriter
from jobs.pipeline.stream_seal import seal_due
from tests.contract_texts import STATION_FIELDS, STATION_SUITE, contract, stream_contract
from tests.spark.readings import all_rows

META = "meta: {dimension: 准确性, message: 不对, remedy: 请核对, basis: 约定}"
ORDER = "series: [station], at: read_at"
SUITE = f"""{STATION_SUITE}
  - {{id: stuck, type: expect_column_values_to_not_be_stuck, kwargs: {{column: temp_c, {ORDER}, intervals: 4}}, severity: warning, {META}}}
  - {{id: spike, type: expect_column_values_to_not_spike, kwargs: {{column: temp_c, {ORDER}, limit: 20}}, severity: critical, {META}}}
  - {{id: gap, type: expect_column_values_to_follow_in_time, kwargs: {{column: read_at, {ORDER}, interval_s: 600, limit: 3}}, severity: info, {META}}}
"""
WRITE = "  - {property: write, value: {mode: append, duplicates: drop}}\n"
FILE_SET, STREAM_SET = "station_day", "station"
DAY = datetime(2026, 3, 1, tzinfo=UTC)
HOURS = 3
EVERY_MIN = 10
Sent = tuple[datetime, dict[str, Any]]
"""When the broker has it, and the reading."""


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    files = {
        f"schemas/sources/heat/{STREAM_SET}.yaml": stream_contract(STREAM_SET),
        f"schemas/sources/heat/{FILE_SET}.yaml": contract(FILE_SET, STATION_FIELDS, WRITE),
    }
    suites = {
        f"expectations/sources/heat/{name}.yaml": SUITE.replace("name: station", f"name: {name}")
        for name in (STREAM_SET, FILE_SET)
    }
    return write_contracts(files | suites)


@st.composite
def sent_readings(draw: st.DrawFn) -> list[Sent]:
    """Readings of two stations over some hours, with faults, some twice, some late, in the order of their receipt."""
    sent = []
    for station in ("A", "B"):
        for number in range(HOURS * 60 // EVERY_MIN):
            fault = draw(st.sampled_from(("", "", "", "", "missing", "left out", "late", "twice", "wrong")))
            at = timedelta(minutes=number * EVERY_MIN)
            temp = draw(st.sampled_from((60.0, 60.0, 60.0, 61.0, 95.0)))
            value = {"missing": None, "wrong": 500.0}.get(fault, temp)
            delay = timedelta(minutes=draw(st.integers(20, 200))) if fault == "late" else timedelta(seconds=1)
            reading = {"station": station, "read_at": at, "temp_c": value, "return_c": 40.0}
            sent += [(at + delay, reading)] * {"left out": 0, "twice": 2}.get(fault, 1)
    return sorted(sent, key=lambda pair: pair[0])


def messages(name: str, sent: Sequence[Sent], day: datetime, first: int) -> pa.Table:
    """The readings as Spark's Kafka source gives them."""
    values = [json.dumps({**r, "read_at": (day + r["read_at"]).isoformat()}).encode() for _, r in sent]
    columns = {
        "topic": [name] * len(sent),
        "partition": pa.array([0] * len(sent), pa.int32()),
        "offset": pa.array(range(first, first + len(sent)), pa.int64()),
        "timestamp": pa.array([day + received for received, _ in sent], pa.timestamp("us", "UTC")),
        "value": pa.array(values, pa.binary()),
        "headers": pa.array([[] for _ in sent], pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))),
    }
    return pa.table(columns)


def as_file(lake: Lake, registry: Registry, sent: Sequence[Sent], day: datetime, path: Path) -> None:
    """Deliver the readings as one file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["站点", "时间", "温度", "回温"])
        for _, r in sent:
            writer.writerow([r["station"], (day + r["read_at"]).isoformat(), r["temp_c"], r["return_c"]])
    deliver(lake.store, [path], FILE_SET, "heat", Manifest())
    (landed,) = land(lake, registry)
    conform(lake, registry, landed.delivery.id)


def curated(lake: Lake, dataset: str) -> dict[str, list[str]]:
    """The rows of the tables so far, without the columns that name their source, and without those of superseded deliveries."""
    superseded = {delivery.id for delivery in lake.ledger.deliveries(dataset) if delivery.superseded_by}
    contents = {}
    for zone, but in ((Zone.SILVER, ()), (Zone.QUARANTINE, ("_received_date",)), (Zone.EVIDENCE, ("_received_date",))):
        rows = all_rows(lake, zone, dataset) if lake.delta.open(lake.path(zone, dataset)) else []
        left_out = {DELIVERY, FILE, ROW, SEQ, FIRST_SENT, *but}
        current = (row for row in rows if row[DELIVERY] not in superseded)
        contents[str(zone)] = sorted(repr({k: v for k, v in row.items() if k not in left_out}) for row in current)
    return contents


@examples(
    phases=[Phase.generate], max_examples=4, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_one_by_one_and_as_a_file(lake: Lake, registry: Registry, tmp_path: Path, data: st.DataObject) -> None:
    number = len(lake.ledger.deliveries(FILE_SET))
    day = DAY + timedelta(days=3 * number)
    sent = data.draw(sent_readings())
    cuts = sorted({0, len(sent), *data.draw(st.lists(st.integers(0, len(sent)), max_size=3))})
    writer = StreamWriter(lake, f"w{number}")
    for batch, (begin, end) in enumerate(itertools.pairwise(cuts)):
        part = messages(topic(lake.settings, STREAM_SET), sent[begin:end], day, 10_000 * number + begin)
        outcomes = writer.write(registry, part, batch)
        assert [outcome.error for outcome in outcomes.values()] == [""]
        if data.draw(st.booleans()):
            seal_due(lake, registry, day + sent[end - 1][0] + timedelta(minutes=1))
    seal_due(lake, registry, day + timedelta(days=2))
    as_file(lake, registry, sent, day, tmp_path / f"{number}.csv")
    by_stream = curated(lake, STREAM_SET)
    by_file = curated(lake, FILE_SET)
    assert by_stream["silver"]
    for zone, rows in by_file.items():
        assert by_stream[zone] == rows, zone


def test_silver_is_read_once_for_the_last_readings(
    lake: Lake, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    stored = RecentReadings._stored
    monkeypatch.setattr(RecentReadings, "_stored", lambda *how: reads.append("silver") or stored(*how))
    writer = StreamWriter(lake, "w")
    for number in range(3):
        at = timedelta(minutes=number)
        reading = {"station": "A", "read_at": at, "temp_c": 60.0, "return_c": 40.0}
        writer.write(registry, messages(topic(lake.settings, STREAM_SET), [(at, reading)], DAY, number), number)
    assert reads == ["silver"]  # before the first batch, when there is none yet
