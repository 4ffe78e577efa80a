"""The curated readings around those of a file, which rules over neighbouring readings see too.

They see what silver will hold once the file's rows are in it: readings of another time or device stay, those that the
file has itself are the file's. So a value that stays the same over many daily files is seen, and a counter that falls between two.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any

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
from jobs.lake.prepared_plans import in_engine
from jobs.lake.row_filter import rows_of
from jobs.lake.spark_tables import to_arrow
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery
from jobs.pipeline.bronze import bronze_rows
from jobs.pipeline.stream_hours import MOMENT, event_times

AT, DEVICE = "at", "device"
MOST_SEEN = 200_000
"""Curated readings of all devices that a file is judged with, where a rule looks at periods."""
MOST_SPANS = 20
"""Spans of time that a file's readings are read for; a file in which they are scattered more widely has one span."""


def columns_of_context(contract: Contract) -> set[str]:
    return {FILE, ROW, *(field.name for field in contract.fields)}


def fields_of(contract: Contract, rules: Sequence[Rule]) -> set[str]:
    """The fields that the rules may read: all of them where one has an expression."""
    if any("unless" in rule.kwargs or rule.lookups for rule in rules):
        return columns_of_context(contract)
    texts = {text for rule in rules for text in _texts(list(rule.kwargs.values()))}
    return {field.name for field in contract.fields if field.name in texts}


def _texts(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def curated_around(
    lake: Lake, contract: Contract, delivery: Delivery, rules: Sequence[Rule], version: int | None
) -> NamedRows | None:
    """Of each device, as many curated readings around each of the file's as the rules reach; None where there are none.

    All are within `context_min`. Where a rule looks at periods, those of all devices, which it may compare: the nearest ones in time.
    `version`: that of silver, None where there is none.
    """
    from jobs.quality.plan import SERIES
    from jobs.quality.series import reach

    stream, path = contract.stream, lake.path(Zone.SILVER, contract.id)
    table = None if stream is None or version is None else lake.delta.open(path, version)
    if stream is None or table is None:
        return None
    sent = _sent(lake, contract, stream, delivery)
    if not len(sent):
        return None
    rows = table.to_pyarrow_dataset()
    seen = {stream.device, stream.event_time, FILE, ROW, *fields_of(contract, [r for r in rules if r.type in SERIES])}
    curated = rows.to_table([n for n in rows.schema.names if n in seen], filter=_within(sent[AT], stream))
    near = _near(sent, _places(curated[stream.device], curated[stream.event_time]), reach(rules))
    return _given(lake, curated.take(pa.array(near)))


def _given(lake: Lake, rows: pa.Table) -> NamedRows | None:
    return NamedRows(in_engine(lake.spark, rows), tuple(rows.column_names)) if rows.num_rows else None


def _sent(lake: Lake, contract: Contract, stream: Stream, delivery: Delivery) -> pd.DataFrame:
    """Device and time of each of the file's readings; read without the engine where the field's value is its text."""
    table, names = lake.delta.open(lake.path(Zone.BRONZE, contract.id)), [stream.device, stream.event_time]
    if table is None or not all(_is_plain(contract, name) for name in names):
        rows = to_arrow(bronze_rows(lake, contract, delivery).rows.frame.select(*map(quoted, names)))
        return _places(rows[stream.device], rows[stream.event_time]).dropna()
    if not {*names} <= {field.name for field in table.schema().fields}:
        return _places(pa.chunked_array([], pa.string()), pa.array([], MOMENT))
    rows = table.to_pyarrow_table(columns=names, filters=rows_of(delivery).terms(table))
    return _places(rows[stream.device], event_times(rows[stream.event_time], contract, stream)).dropna()


def _is_plain(contract: Contract, name: str) -> bool:
    """Whether the field's value is its text, but for blanks, width and case."""
    source = contract.field(name).source
    return not (source.compose or source.derive or source.extract or source.mapping)


def _places(devices: pa.ChunkedArray, moments: pa.Array | pa.ChunkedArray) -> pd.DataFrame:
    """Device and moment; devices without blanks at the ends, in half width and capitals, so that a text as sent finds its value."""
    half_width = pc.utf8_normalize(devices.cast(pa.string()), form="NFKC")
    names = pc.utf8_upper(pc.utf8_trim_whitespace(half_width))
    return pd.DataFrame({DEVICE: names.to_pandas(), AT: moments.cast(MOMENT).to_pandas()}, copy=False)


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
        return _nearest_in_time(np.flatnonzero(is_other), curated[AT], own[AT])
    others = curated.assign(place=np.arange(len(curated)))[is_other]
    both = pd.concat([others, own.assign(place=-1)]).sort_values([DEVICE, AT], kind="stable")
    place = both["place"].to_numpy()
    number = pd.Series(np.arange(len(both), dtype=float))
    own_number, devices = number.where(place < 0), both[DEVICE].to_numpy()
    before = (number - own_number.groupby(devices).ffill()).fillna(np.inf)
    after = (own_number.groupby(devices).bfill() - number).fillna(np.inf)
    is_near = (place >= 0) & ((before <= count) | (after <= count)).to_numpy(bool)
    return np.sort(place[is_near]).astype(np.int64)


def _nearest_in_time(places: np.ndarray, moments: pd.Series, own: pd.Series) -> np.ndarray:
    """Of the places, at most MOST_SEEN."""
    if len(places) <= MOST_SEEN:
        return places
    at = moments.iloc[places]
    distance = np.maximum(own.min() - at, at - own.max()).to_numpy()
    return np.sort(places[np.argsort(distance, kind="stable")[:MOST_SEEN]])
