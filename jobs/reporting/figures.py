"""Numbers and times as people read them; an unknown number is a dash."""

from datetime import datetime
from zoneinfo import ZoneInfo

NONE = "—"
UNITS = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB"))


def count(value: int | None) -> str:
    """A whole number with thousands separators."""
    return NONE if value is None else f"{value:,}"


def share(part: int, whole: int) -> float | None:
    """part / whole; None where nothing was counted."""
    return part / whole if whole else None


def percent(ratio: float | None) -> str:
    """A ratio as percent with two decimals; only all rounds to 100% and only nothing to 0%."""
    if ratio is None:
        return NONE
    if 0 < ratio < 0.00005:
        return "<0.01%"
    return f"{_short_of_all(100 * ratio):.2f}%"


def score(value: float | None) -> str:
    """A score from 0 to 100 with two decimals; only a faultless one is 100."""
    return NONE if value is None else f"{_short_of_all(value):.2f}"


def moment(at: datetime | None, zone: str) -> str:
    """A time on the clock of `zone`."""
    return NONE if at is None else at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def day(at: datetime, zone: str) -> str:
    """The day on the calendar of `zone`."""
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d")


def day_and_time(at: datetime, zone: str) -> tuple[str, str]:
    """Month and day, and the time to the minute, on the clock of `zone`: several deliveries may come on one day."""
    local = at.astimezone(ZoneInfo(zone))
    return local.strftime("%m-%d"), local.strftime("%H:%M")


def size(size_bytes: int) -> str:
    """Bytes in the largest unit that keeps a digit before the point."""
    for unit, word in UNITS:
        if size_bytes >= unit:
            return f"{size_bytes / unit:,.1f} {word}"
    return f"{size_bytes:,} 字节"


def short_hash(text: str) -> str:
    """The first 12 digits of a hash, enough to distinguish two."""
    return text[:12] or NONE


def _short_of_all(value: float) -> float:
    return min(value, 99.99) if value < 100 else value
