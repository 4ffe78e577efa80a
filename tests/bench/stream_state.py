"""What a stream keeps in memory over simulated hours: the last readings of each device, and the keys of the last hours."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pyarrow as pa

from jobs.contracts import Contract, Registry
from jobs.contracts import load as load_contracts
from jobs.lake.broker import topic
from jobs.lake.lake import Lake
from jobs.pipeline.stream_batch import StreamWriter
from tests.bench.common import Measures
from tests.contract_texts import stream_contract

DATASET, DEVICES, HOURS = "station", 200, 72
SHOWN = (1, 6, 24, 48, 72)
SUITE = """name: station
expectations:
  - id: temp_stuck
    type: expect_column_values_to_not_be_stuck
    kwargs: {column: temp_c, series: [station], at: read_at, intervals: 60, while_moves: [return_c]}
    severity: warning
    meta: {dimension: 准确性, message: 读数不变, remedy: 请检查, basis: 约定, alarm: {after: 1, clear_after: 1}}
  - id: temp_spike
    type: expect_column_values_to_not_spike
    kwargs: {column: temp_c, series: [station], at: read_at, limit: 30}
    severity: warning
    meta: {dimension: 准确性, message: 尖峰, remedy: 请检查, basis: 约定}
"""


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """Devices that send once a minute, an hour in a batch, for three days."""
    registry = _contracts(lake, folder)
    contract = registry.contract(DATASET)
    writer, begin = StreamWriter(lake, "bench"), datetime.now(UTC) - timedelta(hours=HOURS + 1)
    lake.streams.own("bench", datetime.now(UTC))
    kept, mib = [], []
    for hour in range(HOURS):
        (outcome,) = writer.write(
            registry, _messages(lake, contract, begin + timedelta(hours=hour), hour), hour
        ).values()
        if outcome.error or outcome.new != DEVICES * 60:
            raise RuntimeError(f"hour {hour}: {outcome}")
        (state,) = lake.streams.states()
        kept.append(state.facts["kept"])
        mib.append(psutil.Process().memory_info().rss >> 20)
    lake.streams.leave("bench")
    said = ", ".join(f"{hour} h {kept[hour - 1]:,} ({mib[hour - 1]} MiB)" for hour in SHOWN)
    note = f"readings and keys kept, of {DEVICES * 60 * HOURS:,} readings by {DEVICES} devices, and the process's memory: {said}"
    measures.say("stream_state_growth", kept[-1] / kept[47], "≤ 1", note)


def _contracts(lake: Lake, folder: Path) -> Registry:
    texts = {"schemas": stream_contract(DATASET), "expectations": SUITE}
    for kind, text in texts.items():
        path = folder / kind / "sources/heat" / f"{DATASET}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    lake.store.create()
    return load_contracts(folder / "schemas", folder / "expectations")


def _messages(lake: Lake, contract: Contract, begin: datetime, hour: int) -> pa.Table:
    """An hour's messages, as Spark's Kafka source gives them."""
    values = list(_readings(begin))
    count = len(values)
    headers = pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))
    return pa.table(
        {
            "topic": [topic(lake.settings, contract.id)] * count,
            "partition": pa.array([0] * count, pa.int32()),
            "offset": pa.array(range(hour * count, (hour + 1) * count), pa.int64()),
            "timestamp": pa.array([begin + timedelta(hours=1)] * count, pa.timestamp("us", "UTC")),
            "value": pa.array(values, pa.binary()),
            "headers": pa.array([[]] * count, headers),
        }
    )


def _readings(begin: datetime) -> Iterator[bytes]:
    for minute in range(60):
        at = (begin + timedelta(minutes=minute)).isoformat(timespec="seconds")
        for device in range(DEVICES):
            temp = 60 + (device + minute) % 7
            yield json.dumps({"station": f"S{device}", "read_at": at, "temp_c": temp, "return_c": temp - 20}).encode()
