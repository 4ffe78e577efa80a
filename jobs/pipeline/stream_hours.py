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

LABEL = "%Y%m%dT%HZ"
PARTS = re.compile(r"(\d+)-(\d+)-(\d+)(?: (\d+):(\d+):(\d+)(?:\.(\d+))?)?(Z|[+-]\d{2}:?\d{2})?")


def event_times(texts: pa.ChunkedArray, contract: Contract, stream: Stream) -> list[datetime | None]:
    """The moment that each text says, in UTC; None where it says none. Read as the contract's timestamps are."""
    field = contract.field(stream.event_time)
    zone = ZoneInfo(field.source.timezone or contract.layout.timezone)
    formats = field.source.formats or TIME_FORMATS
    distinct = pc.unique(texts).to_pylist()
    moments = {text: None if text is None else _moment(text.strip(), formats, zone) for text in distinct}
    return [moments[text] for text in texts.to_pylist()]


def hours_of(events: list[datetime | None], received: list[datetime], stream: Stream) -> list[datetime]:
    """The UTC hour to which each reading belongs."""
    ahead, behind = timedelta(minutes=stream.ahead_min), timedelta(days=stream.behind_d)
    hours = []
    for event, at in zip(events, received, strict=True):
        is_usable = event is not None and at - behind <= event <= at + ahead
        moment = event if event is not None and is_usable else at
        hours.append(moment.replace(minute=0, second=0, microsecond=0))
    return hours


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
