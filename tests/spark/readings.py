"""Readings of a dataset `station`, sent through a broker and curated."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from jobs.contracts import Registry
from jobs.contracts.names import DELIVERY, FILE, FIRST_SENT, RECEIVED, ROW, SEQ
from jobs.lake.broker import ensure_topics, producer, topic
from jobs.lake.lake import Lake
from jobs.lake.spark_tables import to_arrow
from jobs.lake.zones import Zone
from jobs.pipeline import stream_query
from jobs.pipeline.stream_batch import StreamWriter
from tests.contract_texts import STATION_SUITE, stream_contract

DATASET = "station"
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOUR = NOW - timedelta(hours=3)
SEALED = NOW + timedelta(days=1)
Reading = dict[str, Any]


def with_contracts(lake: Lake, write_contracts: Callable[..., Registry], suite: str = STATION_SUITE) -> Registry:
    """The contracts, where the worker of the engine finds them too."""
    registry = write_contracts(
        {
            f"schemas/sources/heat/{DATASET}.yaml": stream_contract(DATASET),
            f"expectations/sources/heat/{DATASET}.yaml": suite,
        }
    )
    folder = registry.contract(DATASET).file.parents[3]
    lake.settings = lake.settings.model_copy(
        update={"schemas": folder / "schemas", "expectations": folder / "expectations"}
    )
    return registry


def reading(station: str, minute: int, temp: float = 60.0, hour: datetime = HOUR, **more: Any) -> Reading:
    at = hour + timedelta(minutes=minute)
    return {"station": station, "read_at": at.isoformat(timespec="seconds"), "temp_c": temp, "return_c": 40.0, **more}


def send(lake: Lake, messages: Sequence[Reading | bytes | None], numbers: Sequence[str] = ()) -> None:
    """Put messages into the dataset's topic, with their sender's numbers where given."""
    ensure_topics(lake.settings, [topic(lake.settings, DATASET)])
    client, errors = producer(lake.settings), []
    for index, message in enumerate(messages):
        value = json.dumps(message).encode() if isinstance(message, dict) else message
        headers = {"sender": "heat", "id": numbers[index]} if numbers else None
        client.produce(
            topic(lake.settings, DATASET), value, key="k", headers=headers, on_delivery=lambda e, _: errors.append(e)
        )
    assert client.flush(30) == 0
    assert errors == [None] * len(messages)


def new_messages(lake: Lake, registry: Registry) -> pa.Table:
    """What the topic has after the last message in the lake, as the query would read it."""
    offsets = stream_query.first_offsets(lake, stream_query.subscribed(registry))
    options = {**stream_query.spark_options(lake.settings), "includeHeaders": "true", "startingOffsets": offsets}
    frame = lake.spark.read.format("kafka")
    for name, value in options.items():
        frame = frame.option(name, value)
    frame = frame.option("subscribe", topic(lake.settings, DATASET)).load().select(*stream_query.COLUMNS)
    return to_arrow(frame)


def run(lake: Lake, registry: Registry) -> None:
    """Write what the topic has now, as one batch."""
    number = max((state.batch for state in lake.streams.states()), default=-1) + 1
    outcomes = StreamWriter(lake, "w").write(registry, new_messages(lake, registry), number)
    assert [outcome.error for outcome in outcomes.values()] == [""]


def run_query(lake: Lake, registry: Registry) -> None:
    """Read what the topics have now, by the query itself."""
    checkpoint = lake.streams.own("test", datetime.now(UTC))
    assert checkpoint
    query = stream_query.start(lake, registry, checkpoint, until_now=True)
    query.awaitTermination()
    assert query.exception() is None
    assert [state.facts["error"] for state in lake.streams.states()] == [""]


def all_rows(lake: Lake, zone: Zone, dataset: str = DATASET) -> list[dict[str, Any]]:
    table = lake.delta.open(lake.path(zone, dataset))
    assert table is not None
    return list(table.to_pyarrow_table().to_pylist())


def rows(lake: Lake, zone: Zone, but: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The rows of a table in order, without the columns that say where they come from."""
    table = lake.delta.open(lake.path(zone, DATASET))
    if table is None:
        return []
    data = table.to_pyarrow_table()
    data = data.drop_columns([name for name in (*but, DELIVERY, FILE, ROW, SEQ, RECEIVED) if name in data.column_names])
    return sorted(data.to_pylist(), key=repr)


def curated(lake: Lake) -> dict[str, list[dict[str, Any]]]:
    return {zone: rows(lake, zone, (FIRST_SENT,)) for zone in (Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE)}
