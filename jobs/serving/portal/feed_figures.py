"""What products say of a stream: the share of readings that arrived, and figures that were shown and are different now."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.compute as pc
import pyarrow.dataset as ds

from jobs.lake.lake import Lake
from jobs.lake.zones import Zone

SUMMARY, CHANGES = "telemetry_summary", "figure_changes"
HOUR_S, DAY = 3600, timedelta(hours=24)
CITY, DEVICE = "city", "device"


@dataclass(frozen=True)
class Correction:
    """A figure of an hour or a day that was shown and is different now; None: there was none."""

    place: str
    period_start_at: datetime
    period_s: int
    field: str
    figure: str
    before: str | None
    after: str | None
    changed_at: datetime


def coverage(lake: Lake, now: datetime) -> dict[str, float]:
    """Readings received of those due, in percent, of the last 24 hours: from the first to the last hour with any; by dataset."""
    table = lake.delta.open(lake.path(Zone.GOLD, SUMMARY))
    if table is None:
        return {}
    since = now - DAY
    chosen = (
        (ds.field("day") >= (since - DAY).date())
        & (ds.field("period_start_at") >= since)
        & (ds.field("period_s") == HOUR_S)
        & (ds.field("place_level") == CITY)
    )
    names = ["dataset_id", "period_start_at", "readings_received", "readings_due"]
    rows = table.to_pyarrow_dataset().to_table(names, filter=chosen)
    # A field may be empty by right: of each hour the fullest one counts.
    hours = rows.group_by(["dataset_id", "period_start_at"]).aggregate(
        [("readings_received", "max"), ("readings_due", "max")]
    )
    found = hours.group_by("dataset_id").aggregate(
        [
            *(("period_start_at", end) for end in ("min", "max")),
            ("readings_received_max", "sum"),
            ("readings_due_max", "max"),
        ]
    )
    return {row["dataset_id"]: _covered(row) for row in found.to_pylist() if row["readings_due_max_max"]}


def _covered(row: Mapping[str, Any]) -> float:
    """An hour without readings is none of the summary's, and counts all the same."""
    hours = (row["period_start_at_max"] - row["period_start_at_min"]).total_seconds() / HOUR_S + 1
    return min(100.0, float(100 * row["readings_received_max_sum"] / (row["readings_due_max_max"] * hours)))


def corrections(lake: Lake, dataset: str, fields: Collection[str], most: int) -> tuple[Correction, ...]:
    """The newest corrections of the fields' figures by hour and day and by place, without those of single devices."""
    table = lake.delta.open(lake.path(Zone.RESULTS, CHANGES))
    if table is None:
        return ()
    rows = table.to_pyarrow_dataset().to_table(
        ["key", "field", "before", "after", "changed_at"], filter=ds.field("product") == SUMMARY
    )
    mine = rows.filter(pc.match_substring(rows["key"], f'"dataset_id": "{dataset}"'))
    newest = mine.sort_by([("changed_at", "descending"), ("key", "descending")])
    read = (_correction(row, json.loads(row["key"])) for row in newest.to_pylist() if row["key"].startswith("{"))
    return tuple(one for one in read if one is not None and one.field in fields)[:most]


def _correction(row: Mapping[str, Any], key: Mapping[str, str]) -> Correction | None:
    period_s = int(key["period_s"])
    if period_s < HOUR_S or key["place_level"] == DEVICE:
        return None
    start = datetime.fromisoformat(key["period_start_at"])
    return Correction(
        place=key["place_code"],
        period_start_at=start if start.tzinfo else start.replace(tzinfo=UTC),
        period_s=period_s,
        field=key["field_name"],
        figure=row["field"],
        before=row["before"],
        after=row["after"],
        changed_at=row["changed_at"],
    )
