"""Rules of shipped contracts whose evidence takes longer than a file covers, sent as streams."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from jobs.contracts import Registry
from jobs.contracts import load as load_contracts
from jobs.contracts.names import DELIVERY, MARKS
from jobs.lake.broker import topic
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.stream_batch import StreamWriter
from jobs.pipeline.stream_seal import seal, seal_due
from jobs.settings import Settings
from tests.spark.readings import all_rows

FIRST = (datetime.now(UTC) - timedelta(days=5)).replace(minute=0, second=0, microsecond=0)
ZONE, CLOCK = ZoneInfo("Asia/Shanghai"), "%Y-%m-%d %H:%M:%S"
Message = dict[str, Any]
GATE = {
    "gate_inlet_pressure_mpa": 2.5,
    "gate_outlet_pressure_mpa": 0.38,
    "gas_temp_c": 12,
    "std_flow_m3_h": 1000,
    "std_total_m3": 123456,
}
HEADERS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))


@pytest.fixture(scope="module")
def registry() -> Registry:
    settings = Settings()
    return load_contracts(settings.schemas, settings.expectations)


def sent(lake: Lake, dataset: str, readings: Sequence[Message], received: datetime, above: int) -> pa.Table:
    """Messages as Spark's Kafka source gives them; `above`: how many came before."""
    values = [json.dumps(one).encode() for one in readings]
    return pa.table(
        {
            "topic": [topic(lake.settings, dataset)] * len(values),
            "partition": pa.array([0] * len(values), pa.int32()),
            "offset": pa.array(range(above, above + len(values)), pa.int64()),
            "timestamp": pa.array([received] * len(values), pa.timestamp("us", "UTC")),
            "value": pa.array(values, pa.binary()),
            "headers": pa.array([[] for _ in values], HEADERS),
        }
    )


def sealed_marks(
    lake: Lake, registry: Registry, dataset: str, readings: Sequence[Message], hour: datetime
) -> list[tuple[str, list[str]]]:
    """Device and marks of each reading of an hour that is sealed, after a batch for every fifty readings."""
    writer, received = StreamWriter(lake, "w"), hour + timedelta(hours=1, minutes=1)
    for number, begin in enumerate(range(0, len(readings), 50)):
        batch = sent(lake, dataset, readings[begin : begin + 50], received, begin)
        assert [outcome.error for outcome in writer.write(registry, batch, number).values()] == [""]
    (last,) = [one for one in lake.streams.hours(dataset) if one.hour == hour]
    assert seal(lake, registry.contract(dataset), last, received)
    assert seal_due(lake, registry, FIRST) == [last.delivery]
    rows = [row for row in all_rows(lake, Zone.SILVER, dataset) if row[DELIVERY] == last.delivery]
    return sorted((row["device_id"], row[MARKS] or []) for row in rows)


def test_a_room_at_one_temperature_for_three_days_is_found_in_the_last_hour(
    stream_lake: Lake, registry: Registry
) -> None:
    hours = [FIRST + timedelta(hours=n) for n in range(75)]
    rooms = {
        "IT-371502-001": [20.25] * 75,
        "IT-371502-002": [19 + n % 7 / 10 for n in range(75)],
        "IT-371502-003": [19.0 + n / 10 for n in range(4)] + [20.25] * 71,  # an hour short of three days
    }
    readings = [
        {"device_id": device, "read_at": f"{at.astimezone(ZONE):{CLOCK}}", "room_temp_c": values[n]}
        for n, at in enumerate(hours)
        for device, values in rooms.items()
    ]
    marks = dict(sealed_marks(stream_lake, registry, "indoor_temperatures", readings, hours[-1]))
    assert {device for device, own in marks.items() if "room_temp_stuck" in own} == {"IT-371502-001"}
    assert set(marks) == set(rooms)


def test_an_odorant_in_grams_is_found_against_the_hour_before(stream_lake: Lake, registry: Registry) -> None:
    hours = [FIRST + timedelta(hours=n) for n in range(2)]
    readings = [
        {"device_id": device, "read_at": f"{at.astimezone(ZONE):{CLOCK}}", "odorant_mg_m3": value, **GATE}
        for n, at in enumerate(hours)
        for device, values in {"GG-371502-001": (22.1, 0.022), "GG-371502-002": (22.1, 22.2)}.items()
        for value in (values[n],)
    ]
    marks = dict(sealed_marks(stream_lake, registry, "gas_gate_readings", readings, hours[-1]))
    assert {device for device, own in marks.items() if "odorant_unit" in own} == {"GG-371502-001"}
    assert set(marks) == {"GG-371502-001", "GG-371502-002"}
