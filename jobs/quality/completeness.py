"""How many readings a delivery should have, by the intervals that its rules agree on, and how many it has."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import Contract, Rule
from jobs.model.rule_result import Readings

FOLLOWS = "expect_column_values_to_follow_in_time"


@dataclass
class ReadingCounter:
    """Readings of points at intervals, counted batch by batch; a row without any number is no reading.

    `interval_s`: None where each point has an interval of its own, which is then the median of its steps.
    """

    series: tuple[str, ...]
    at: str
    interval_s: float | None
    numbers: tuple[str, ...]
    parts: list[pa.Table] = field(default_factory=list)

    def add(self, batch: pa.RecordBatch) -> None:
        """Note the points and times of the batch's rows."""
        moments = (
            batch[self.at]
            .cast(pa.timestamp("s", tz=getattr(batch[self.at].type, "tz", None)), safe=False)
            .cast(pa.int64())
        )
        columns = {name: batch[name] for name in self.series} | {"_at": moments, "_given": self._given(batch)}
        self.parts.append(pa.table(columns).filter(pc.is_valid(moments)))

    def _given(self, batch: pa.RecordBatch) -> pa.Array:
        given = pa.repeat(pa.scalar(not self.numbers), batch.num_rows)
        for name in self.numbers:
            given = pc.or_(given, pc.is_valid(batch[name]))
        return given

    def readings(self) -> Readings:
        """Expected and received readings of all points."""
        if not self.parts:
            return Readings(0, 0)
        table = pa.concat_tables(self.parts).combine_chunks()
        points = np.zeros(table.num_rows, dtype=np.int64)
        for name in self.series:
            codes = table[name].combine_chunks().dictionary_encode(null_encoding="encode").indices.to_numpy()
            points = np.unique(points * (len(points) + 1) + codes, return_inverse=True)[1]
        times, given = table["_at"].to_numpy(), np.asarray(table["_given"].to_numpy(zero_copy_only=False), dtype=bool)
        order = np.argsort(points, kind="stable")
        ends = np.flatnonzero(np.diff(points[order])) + 1
        counted = [self._of_point(times[rows], given[rows]) for rows in np.split(order, ends) if len(rows)]
        return Readings(sum(e for e, _ in counted), sum(r for _, r in counted))

    def _of_point(self, times: np.ndarray, given: np.ndarray) -> tuple[int, int]:
        """A gap counts at most as many readings as the point has: one wrong year is no century of missing readings."""
        steps = np.diff(np.unique(times))
        interval = self.interval_s or (float(np.median(steps)) if len(steps) else 1.0)
        slots = np.rint((times - times.min()) / interval).astype(np.int64)
        present, received = np.unique(slots), len(np.unique(slots[given]))
        missing = np.minimum(np.diff(present) - 1, len(present)).sum()
        return len(present) + int(missing), received


def reading_counters(contract: Contract, rules: Sequence[Rule]) -> list[ReadingCounter]:
    """A counter for each rule on intervals; none for one that applies to some rows only."""
    numbers = tuple(f.name for f in contract.fields if f.type in ("integer", "number") and f.key_position is None)
    return [
        ReadingCounter(tuple(rule.kwargs["series"]), rule.kwargs["at"], _interval(rule), numbers)
        for rule in rules
        if rule.type == FOLLOWS and "row_condition" not in rule.kwargs
    ]


def _interval(rule: Rule) -> float | None:
    """Seconds; None where a lookup gives them, such as `devices.interval_s`."""
    interval = rule.kwargs["interval_s"]
    return float(interval) if isinstance(interval, int | float) else None


def noted(batches: Iterable[pa.RecordBatch], counters: Sequence[ReadingCounter]) -> Iterator[pa.RecordBatch]:
    """The batches, each noted by the counters as it passes."""
    for batch in batches:
        for counter in counters:
            counter.add(batch)
        yield batch


def total(counters: Sequence[ReadingCounter]) -> Readings | None:
    """Readings of all counters together; None without any."""
    counted = [counter.readings() for counter in counters]
    return Readings(sum(c.expected for c in counted), sum(c.received for c in counted)) if counted else None
