"""Hours of readings that are complete → deliveries, evaluated, reported and answered like any other."""

import gzip
import hashlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from jobs.contracts import Contract, Registry
from jobs.contracts.stream import Stream
from jobs.contracts.telemetry import SUFFIX
from jobs.lake.lake import Lake
from jobs.lake.session import is_unavailable
from jobs.lake.stream_ledger import Hour, SealedFile
from jobs.lake.zones import Zone
from jobs.pipeline.clock_offsets import clock_offsets
from jobs.pipeline.message_lines import file_of
from jobs.pipeline.neighbours import AROUND, offsets_around
from jobs.pipeline.processing import load_and_conform
from jobs.pipeline.stream_hours import datetimes, event_times, label
from jobs.pipeline.stream_messages import first_of_each_id, readable, value_of

logger = logging.getLogger(__name__)
ONE_HOUR = timedelta(hours=1)


def due(hours: Sequence[Hour], registry: Registry, now: datetime) -> list[Hour]:
    """Open hours that ended long enough ago, and for which nothing came for a while."""
    streams = {contract.id: contract.stream for contract in registry.streams()}
    return [hour for hour in hours if _is_due(hour, streams.get(hour.dataset), now)]


def _is_due(hour: Hour, stream: Stream | None, now: datetime) -> bool:
    if stream is None:
        return False
    ended = hour.hour + ONE_HOUR + timedelta(minutes=stream.seal_after_min)
    return ended <= now and hour.last_received + timedelta(seconds=stream.quiet_s) <= now


def seal_due(lake: Lake, registry: Registry, now: datetime, failed: list[Exception] | None = None) -> list[str]:
    """Ids of the deliveries that were evaluated: the hours that are due, after those that were sealed by a process that died then.

    `failed` takes the error of an hour that fails, so that the others go on; without it, and where the engine is unavailable, it is raised.
    """
    evaluated: list[str] = []
    half_done = [hour for hour in lake.streams.unevaluated() if hour.dataset in registry.contracts]
    for hour in (*half_done, *due(lake.streams.hours(is_open=True), registry, now)):
        try:
            evaluated += _evaluated(lake, registry, hour, now, evaluated)
        except Exception as error:
            if failed is None or is_unavailable(error):
                raise
            logger.exception("%s: hour %s", hour.dataset, label(hour.hour))
            failed.append(error)
    return evaluated


def _evaluated(lake: Lake, registry: Registry, hour: Hour, now: datetime, already: Sequence[str]) -> list[str]:
    """The hour sealed, unless it is, and evaluated, unless it was."""
    contract = registry.contract(hour.dataset)
    if hour.sealed_at is None and not seal(lake, contract, hour, now):
        return []
    found = [] if hour.delivery in already else load_and_conform(lake, registry, contract.id, hour.delivery)
    _compact(lake, contract, hour)
    return found


def seal(lake: Lake, contract: Contract, hour: Hour, now: datetime) -> bool:
    """Store the hour's messages as one file, in the order of the broker, and record it as landed.

    False while the hour has none: a batch opens its hours before it writes its messages.
    """
    rows = _messages(lake, contract, hour)
    if rows is None or not rows.num_rows:
        return False
    kept = first_of_each_id(rows)
    values = [value_of(row) for row in kept.select(["sent_text", "sent_bytes"]).to_pylist()]
    lines, bronze = readable(contract, values)
    data = gzip.compress(file_of(lines)[0], mtime=0)
    name = f"{contract.id}-{label(hour.hour)}-{hour.revision}{SUFFIX}"
    key = f"{Zone.RECEIVED}/{contract.provider}/{contract.id}/{hour.delivery}/{name}"
    lake.store.put_bytes(key, data, "application/gzip")
    facts = _facts(contract, rows, kept, bronze)
    if contract.stream is not None:
        facts[AROUND] = offsets_around(lake, contract, contract.stream, hour.hour)
    lake.streams.seal(hour, now, SealedFile(key, len(data), hashlib.sha256(data).hexdigest()), facts)
    logger.info("%s: hour %s is sealed with %s readings", contract.id, label(hour.hour), facts["rows"])
    return True


def _messages(lake: Lake, contract: Contract, hour: Hour) -> pa.Table | None:
    table = lake.delta.open(lake.path(Zone.TELEMETRY, contract.id))
    if table is None:
        return None
    rows = table.to_pyarrow_dataset().to_table(filter=ds.field("_hour") == label(hour.hour))
    return rows.sort_by([("_partition", "ascending"), ("_offset", "ascending")])


def _facts(contract: Contract, rows: pa.Table, kept: pa.Table, bronze: pa.Table) -> dict[str, Any]:
    """Figures of the hour: messages, rows, resent, first and last event and receipt, offsets by partition."""
    stream = contract.stream
    times = datetimes(event_times(bronze[stream.event_time], contract, stream)) if stream else []
    events = [event for event in times if event]
    received = pc.min_max(rows["_received_at"])
    ends = rows.group_by("_partition").aggregate([("_offset", "min"), ("_offset", "max")])
    offsets = {str(row["_partition"]): [row["_offset_min"], row["_offset_max"]] for row in ends.to_pylist()}
    return {
        "messages": rows.num_rows,
        "rows": bronze.num_rows,
        "resent": rows.num_rows - kept.num_rows,
        "first_event": min(events).isoformat() if events else "",
        "last_event": max(events).isoformat() if events else "",
        "first_received": received["min"].as_py().astimezone(UTC).isoformat(),
        "last_received": received["max"].as_py().astimezone(UTC).isoformat(),
        "offsets": offsets,
        "clock_offsets": _clock_offsets(stream, bronze, times, kept),
    }


def _clock_offsets(
    stream: Stream | None, bronze: pa.Table, events: Sequence[datetime | None], kept: pa.Table
) -> dict[str, int]:
    if stream is None or bronze.num_rows != kept.num_rows:
        return {}
    return clock_offsets(bronze[stream.device].to_pylist(), events, kept["_received_at"].to_pylist(), stream)


def _compact(lake: Lake, contract: Contract, hour: Hour) -> None:
    """The hour's many small files of telemetry as one; readers of earlier versions keep theirs."""
    lake.delta.compact_part(lake.path(Zone.TELEMETRY, contract.id), "_hour", label(hour.hour))
