"""The curated readings around those of a file, which rules over neighbouring readings see too.

They see what silver will hold once the file's rows are in it: readings of another time or device stay, those that the
file has itself are the file's. So a value that stays the same over many daily files is seen, and a counter that falls between two.
"""

from datetime import timedelta
from functools import reduce
from operator import or_

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from jobs.contracts import Contract
from jobs.contracts.names import FILE, ROW
from jobs.contracts.stream import Stream
from jobs.lake.lake import Lake
from jobs.lake.named_rows import NamedRows
from jobs.lake.prepared_plans import in_engine
from jobs.lake.row_filter import rows_of
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery
from jobs.pipeline.stream_hours import MOMENT, event_times
from jobs.pipeline.versions import Versions

AT, DEVICE = "at", "device"
MOST_SPANS = 20
"""Spans of time that a file's readings are read for; a file in which they are scattered more widely has one span."""


def columns_of_context(contract: Contract) -> set[str]:
    return {FILE, ROW, *(field.name for field in contract.fields)}


def curated_around(
    lake: Lake, contract: Contract, delivery: Delivery, count: int, versions: Versions
) -> NamedRows | None:
    """Per device, `count` curated readings before and after each of the file's, within `context_min`; None where there are none.

    With ANY_NUMBER as count, those of all devices: rules over periods may compare a device with its peers.
    """
    stream, path = contract.stream, lake.path(Zone.SILVER, contract.id)
    version = versions(path)
    table = None if stream is None or version is None else lake.delta.open(path, version)
    if stream is None or table is None:
        return None
    sent = _sent(lake, contract, stream, delivery)
    if not len(sent):
        return None
    rows = table.to_pyarrow_dataset()
    names = [name for name in rows.schema.names if name in columns_of_context(contract)]
    curated = rows.to_table(names, filter=_within(sent[AT], stream))
    near = _near(sent, _places(curated[stream.device], curated[stream.event_time]), count)
    return NamedRows(in_engine(lake.spark, curated.take(pa.array(near))), tuple(names)) if len(near) else None


def _sent(lake: Lake, contract: Contract, stream: Stream, delivery: Delivery) -> pd.DataFrame:
    """Device and moment of each of the file's readings; none where it lacks either column."""
    table = lake.delta.open(lake.path(Zone.BRONZE, contract.id))
    names = [stream.device, stream.event_time]
    if table is None or not {*names} <= {field.name for field in table.schema().fields}:
        return _places(pa.chunked_array([], pa.string()), pa.array([], MOMENT))
    rows = table.to_pyarrow_table(columns=names, filters=rows_of(delivery).terms(table))
    devices = pc.utf8_trim_whitespace(rows[stream.device])
    return _places(devices, event_times(rows[stream.event_time], contract, stream)).dropna()


def _places(devices: pa.ChunkedArray, moments: pa.Array | pa.ChunkedArray) -> pd.DataFrame:
    return pd.DataFrame(
        {DEVICE: devices.cast(pa.string()).to_pandas(), AT: moments.cast(MOMENT).to_pandas()}, copy=False
    )


def _within(moments: pd.Series, stream: Stream) -> ds.Expression:
    """Times near the file's; a clock that is wrong by years makes a span of its own, instead of one over all these years."""
    context, at = timedelta(minutes=stream.context_min), ds.field(stream.event_time)
    ordered = np.sort(moments.unique())
    ends = np.flatnonzero(np.diff(ordered) > 2 * np.timedelta64(context))
    if len(ends) >= MOST_SPANS:
        ends = ends[:0]
    first, last = ordered[[0, *(ends + 1)]], ordered[[*ends, -1]]
    spans = [(pd.Timestamp(a) - context, pd.Timestamp(b) + context) for a, b in zip(first, last, strict=True)]
    return reduce(or_, [(at >= pa.scalar(a, MOMENT)) & (at <= pa.scalar(b, MOMENT)) for a, b in spans])


def _near(sent: pd.DataFrame, curated: pd.DataFrame, count: int) -> np.ndarray:
    """Places of the curated readings that are not the file's own, and at most `count` readings of the device from one that is."""
    from jobs.quality.series import ANY_NUMBER

    own = sent.drop_duplicates()
    is_other = curated.merge(own, how="left", indicator=True)["_merge"].eq("left_only").to_numpy(bool)
    if count >= ANY_NUMBER:
        return np.flatnonzero(is_other)
    others = curated.assign(place=np.arange(len(curated)))[is_other]
    both = pd.concat([others, own.assign(place=-1)]).sort_values([DEVICE, AT], kind="stable")
    place = both["place"].to_numpy()
    number = pd.Series(np.arange(len(both), dtype=float))
    own_number, devices = number.where(place < 0), both[DEVICE].to_numpy()
    before = (number - own_number.groupby(devices).ffill()).fillna(np.inf)
    after = (own_number.groupby(devices).bfill() - number).fillna(np.inf)
    is_near = (place >= 0) & ((before <= count) | (after <= count)).to_numpy(bool)
    return np.sort(place[is_near]).astype(np.int64)
