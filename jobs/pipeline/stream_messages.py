"""Messages of a dataset's topic → bronze rows and telemetry rows in memory."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import Contract
from jobs.contracts.names import FILE, ROW
from jobs.contracts.stream import Stream
from jobs.contracts.telemetry import telemetry
from jobs.errors import DeliveryError
from jobs.ingest.columns import MOST_COLUMNS
from jobs.ingest.json_lines import MOST_KEPT_BYTES
from jobs.ingest.reading import LocalFile, read
from jobs.lake.system_tables import system_table
from jobs.lake.zones import Zone
from jobs.pipeline.message_lines import as_text, file_of, lines_of, names_in, parsed
from jobs.pipeline.stream_hours import MOMENT, event_times, hours_of, labels

logger = logging.getLogger(__name__)
MOST_TOGETHER = MOST_KEPT_BYTES - 1024
SENDER, MESSAGE_ID = "sender", "id"
"""Headers of a message: who sent it, and the sender's own number for it."""


@dataclass(frozen=True)
class Messages:
    """Messages of one dataset, in the order of their partitions and offsets; all columns have one entry a message."""

    table: pa.Table
    """As Spark's Kafka source gives them: partition, offset, timestamp, value, headers."""
    rows: pa.Table
    """Bronze rows; `_row` is the place of the message, from 1; blank messages have none."""
    received: pa.Array
    events: pa.Array
    hours: pa.Array
    ids: Sequence[tuple[str | None, str | None]]
    """Sender and number of each message."""

    def telemetry(self) -> pa.Table:
        """The messages as rows of the telemetry table: every byte as received."""
        texts, others = _texts(self.table["value"])
        columns = {
            "_partition": self.table["partition"],
            "_offset": self.table["offset"],
            "_received_at": self.received,
            "sender": pa.array([sender for sender, _ in self.ids], pa.string()),
            "message_id": pa.array([number for _, number in self.ids], pa.string()),
            "sent_text": texts,
            "sent_bytes": others,
            "_hour": labels(self.hours),
        }
        return pa.table(columns).cast(system_table(Zone.TELEMETRY).schema)


def messages_of(contract: Contract, stream: Stream, table: pa.Table) -> Messages:
    """The messages with their rows, times and hours."""
    table = table.sort_by([("partition", "ascending"), ("offset", "ascending")])
    rows = bronze_of(contract, table["value"].to_pylist())
    received = table["timestamp"].combine_chunks().cast(MOMENT)
    row_of = np.full(table.num_rows, -1)
    row_of[rows[ROW].to_numpy() - 1] = np.arange(rows.num_rows)  # blank messages have no row
    texts = rows[stream.event_time].combine_chunks().take(pa.array(row_of, mask=row_of < 0))
    events = event_times(pa.chunked_array([texts]), contract, stream)
    ids = list(zip(_header(table["headers"], SENDER), _header(table["headers"], MESSAGE_ID), strict=True))
    return Messages(table, rows, received, events, hours_of(events, received, stream), ids)


def bronze_of(contract: Contract, values: Sequence[bytes | None]) -> pa.Table:
    """The messages' values as bronze rows, by the reader of files; `_row` is the place of the message, from 1.

    Where they have too many names to be read together, each half is read by itself.
    """
    tables, above = [], 0
    for together in _in_memory(lines_of(values)):
        for lines, rows in _parts(contract, together):
            tables.append(_moved(rows, above))
            above += len(lines)
    return pa.concat_tables(tables, promote_options="default")


def _in_memory(lines: list[bytes]) -> list[list[bytes]]:
    """The lines in parts of so many bytes as the reader of files holds in memory, with room for a line before them."""
    if sum(map(len, lines)) + len(lines) <= MOST_TOGETHER:
        return [lines]
    half = len(lines) // 2
    return [*_in_memory(lines[:half]), *_in_memory(lines[half:])] if half else [lines]


def readable(contract: Contract, values: Sequence[bytes | None]) -> tuple[list[bytes], pa.Table]:
    """The messages of an hour, each in one line, as one file can have them, and their bronze rows.

    A message that cannot be read with those before it, such as one whose names would be too many, becomes a text: a malformed row.
    """
    lines = lines_of(values)
    parts = _parts(contract, lines)
    if len(parts) > 1 or parts[0][0] != lines:
        lines = [sent for own, _ in _parts(contract, _within_names(contract, lines)) for sent in own]
        return lines, _read(contract, lines)
    return parts[0]


def _within_names(contract: Contract, lines: Sequence[bytes]) -> list[bytes]:
    """The messages, those as texts that name more columns, with those before them, than a file may have; names of fields are free."""
    names = {name for field in telemetry(contract).fields for name in field.headers()}
    kept = []
    for sent in lines:
        own = names | set(names_in(parsed(sent)))
        is_within = len(own) <= MOST_COLUMNS
        names = own if is_within else names
        kept.append(sent if is_within else as_text(sent))
    return kept


def _parts(contract: Contract, lines: list[bytes]) -> list[tuple[list[bytes], pa.Table]]:
    """The messages in parts that can be read, with their rows; one that cannot be read even by itself is a text."""
    try:
        return [(lines, _read(contract, lines))]
    except DeliveryError as error:
        logger.warning("%s: %s messages are read apart: %s", contract.id, len(lines), error)
    half = len(lines) // 2
    if half:
        return [*_parts(contract, lines[:half]), *_parts(contract, lines[half:])]
    texts = list(map(as_text, lines))
    return [(texts, _read(contract, texts))]


def _read(contract: Contract, lines: Sequence[bytes]) -> pa.Table:
    with TemporaryDirectory(prefix="lake-messages-") as scratch:
        path = Path(scratch) / f"{contract.id}.jsonl"
        data, above = file_of(lines)
        path.write_bytes(data)
        reading = read([LocalFile(path.name, path)], telemetry(contract), Path(scratch))
        return _moved(pa.Table.from_batches(list(reading.batches), reading.schema), -above)


def _moved(rows: pa.Table, by: int) -> pa.Table:
    """The rows with other numbers."""
    return rows.set_column(rows.column_names.index(ROW), ROW, pc.add(rows[ROW], by))


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
    partitions = messages.table["partition"].take(index).cast(pa.string())
    files = pc.binary_join_element_wise(contract.id, partitions, labels(messages.hours).take(index), "/")
    placed = rows.set_column(rows.column_names.index(FILE), FILE, files)
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
