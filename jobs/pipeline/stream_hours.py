"""Which hour a reading belongs to: that of its event time; of its receipt where the device's clock cannot be right."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from jobs.conform.dates import TIME_FORMATS, shape
from jobs.contracts import Contract
from jobs.contracts.stream import Stream

MOMENT = pa.timestamp("us", "UTC")
LABEL = "%Y%m%dT%HZ"
PARTS = re.compile(r"(\d+)-(\d+)-(\d+)(?: (\d+):(\d+):(\d+)(?:\.(\d+))?)?(Z|[+-]\d{2}:?\d{2})?")


def event_times(texts: pa.ChunkedArray, contract: Contract, stream: Stream) -> pa.Array:
    """The moment that each text says, in UTC; null where it says none. Read as the contract's timestamps are."""
    field = contract.field(stream.event_time)
    zone = ZoneInfo(field.source.timezone or contract.layout.timezone)
    formats = field.source.formats or TIME_FORMATS
    found = pc.dictionary_encode(texts.combine_chunks())
    moments = [_moment(text.strip(), formats, zone) for text in found.dictionary.to_pylist()]
    return pa.array(moments, MOMENT).take(found.indices)


def hours_of(events: pa.Array, received: pa.Array, stream: Stream) -> pa.Array:
    """The UTC hour to which each reading belongs."""
    ahead, behind = timedelta(minutes=stream.ahead_min), timedelta(days=stream.behind_d)
    is_early = pc.less(events, pc.subtract(received, pa.scalar(behind, pa.duration("us"))))
    is_late = pc.greater(events, pc.add(received, pa.scalar(ahead, pa.duration("us"))))
    is_usable = pc.invert(pc.or_(is_early, is_late))  # null where there is no event
    moments = pc.if_else(pc.fill_null(is_usable, False), events, received)
    return pc.floor_temporal(moments.cast(pa.timestamp("us")), unit="hour").cast(MOMENT)


def datetimes(moments: pa.Array) -> list[datetime | None]:
    """Moments as times in UTC, several times faster than by Arrow's own conversion."""
    naive = moments.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False).tolist()
    return [None if moment is None else moment.replace(tzinfo=UTC) for moment in naive]


def labels(hours: pa.Array) -> pa.Array:
    """The label of each hour."""
    found = pc.dictionary_encode(hours)
    return pa.array(map(label, filter(None, datetimes(found.dictionary))), pa.string()).take(found.indices)


@lru_cache(maxsize=10_000)
def label(hour: datetime) -> str:
    """The hour as a partition's name, such as 20261128T07Z."""
    return hour.astimezone(UTC).strftime(LABEL)


@lru_cache(maxsize=200_000)
def _moment(text: str, formats: tuple[str, ...], zone: ZoneInfo) -> datetime | None:
    for pattern in formats:
        if pattern in ("epoch_s", "epoch_ms"):
            found = _epoch(text, 1 if pattern == "epoch_s" else 1000)
        else:
            found = _of_shape(text, pattern, zone)
        if found is not None:
            return found
    return None


def _epoch(text: str, scale: int) -> datetime | None:
    if not re.fullmatch(r"\d{9,14}", text):
        return None
    try:
        return datetime.fromtimestamp(int(text) / scale, UTC)
    except (OverflowError, ValueError):
        return None


def _of_shape(text: str, pattern: str, zone: ZoneInfo) -> datetime | None:
    numeric = shape(pattern)
    match = numeric and re.match(numeric[0], text)
    if not numeric or not match:
        return None
    parts = PARTS.fullmatch(match.expand(re.sub(r"\$(\d+)", r"\\g<\1>", numeric[1])))
    if parts is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in parts.groups()[:6])
    fraction = (parts[7] or "").ljust(6, "0")[:6]
    offset = parts[8]
    try:
        moment = datetime(year, month, day, hour, minute, second, int(fraction))
        zoned = moment.replace(tzinfo=zone) if not offset else datetime.fromisoformat(f"{moment.isoformat()}{offset}")
        return zoned.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
