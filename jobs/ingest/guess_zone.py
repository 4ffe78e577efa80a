"""The zone of the local times in a new file, by its clock changes."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from jobs.ingest.clock_changes import Change, best_zone, hours_of
from jobs.ingest.guess_values import Guess
from jobs.ingest.sample_times import seconds_of
from jobs.ingest.wordings import wording


def zone_comments(columns: Mapping[int, pa.Array], guesses: Mapping[int, Guess], names: Mapping[int, str]) -> list[str]:
    """For each column of local times whose hours show clock changes: those changes, and the zone that has them."""
    found = []
    for position, proposed in guesses.items():
        if not proposed.is_local_time():
            continue
        seconds = seconds_of(columns[position].drop_null(), proposed)
        hours = None if seconds is None else hours_of(seconds)
        seen = best_zone(hours) if hours and hours.is_regular() else None
        if seen:
            found.append(wording("zone_seen", name=names[position], zone=seen[0], changes=in_words(seen[1])))
    return found


def in_words(changes: Sequence[Change]) -> str:
    """`2024-03-31 02 时缺失、2024-10-27 02 时重复`."""
    return "、".join(wording("zone_skipped" if c.is_skipped else "zone_doubled", at=f"{c.at()} 时") for c in changes)
