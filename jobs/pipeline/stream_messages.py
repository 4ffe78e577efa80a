"""Messages of a dataset's topic → bronze rows and telemetry rows in memory."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import Contract
from jobs.contracts.names import FILE, ROW
from jobs.contracts.stream import Stream
from jobs.contracts.telemetry import telemetry
from jobs.errors import DeliveryError
from jobs.ingest.columns import MOST_COLUMNS
from jobs.ingest.reading import LocalFile, read
from jobs.lake.system_tables import system_table
from jobs.lake.zones import Zone
from jobs.pipeline.stream_hours import event_times, hours_of, label

logger = logging.getLogger(__name__)
LONG = 4 * MOST_COLUMNS
"""Bytes that a message with more names than a file may have has at least."""
SENDER, MESSAGE_ID = "sender", "id"
"""Headers of a message: who sent it, and the sender's own number for it."""

FIRST_LINE = b"{}"
"""A blank row of JSON lines, so that messages that are no JSON are not taken for a file of another kind, or for an empty one."""


@dataclass(frozen=True)
class Messages:
    """Messages of one dataset, in the order of their partitions and offsets; all columns have one entry a message."""

    table: pa.Table
    """As Spark's Kafka source gives them: partition, offset, timestamp, value, headers."""
    rows: pa.Table
    """Bronze rows; `_row` is the place of the message, from 1; blank messages have none."""
    received: Sequence[datetime]
    events: Sequence[datetime | None]
    hours: Sequence[datetime]
    ids: Sequence[tuple[str | None, str | None]]
    """Sender and number of each message."""

    def telemetry(self) -> pa.Table:
        """The messages as rows of the telemetry table: every byte as received."""
        texts, others = _texts(self.table["value"])
        columns = {
            "_partition": self.table["partition"],
            "_offset": self.table["offset"],
            "_received_at": pa.array(self.received, pa.timestamp("us", "UTC")),
            "sender": pa.array([sender for sender, _ in self.ids], pa.string()),
            "message_id": pa.array([number for _, number in self.ids], pa.string()),
            "sent_text": texts,
            "sent_bytes": others,
            "_hour": pa.array([label(hour) for hour in self.hours]),
        }
        return pa.table(columns).cast(system_table(Zone.TELEMETRY).schema)


def messages_of(contract: Contract, stream: Stream, table: pa.Table) -> Messages:
    """The messages with their rows, times and hours."""
    table = table.sort_by([("partition", "ascending"), ("offset", "ascending")])
    rows = bronze_of(contract, table["value"].to_pylist())
    received = [moment.astimezone(UTC) for moment in table["timestamp"].to_pylist()]
    texts: list[str | None] = [None] * table.num_rows
    for place, text in zip(rows[ROW].to_pylist(), rows[stream.event_time].to_pylist(), strict=True):
        texts[place - 1] = text
    events = event_times(pa.chunked_array([pa.array(texts, pa.string())]), contract, stream)
    ids = list(zip(_header(table["headers"], SENDER), _header(table["headers"], MESSAGE_ID), strict=True))
    return Messages(table, rows, received, events, hours_of(events, received, stream), ids)


def bronze_of(contract: Contract, values: Sequence[bytes | None]) -> pa.Table:
    """The messages' values as bronze rows, by the reader of files; `_row` is the place of the message, from 1.

    Where they have too many names to be read together, each half is read by itself.
    """
    try:
        return _moved(_read(contract, values), -1)
    except DeliveryError as error:
        if len(values) < 2:
            raise
        logger.warning("%s: %s messages are read apart: %s", contract.id, len(values), error)
        half = len(values) // 2
        first, second = bronze_of(contract, values[:half]), bronze_of(contract, values[half:])
        return pa.concat_tables([first, _moved(second, half)], promote_options="default")


def _read(contract: Contract, values: Sequence[bytes | None]) -> pa.Table:
    with TemporaryDirectory(prefix="lake-messages-") as scratch:
        path = Path(scratch) / f"{contract.id}.jsonl"
        path.write_bytes(b"\n".join([FIRST_LINE, *map(line, values)]) + b"\n")
        reading = read([LocalFile(path.name, path)], _none_needed(telemetry(contract)), Path(scratch))
        return pa.Table.from_batches(list(reading.batches), reading.schema)


def _moved(rows: pa.Table, by: int) -> pa.Table:
    """The rows with other numbers."""
    return rows.set_column(rows.column_names.index(ROW), ROW, pc.add(rows[ROW], by))


def _none_needed(contract: Contract) -> Contract:
    """The contract with no field needed: whether a message lacks one is for the rules to say."""
    fields = tuple(replace(field, required=False, key_position=None) for field in contract.fields)
    return replace(contract, fields=fields)


def first_of_each_id(rows: pa.Table) -> pa.Table:
    """The messages without those that their sender sent again under the same number."""
    seen: set[tuple[str, str]] = set()
    keep = []
    for sender, number in zip(rows["sender"].to_pylist(), rows["message_id"].to_pylist(), strict=True):
        keep.append(number is None or (sender or "", number) not in seen)
        seen.add((sender or "", number or ""))
    return rows.filter(pa.array(keep, pa.bool_()))


def value_of(row: Mapping[str, Any]) -> bytes:
    """The message as received, from its row of the telemetry table."""
    if row["sent_bytes"] is not None:
        return bytes(row["sent_bytes"])
    return (row["sent_text"] or "").encode()


def line(value: bytes | None) -> bytes:
    """The message in one line: a text of JSON has no line breaks, so those between its parts become spaces, and digits stay.

    One with more names than a file may have becomes a text, which is a malformed row: the reader would refuse its whole hour.
    """
    if not value:
        return b""
    if len(value) > LONG and _is_too_wide(value):
        return json.dumps(value.decode("utf-8", "replace"), ensure_ascii=False).encode()
    return value.replace(b"\r", b" ").replace(b"\n", b" ")


def _is_too_wide(value: bytes) -> bool:
    """Whether the message has more names than a file may have, counting those of nested objects."""
    with suppress(ValueError, RecursionError):
        return _names_in(json.loads(value)) > MOST_COLUMNS
    return False


def _names_in(message: Any) -> int:
    return sum(max(_names_in(inner), 1) for inner in message.values()) if isinstance(message, dict) else 0


def by_dataset(table: pa.Table, by_topic: Mapping[str, Contract]) -> Iterator[tuple[Contract, Stream, pa.Table]]:
    """The messages of each dataset, by the topics of the contracts."""
    for name in pc.unique(table["topic"]).to_pylist():
        contract = by_topic.get(name)
        if contract is None or contract.stream is None:
            logger.warning("topic %s: no contract with a stream", name)
            continue
        yield contract, contract.stream, table.filter(pc.equal(table["topic"], name))


def places(contract: Contract, messages: Messages) -> pa.Table:
    """The rows with where they come from: `_file` names dataset, partition and hour, `_row` is the offset."""
    rows = messages.rows
    index = pc.subtract(rows[ROW], 1)
    partitions = messages.table["partition"].take(index).to_pylist()
    hours = [label(messages.hours[place]) for place in index.to_pylist()]
    files = [f"{contract.id}/{part}/{hour}" for part, hour in zip(partitions, hours, strict=True)]
    placed = rows.set_column(rows.column_names.index(FILE), FILE, pa.array(files, pa.string()))
    return placed.set_column(placed.column_names.index(ROW), ROW, messages.table["offset"].take(index))


def _header(headers: pa.ChunkedArray, name: str) -> list[str | None]:
    """The header of that name of each message, the last one where it has several."""
    found: list[str | None] = [None] * len(headers)
    parents, entries = pc.list_parent_indices(headers), pc.list_flatten(headers)
    is_named = pc.equal(pc.struct_field(entries, "key"), name)
    values = pc.struct_field(entries, "value").filter(is_named)
    for place, value in zip(parents.filter(is_named).to_pylist(), values.to_pylist(), strict=True):
        found[place] = (value or b"").decode("utf-8", "replace")
    return found


def _texts(values: pa.ChunkedArray) -> tuple[pa.ChunkedArray | pa.Array, pa.Array]:
    """The messages that are text, and those that are not; null where a message is of the other kind."""
    with suppress(pa.ArrowInvalid):
        return values.cast(pa.string()), pa.nulls(len(values), pa.binary())
    pairs = [_text(value) for value in values.to_pylist()]
    return pa.array([text for text, _ in pairs], pa.string()), pa.array([data for _, data in pairs], pa.binary())


def _text(value: bytes | None) -> tuple[str | None, bytes | None]:
    if value is None:
        return None, None
    try:
        return value.decode("utf-8"), None
    except UnicodeDecodeError:
        return None, value
