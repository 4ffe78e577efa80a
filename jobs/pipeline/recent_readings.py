"""The last readings of each device of a stream: what rules over neighbouring readings see besides a batch.

All rules see a few of them. Rules with an alarm see as far back as they reach, since sealing opens no alarm; of those older
readings only the columns of these rules are kept.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from jobs.contracts import Contract, Rule
from jobs.contracts.names import FILE, ROW
from jobs.contracts.stream import Stream
from jobs.lake.lake import Lake
from jobs.lake.named_rows import NamedRows
from jobs.lake.prepared_plans import in_engine
from jobs.lake.zones import Zone
from jobs.pipeline.curated_neighbours import columns_of_context, fields_of

IS_WRONG = "_is_wrong"
"""Of a reading that is kept: whether it breaks a critical rule."""
MOST_AT_ONCE = 30
"""Readings of a device that a batch sees; rules that reach further say more once the hour is sealed."""
MOST_KEPT = 2_000_000
"""Older readings of all devices that are kept for rules with an alarm, some 50 bytes each."""
MOST_SEEN = 40_000
"""Older readings of a batch's devices that it sees; of more, each device has an equal share."""
SPARE = 1.25
"""Older readings are cut off once they are this many times as many as after the last time."""


class RecentReadings:
    """The last readings of each device by dataset, typed; rebuilt from silver when lost."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._rows: dict[str, pa.Table] = {}
        self._older: dict[str, pa.Table] = {}
        self._cut_at: dict[str, float] = {}

    def of(
        self, contract: Contract, rules: Sequence[Rule], devices: pa.ChunkedArray, since: datetime
    ) -> pa.Table | None:
        """The devices' last readings, where the rules look at neighbours; `since`: what is kept at the first call.

        `_is_wrong` says which of them break a critical rule.
        """
        from jobs.quality.series import reach

        stream = contract.stream
        if stream is None or not reach(rules):
            return None
        if contract.id not in self._rows:
            stored = self._stored(contract, stream, since)
            if stored is None:
                return None
            self._rows[contract.id] = stored
        names = pc.unique(pc.utf8_trim_whitespace(devices))
        own = [_of(self._rows[contract.id], stream, names)]
        if contract.id in self._older:
            older = _of(self._older[contract.id], stream, names)
            own.append(_last(older, stream, max(MOST_SEEN // max(len(names), 1), 1))[0])
        rows = pa.concat_tables(own, promote_options="permissive")
        return rows if rows.num_rows else None

    def in_engine(self, rows: pa.Table | None) -> NamedRows | None:
        """The readings as the rules see them."""
        if rows is None:
            return None
        seen = rows.drop_columns([IS_WRONG])
        return NamedRows(in_engine(self._lake.spark, seen), tuple(seen.column_names))

    def remember(self, contract: Contract, rules: Sequence[Rule], rows: Sequence[pa.Table]) -> None:
        """The rows were written; each has `_is_wrong`."""
        from jobs.quality.series import reach

        stream = contract.stream
        if stream is None or not reach(rules) or not rows:
            return
        names = [name for name in rows[0].column_names if name in {*columns_of_context(contract), IS_WRONG}]
        known = [self._rows[contract.id]] if contract.id in self._rows else []
        both = pa.concat_tables([*known, *(part.select(names) for part in rows)], promote_options="permissive")
        self._rows[contract.id], older = _last(_in_time(both, stream), stream, min(reach(rules), MOST_AT_ONCE))
        self._keep_older(contract, stream, [rule for rule in rules if rule.alarm is not None], older)

    def forget(self, dataset: str) -> None:
        """Read them from silver again: a write failed half-way."""
        for kept in (self._rows, self._older, self._cut_at):
            kept.pop(dataset, None)

    def count(self, dataset: str) -> int:
        """How many readings are kept."""
        return sum(rows[dataset].num_rows for rows in (self._rows, self._older) if dataset in rows)

    def _keep_older(self, contract: Contract, stream: Stream, alarming: Sequence[Rule], rows: pa.Table) -> None:
        """Keep the readings that only rules with an alarm see: in time, and in number, as far as these reach."""
        from jobs.quality.series import reach, reach_s

        if reach(alarming) <= MOST_AT_ONCE:
            return
        names = {stream.device, stream.event_time, FILE, ROW, IS_WRONG, *fields_of(contract, alarming)}
        rows = rows.select([name for name in rows.column_names if name in names])
        known = [self._older[contract.id]] if contract.id in self._older else []
        both = pa.concat_tables([*known, rows], promote_options="permissive")
        if both.num_rows > self._cut_at.get(contract.id, 0):
            latest = pc.max(self._rows[contract.id][stream.event_time]).as_py()
            both = _since(both, stream, latest, min(60 * stream.context_min, reach_s(alarming)))
            devices = pc.count_distinct(both[stream.device]).as_py()
            both = _last(both, stream, min(reach(alarming), MOST_KEPT // max(devices, 1)))[0].combine_chunks()
            self._cut_at[contract.id] = both.num_rows * SPARE
        self._older[contract.id] = both

    def _stored(self, contract: Contract, stream: Stream, since: datetime) -> pa.Table | None:
        table = self._lake.delta.open(self._lake.path(Zone.SILVER, contract.id))
        if table is None:
            return None
        rows = table.to_pyarrow_dataset()
        names = [name for name in rows.schema.names if name in columns_of_context(contract)]
        stored = rows.to_table(names, filter=ds.field(stream.event_time) >= since)
        return stored.append_column(IS_WRONG, pa.repeat(pa.scalar(False), stored.num_rows))


def _of(rows: pa.Table, stream: Stream, devices: pa.Array) -> pa.Table:
    return rows.filter(pc.is_in(rows[stream.device].cast(pa.string()), value_set=devices))


def _in_time(rows: pa.Table, stream: Stream) -> pa.Table:
    """The readings that the context has: without those of clocks that are ahead, one of which would make all others too old."""
    at = rows[stream.event_time]
    not_ahead = datetime.now(UTC) + timedelta(minutes=stream.ahead_min)
    rows = rows.filter(pc.and_(pc.less_equal(at, pa.scalar(not_ahead, at.type)), pc.is_valid(rows[stream.device])))
    return _since(rows, stream, pc.max(rows[stream.event_time]).as_py(), 60 * stream.context_min)


def _since(rows: pa.Table, stream: Stream, latest: datetime | None, seconds: float) -> pa.Table:
    """The readings that are not older than the latest by more than so many seconds."""
    if latest is None:
        return rows.slice(0, 0)
    at = rows[stream.event_time]
    return rows.filter(pc.greater_equal(at, pa.scalar(latest - timedelta(seconds=seconds), at.type)))


def _last(rows: pa.Table, stream: Stream, count: int) -> tuple[pa.Table, pa.Table]:
    """The last readings of each device, and the others."""
    frame = pd.DataFrame({"at": rows[stream.event_time].to_pandas(), "device": rows[stream.device].to_pandas()})
    order = frame.sort_values("at", kind="stable").groupby("device").cumcount(ascending=False)
    is_last = (order.sort_index() < count).to_numpy(bool) if len(frame) else np.zeros(0, bool)
    return rows.filter(pa.array(is_last)), rows.filter(pa.array(~is_last))
