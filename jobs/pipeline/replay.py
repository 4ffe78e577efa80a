"""A file's readings sent one by one as if they were measured now: for demonstrations and trials."""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pyarrow as pa

from jobs.contracts import Contract, Field
from jobs.contracts.names import BRONZE_OWN
from jobs.contracts.stream import Stream
from jobs.errors import UserError
from jobs.ingest.reading import LocalFile, read
from jobs.lake.broker import ensure_topics, producer, topic
from jobs.lake.lake import Lake
from jobs.pipeline.stream_hours import datetimes, event_times

TICK_S = 0.5
"""Readings of so many seconds are sent together."""
FLUSH_S = 30
PLAIN = "yyyy-MM-dd HH:mm:ss"
EPOCHS = {"epoch_s": 1, "epoch_ms": 1000}
# XXX marks nothing unfinished: it is Spark's pattern for an offset such as +08:00, as in jobs/ingest/sample_times.py.
SIGNS = {
    "yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S",
    ".SSSSSS": ".%f", ".SSS": "", "XXX": "%z", "M": "%m", "d": "%d", "H": "%H",
}  # fmt: skip
"""Letters of a format of Spark → those of strftime; longer ones first."""
LETTERS = re.compile("|".join(map(re.escape, SIGNS)))
Timed = tuple[datetime, dict[str, str | datetime]]
"""When the device measured, and the reading by field; times as moments."""


def readings_of(contract: Contract, file: Path) -> list[Timed]:
    """The file's readings in the order of their times; those without a time are left out. UserError where none is left."""
    stream = stream_of(contract)
    with TemporaryDirectory(prefix="lake-replay-") as scratch:
        reading = read([LocalFile(file.name, file)], contract, Path(scratch))
        rows = pa.Table.from_batches(list(reading.batches), reading.schema)
    columns = [_values(contract, stream, rows, name) for name in rows.column_names if name not in BRONZE_OWN]
    names = [name for name in rows.column_names if name not in BRONZE_OWN]
    given = (_given(names, values) for values in zip(*columns, strict=True))
    found = [(at, row) for row in given if isinstance(at := row.get(stream.event_time), datetime)]
    if not found:
        raise UserError(f"{file}: no reading with a time in {stream.event_time} / 文件中没有带时间的读数")
    return sorted(found, key=lambda pair: pair[0])


def stream_of(contract: Contract) -> Stream:
    """The contract's stream; UserError where it has none."""
    if contract.stream is None:
        raise UserError(f"{contract.id}: the contract has no property `stream` / 契约没有声明实时接入")
    return contract.stream


def replay(
    lake: Lake,
    contract: Contract,
    readings: list[Timed],
    speed: float,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[int]:
    """Send the readings `speed` times as fast as they were measured; how many were sent, after each part.

    Times are moved so that the last reading is measured as it is sent: none lies in the future.
    """
    stream, zone, fields = stream_of(contract), contract.layout.timezone, {f.name: f for f in contract.fields}
    first, last = readings[0][0], readings[-1][0]
    moved = datetime.now(UTC) + (last - first) / speed - last
    ensure_topics(lake.settings, [topic(lake.settings, contract.id)])
    client, begun, sent = producer(lake.settings), time.monotonic(), 0
    while sent < len(readings):
        until = first + timedelta(seconds=(time.monotonic() - begun) * speed)
        while sent < len(readings) and readings[sent][0] <= until:
            row = {name: _text(value, moved, fields.get(name), zone) for name, value in readings[sent][1].items()}
            value = json.dumps(row, ensure_ascii=False).encode()
            client.produce(topic(lake.settings, contract.id), value, key=row.get(stream.device, ""))
            sent += 1
        left = client.flush(FLUSH_S)
        if left:
            raise UserError(f"the broker took {sent - left} of {sent} readings / 消息服务无响应，请检查 lake status")
        yield sent
        pause(TICK_S)


def _values(contract: Contract, stream: Stream, rows: pa.Table, name: str) -> list[str | datetime | None]:
    """The column's texts; those of a timestamp as moments where they are any."""
    texts: list[str | datetime | None] = rows[name].to_pylist()
    if not any(field.name == name and field.type == "timestamp" for field in contract.fields):
        return texts
    moments = datetimes(event_times(rows[name], contract, stream.model_copy(update={"event_time": name})))
    return [text if at is None else at for at, text in zip(moments, texts, strict=True)]


def _given(names: Sequence[str], values: Sequence[str | datetime | None]) -> dict[str, str | datetime]:
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _text(value: str | datetime, moved: timedelta, field: Field | None, zone: str) -> str:
    """A value as it is sent: a moment moved with all others, in the first format and in the zone that the contract declares."""
    if not isinstance(value, datetime) or field is None:
        return str(value)
    moment, pattern = value + moved, (field.source.formats or (PLAIN,))[0]
    if pattern in EPOCHS:
        return str(int(moment.timestamp() * EPOCHS[pattern]))
    written = LETTERS.sub(lambda found: SIGNS[found[0]], pattern.replace("'", ""))
    return moment.astimezone(ZoneInfo(field.source.timezone or zone)).strftime(written)
