"""Local times of a delivery whose hours contradict the zone that the contract names."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import Contract, Field, Layout
from jobs.ingest.clock_changes import HOUR, Change, Hours, best_zone, hours_of, seen_changes
from jobs.ingest.guess_values import are_local
from jobs.ingest.guess_zone import in_words
from jobs.ingest.notes import FileNotes
from jobs.ingest.sample_times import times_of
from jobs.ingest.wordings import wording

USUAL_FORMATS = ("yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy/MM/dd HH:mm:ss", "yyyy/MM/dd HH:mm")
"""Tried where the field declares no format."""
FIT = 0.9
"""So many of the texts must fit a format; the others are not counted."""
LEAST_CHANGES = 2
"""A single hour without readings is an outage as often as a clock change; a doubled hour needs no second one."""
SURPLUS = 0.5
"""Readings in an hour that the zone skips, as a share of those of the hours around it, that say the zone has no such change."""


class ZoneCheck:
    """Takes batches of bronze rows and counts the readings in each hour of the key's local times."""

    def __init__(self, contract: Contract) -> None:
        self._layout = contract.layout
        self._fields = [field for field in contract.fields if _is_checked(field)]
        self._counts: dict[str, Counter[int]] = {field.name: Counter() for field in self._fields}

    def add(self, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch."""
        for field in self._fields:
            if field.name in batch.schema.names:
                self._counts[field.name].update(_by_hour(batch[field.name], field.source.formats or USUAL_FORMATS))

    def note(self, notes: FileNotes) -> None:
        """Say of each field whose hours show another zone's clock changes, or contradict its own zone's."""
        for field in self._fields:
            doubt = _doubt(self._counts[field.name], field, self._layout)
            if doubt:
                notes.say("zone_doubtful", doubt, field=field.name)


def _is_checked(field: Field) -> bool:
    is_sent = field.type == "timestamp" and field.key_position is not None and not field.is_computed()
    return is_sent and are_local(field.source.formats)


def _by_hour(texts: pa.Array, formats: Sequence[str]) -> Counter[int]:
    """Number of the hour since 1970 → readings; empty where the texts fit none of the formats."""
    counted = pc.value_counts(texts.drop_null())
    values, numbers = pc.struct_field(counted, "values"), pc.struct_field(counted, "counts")
    for form in formats:
        times = times_of(values, form)
        if times is None or not len(times) or times.null_count > (1 - FIT) * len(times):
            continue
        fits = times.is_valid()
        hours = times.filter(fits).to_numpy() // HOUR
        of_hour, places = np.unique(hours, return_inverse=True)
        sums = np.bincount(places, numbers.filter(fits).to_numpy())
        return Counter(dict(zip(of_hour.tolist(), sums.astype(int).tolist(), strict=True)))
    return Counter()


def _doubt(counts: Counter[int], field: Field, layout: Layout) -> str:
    """In Chinese; empty where the hours agree with the contract's zone, or say nothing."""
    hours = hours_of(np.array(list(counts), np.int64) * HOUR, np.array(list(counts.values())))
    if hours is None or not hours.is_regular():
        return ""
    zone, name = field.source.timezone or layout.timezone, field.headers()[0]
    shown, contradicted = seen_changes(hours, zone)
    if shown:
        return ""
    other = best_zone(hours)
    if other and _is_pattern(other[1]):
        return wording("zone_of_another", name=name, zone=zone, changes=in_words(other[1]), other=other[0])
    against = [f"{change.at()} 时" for change in contradicted if _has_readings(hours, change)]
    return wording("zone_without_change", name=name, zone=zone, times="、".join(against)) if against else ""


def _has_readings(hours: Hours, change: Change) -> bool:
    """Whether a skipped hour has about as many readings as any other."""
    return change.is_skipped and hours.at(change.hour) >= SURPLUS * hours.around(change.hour)


def _is_pattern(changes: Sequence[Change]) -> bool:
    return len(changes) >= LEAST_CHANGES or any(not change.is_skipped for change in changes)
