"""The query that reads all topics of readings: Spark Structured Streaming, each batch written by `StreamWriter`."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyspark.sql import DataFrame

from jobs.contracts import Contract, Registry, load_usable
from jobs.contracts.stream import KAFKA
from jobs.errors import UserError
from jobs.lake.broker import end_offsets, ensure_topics, spark_options, topic
from jobs.lake.lake import Lake
from jobs.lake.spark_tables import to_arrow
from jobs.lake.zones import Zone
from jobs.pipeline.stream_hours import label
from jobs.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql.connect.streaming import StreamingQuery

    from jobs.pipeline.stream_batch import StreamWriter

COLUMNS = ("topic", "partition", "offset", "timestamp", "value", "headers")
MOST_MESSAGES = 100_000
"""Messages of a batch: what the client still holds in memory and the engine answers in one query."""
KEPT = timedelta(days=8)
"""Longer than the broker keeps messages."""
EARLIEST = -2
"""In Spark's offsets: from the first message that the broker has."""
OPTIONS = {
    "includeHeaders": "true",
    "maxOffsetsPerTrigger": str(MOST_MESSAGES),
    # The consumer asks ahead for messages that are not there yet; the next batch would wait for that answer.
    "kafka.fetch.max.wait.ms": "20",
    "failOnDataLoss": "true",
}
_WRITERS: "dict[str, StreamWriter]" = {}
"""The writer of this process by its checkpoint: the engine's worker lives as long as the query."""


def subscribed(registry: Registry) -> tuple[Contract, ...]:
    """Contracts whose readings come through the broker."""
    return tuple(contract for contract in registry.streams() if KAFKA in contract.ways_in)


def start(
    lake: Lake, registry: Registry, checkpoint: str, until_now: bool = False, every_s: float = 1
) -> "StreamingQuery":
    """Start the query at its checkpoint; it ends by itself where it is to read only what is there now."""
    contracts = subscribed(registry)
    if not contracts:
        raise UserError("no contract has a stream: none has the property `stream` and a server of type kafka")
    settings = lake.settings
    topics = [topic(settings, contract.id) for contract in contracts]
    ensure_topics(settings, topics)
    reader = lake.spark.readStream.format("kafka").option("subscribe", ",".join(topics))
    for name, value in {
        **OPTIONS,
        **spark_options(settings),
        "startingOffsets": first_offsets(lake, contracts),
    }.items():
        reader = reader.option(name, value)
    folder = f"s3a://{settings.s3_bucket}/checkpoints/{checkpoint}"
    writer = reader.load().select(*COLUMNS).writeStream.option("checkpointLocation", folder)
    writer = writer.foreachBatch(partial(write_batch, settings, checkpoint))
    trigger: dict[str, Any] = {"availableNow": True} if until_now else {"processingTime": f"{every_s} seconds"}
    return writer.trigger(**trigger).start()


def write_batch(settings: Settings, checkpoint: str, frame: DataFrame, number: int) -> None:
    """Write a batch; runs in a worker of the engine, with a session of its own."""
    from jobs.pipeline.stream_batch import StreamWriter

    messages = to_arrow(frame)
    if not messages.num_rows:
        return
    if checkpoint not in _WRITERS:
        lake = Lake(settings)
        lake.__dict__["spark"] = frame.sparkSession
        _WRITERS[checkpoint] = StreamWriter(lake, checkpoint)
    _WRITERS[checkpoint].write(load_usable(settings.schemas, settings.expectations), messages, number)


def first_offsets(lake: Lake, contracts: tuple[Contract, ...]) -> str:
    """Where a new checkpoint begins: after the last message that the lake has."""
    return json.dumps({topic(lake.settings, contract.id): _next_offsets(lake, contract) for contract in contracts})


def _next_offsets(lake: Lake, contract: Contract) -> Mapping[str, int]:
    """The offset after the last one in the telemetry table, by partition; earlier than `KEPT` the broker has none."""
    after = dict.fromkeys(map(str, end_offsets(lake.settings, topic(lake.settings, contract.id))), EARLIEST)
    table = lake.delta.open(lake.path(Zone.TELEMETRY, contract.id))
    since = datetime.now(UTC) - KEPT
    recent = [label(h.hour) for h in lake.streams.hours(contract.id) if h.last_received >= since]
    if table is None or not recent:
        return after
    rows = table.to_pyarrow_dataset().to_table(["_partition", "_offset"], filter=ds.field("_hour").isin(recent))
    last = rows.group_by("_partition").aggregate([("_offset", "max")])
    found = zip(last["_partition"].to_pylist(), pc.add(last["_offset_max"], 1).to_pylist(), strict=True)
    return after | {str(partition): offset for partition, offset in found}
