"""Readings before and after: what rules over neighbouring readings see besides the rows that they judge.

An hour of a stream is judged with the readings around it that the lake had when the hour was sealed; a file of such a
dataset with the curated ones around its own (curated_neighbours.py); a batch with the last readings of its devices
(recent_readings.py). All are bounded: by the stream's `context_min`, and by what the rules can reach.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from jobs.contracts import Contract, Rule
from jobs.contracts.names import FILE, ROW
from jobs.contracts.stream import Stream
from jobs.lake.bits import quoted
from jobs.lake.lake import Lake
from jobs.lake.named_rows import NamedRows
from jobs.lake.stream_ledger import Hour
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery
from jobs.pipeline.bronze import typed_table
from jobs.pipeline.curated_neighbours import columns_of_context, curated_around
from jobs.pipeline.stream_hours import event_times, label
from jobs.pipeline.stream_messages import bronze_of, first_of_each_id, value_of
from jobs.pipeline.versions import Versions

ONE_HOUR = timedelta(hours=1)
AROUND = "around"
"""In the facts of a sealed hour: the last offset of each partition, in the hours around it, that the lake had then."""


def hours_around(stream: Stream, hour: datetime) -> list[str]:
    """The partitions of telemetry that hold the readings around an hour."""
    number = -(-stream.context_min // 60)
    return [label(hour + n * ONE_HOUR) for n in range(-number, number + 1) if n]


def offsets_around(lake: Lake, contract: Contract, stream: Stream, hour: datetime) -> Mapping[str, int]:
    """The last offset of each partition in the hours around this one, now; with it the same readings are found later."""
    rows = _telemetry(lake, contract, stream, hour, ["_partition", "_offset"])
    last = rows.group_by("_partition").aggregate([("_offset", "max")])
    return {str(row["_partition"]): row["_offset_max"] for row in last.to_pylist()}


def readings_around(
    lake: Lake, contract: Contract, delivery: Delivery, rules: Sequence[Rule], versions: Versions
) -> NamedRows | None:
    """Typed readings around what was delivered; None for a dataset without a stream, or without rules that see them.

    Of an hour: as the lake had them when it was sealed. Of a file: the curated ones, at the version to be read.
    """
    from jobs.quality.series import reach

    stream, count = contract.stream, reach(rules)
    if stream is None or not count:
        return None
    hour = lake.streams.hour_of(delivery.id)
    if hour is None:
        return curated_around(lake, contract, delivery, rules, versions(lake.path(Zone.SILVER, contract.id)))
    return _around_hour(lake, contract, hour, count) if hour.facts.get(AROUND) else None


def _around_hour(lake: Lake, contract: Contract, hour: Hour, count: int) -> NamedRows:
    stream = contract.stream
    assert stream is not None
    rows = _telemetry(lake, contract, stream, hour.hour)
    rows = first_of_each_id(rows.filter(pa.array(_is_known(rows, hour.facts[AROUND]))))
    bronze = bronze_of(contract, [value_of(row) for row in rows.select(["sent_text", "sent_bytes"]).to_pylist()])
    texts = _placed(bronze, rows)
    moments = _seconds(event_times(bronze[stream.event_time], contract, stream))
    near = _nearest(moments, bronze[stream.device], _span(stream, hour.hour), count)
    return _typed(lake, contract, texts.take(pa.array(near)))


def _telemetry(
    lake: Lake, contract: Contract, stream: Stream, hour: datetime, columns: list[str] | None = None
) -> pa.Table:
    table = lake.delta.open(lake.path(Zone.TELEMETRY, contract.id))
    if table is None:
        raise LookupError(f"{contract.id}: no telemetry table, though hour {label(hour)} is sealed")
    around = ds.field("_hour").isin(hours_around(stream, hour))
    rows = table.to_pyarrow_dataset().to_table(columns, filter=around)
    return rows.sort_by([("_partition", "ascending"), ("_offset", "ascending")])


def _is_known(rows: pa.Table, last: Mapping[str, int]) -> np.ndarray:
    """Which messages the lake had when the hour was sealed."""
    ends = [last.get(str(partition), -1) for partition in rows["_partition"].to_pylist()]
    known: np.ndarray = rows["_offset"].to_numpy() <= np.array(ends, dtype=np.int64)
    return known


def _placed(bronze: pa.Table, rows: pa.Table) -> pa.Table:
    """The bronze rows in the order of the broker: `_file` is the partition, `_row` the offset."""
    index = pc.subtract(bronze[ROW], 1)
    files = pc.binary_join_element_wise(rows["_hour"], rows["_partition"].cast(pa.string()), "/").take(index)
    placed = bronze.set_column(bronze.column_names.index(FILE), FILE, files)
    return placed.set_column(placed.column_names.index(ROW), ROW, rows["_offset"].take(index))


def _seconds(moments: pa.Array) -> np.ndarray:
    return np.array(pc.divide(moments.cast(pa.int64()).cast(pa.float64()), 1e6).to_numpy(zero_copy_only=False))


def _span(stream: Stream, hour: datetime) -> tuple[float, float, float, float]:
    """Begin of the readings before, begin and end of the hour, end of the readings after; seconds since 1970."""
    context = timedelta(minutes=stream.context_min)
    begin, end = hour.astimezone(UTC), hour.astimezone(UTC) + ONE_HOUR
    return (begin - context).timestamp(), begin.timestamp(), end.timestamp(), (end + context).timestamp()


def _nearest(
    moments: np.ndarray, devices: pa.ChunkedArray, span: tuple[float, float, float, float], count: int
) -> np.ndarray:
    """Places of the last `count` readings of each device before the hour, and of the first ones after it."""
    first, begin, end, last = span
    frame = pd.DataFrame({"at": moments, "device": devices.to_pandas()}).dropna().sort_values("at", kind="stable")
    before = frame[(frame["at"] >= first) & (frame["at"] < begin)].groupby("device").tail(count)
    after = frame[(frame["at"] >= end) & (frame["at"] <= last)].groupby("device").head(count)
    places: np.ndarray = np.sort(np.concatenate([before.index.to_numpy(), after.index.to_numpy()])).astype(np.int64)
    return places


def _typed(lake: Lake, contract: Contract, texts: pa.Table) -> NamedRows:
    """The rows with types; of what was sent, nothing is needed."""
    rows = typed_table(lake, contract, texts).rows
    names = tuple(name for name in rows.columns if name in columns_of_context(contract))
    return NamedRows(rows.frame.select(*map(quoted, names)), names)
