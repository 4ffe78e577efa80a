"""What the lake has of one plan of readings, and how it differs from what it should have."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from jobs.contracts.names import DELIVERY, FILE, FIRST_SENT, RECEIVED, ROW, SEQ
from jobs.lake.broker import end_offsets, topic
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from tests.soak.plan import Plan

CURATED = (Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE)
OF_PROCESSING = (DELIVERY, FILE, FIRST_SENT, RECEIVED, ROW, SEQ)
"""Columns that say where a row is and when it came, not what was measured."""
MOST_SHOWN = 10
Rows = Counter[str]


@dataclass(frozen=True)
class Outcome:
    """Rows by table, as texts with their number; those of quarantine and evidence belong to the last revisions of hours.

    `again`: messages that the sender sent again since it had no answer, though the broker had them.
    """

    tables: Mapping[str, Rows]
    again: int
    mistakes: tuple[str, ...]

    def hash(self) -> str:
        """A hash of the curated rows."""
        lines = (f"{zone} {row} {count}" for zone in CURATED for row, count in sorted(self.tables[zone].items()))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def outcome(lake: Lake, dataset: str, plan: Plan) -> Outcome:
    """What the lake has of a dataset; `mistakes` are those that need no comparison with another one."""
    messages = _telemetry(lake, dataset)
    sent = plan.messages()
    stored = Counter(zip(messages["message_id"].to_pylist(), messages["sent_text"].to_pylist(), strict=True))
    tables: dict[str, Rows] = {zone: _curated(lake, zone, dataset) for zone in CURATED}
    tables[Zone.TELEMETRY] = Counter(map(str, stored.keys()))
    mistakes = (
        *_named("accepted and not in telemetry", sent.keys() - stored.keys()),
        *_named("in telemetry and never sent", stored.keys() - sent.keys()),
        *_named("less often in telemetry than sent", (key for key in sent if stored[key] < sent[key])),
        *_places(lake, dataset, messages),
        *_silver(lake, dataset, plan),
    )
    return Outcome(tables, stored.total() - sum(sent.values()), mistakes)


def differences(expected: Outcome, actual: Outcome) -> Iterator[str]:
    """Rows that one of the two has more often."""
    for zone in (Zone.TELEMETRY, *CURATED):
        yield from _named(f"missing in {zone}", (expected.tables[zone] - actual.tables[zone]).elements())
        yield from _named(f"too often in {zone}", (actual.tables[zone] - expected.tables[zone]).elements())


def _telemetry(lake: Lake, dataset: str) -> pa.Table:
    table = lake.delta.open(lake.path(Zone.TELEMETRY, dataset))
    if table is None:
        raise LookupError(f"{dataset}: no telemetry")
    return table.to_pyarrow_table(columns=["_partition", "_offset", "message_id", "sent_text"])


def _places(lake: Lake, dataset: str, messages: pa.Table) -> Iterator[str]:
    """Each place of the broker must be in telemetry once."""
    places = Counter(zip(messages["_partition"].to_pylist(), messages["_offset"].to_pylist(), strict=True))
    ends = end_offsets(lake.settings, topic(lake.settings, dataset))
    broker = {(partition, offset) for partition, end in ends.items() for offset in range(end)}
    yield from _named("places of the broker not in telemetry", broker - places.keys())
    yield from _named("places in telemetry and not in the broker", places.keys() - broker)
    yield from _named("places twice in telemetry", (place for place, count in places.items() if count > 1))


def _silver(lake: Lake, dataset: str, plan: Plan) -> Iterator[str]:
    """Silver must have each good reading once, whichever delivery it belongs to."""
    table = lake.delta.open(lake.path(Zone.SILVER, dataset))
    rows = table.to_pyarrow_table(columns=["station", "read_at"]).to_pylist() if table is not None else []
    keys = Counter((row["station"], row["read_at"].isoformat(timespec="milliseconds")) for row in rows)
    good = plan.good()
    yield from _named("good readings not in silver", good - keys.keys())
    yield from _named("in silver and not good", keys.keys() - good)
    yield from _named("twice in silver", (key for key, count in keys.items() if count > 1))


def _curated(lake: Lake, zone: Zone, dataset: str) -> Rows:
    """The rows without the columns of their processing: all of silver, and what else the last revision of each hour has."""
    table = lake.delta.open(lake.path(zone, dataset))
    if table is None:
        return Counter()
    last = set({hour.hour: hour.delivery for hour in lake.streams.hours(dataset)}.values())
    rows = table.to_pyarrow_table().to_pylist()
    return Counter(_text(row) for row in rows if zone is Zone.SILVER or row[DELIVERY] in last)


def _text(row: Mapping[str, object]) -> str:
    return repr(sorted((name, value) for name, value in row.items() if name not in OF_PROCESSING))


def _named(mistake: str, rows: object) -> Iterator[str]:
    """The mistake with its number and the first rows; nothing where there is none."""
    found = sorted(map(str, rows))  # type: ignore[call-overload]
    if found:
        yield f"{mistake}: {len(found)}\n  " + "\n  ".join(found[:MOST_SHOWN])
