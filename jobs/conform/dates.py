"""Date patterns as shapes: one regular expression and one cast per pattern, no exception per row."""

import re

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.contracts import changes_clock

DATE_FORMATS = ("yyyy-MM-dd", "yyyy/M/d", "yyyyMMdd", "yyyy年M月d日", "yyyy.M.d")
TIME_FORMATS = (
    "yyyy-MM-dd HH:mm:ss",
    "yyyy-MM-dd'T'HH:mm:ssXXX",
    "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "yyyy-MM-dd HH:mm:ss.SSS",
    "yyyy/M/d H:m:s",
    "yyyy/M/d H:m",
    "yyyy-MM-dd'T'HH:mm:ss",
    "yyyy-MM-dd HH:mm",
    "yyyy年M月d日 H时m分",
    "yyyy-MM-dd",
)
EXACT = ("yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd")
"""ISO patterns that a function of our own on the engine reads, without a regular expression."""
NUMERIC = {"y": "year", "M": "month", "d": "day", "H": "hour", "m": "minute", "s": "second", "S": "fraction"}
EXCEL_EPOCH_DAYS = 25569  # 1970-01-01 as an Excel serial number (1900 system)
LAST_SERIAL = 2958465  # 9999-12-31
SERIAL = r"^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$"
DAY_END = r"(?<![0-9:.])24((?::00){1,2}(?:\.0+)?|时0{1,2}分(?:0{1,2}秒)?)(?=$|Z|[+-])"
"""24:00 as the end of a day."""
TOKEN = re.compile(r"'([^']*)'|([A-Za-z])\2*|(.)", re.S)


def shape(pattern: str) -> tuple[str, str, bool] | None:
    """(regular expression, ISO template, has offset) of a numeric pattern; None where it names months or AM/PM.

    A month without a day is its first day.
    """
    groups: dict[str, int] = {}
    regex, has_offset = "", False
    for match in TOKEN.finditer(pattern):
        literal, letter, other = match.group(1), match.group(2), match.group(3)
        if letter in NUMERIC:
            width = len(match.group(0))
            groups[NUMERIC[letter]] = len(groups) + 1
            regex += rf"(\d{{{width}}})" if width > 1 and letter not in "S" else _open_width(letter)
        elif letter in ("X", "Z"):
            groups["offset"], has_offset = len(groups) + 1, True
            regex += r"(Z|[+-]\d{2}:?\d{2})"
        elif letter:
            return None
        else:
            regex += re.escape(literal if literal is not None else other).replace(r"\ ", r"\s+")
    if not _is_dated(set(groups)):
        return None
    return f"^{regex}$", _template(groups), has_offset


def _is_dated(parts: set[str]) -> bool:
    """Whether the parts name a month or a day; a time needs its day."""
    return {"year", "month"} <= parts and ("day" in parts or "hour" not in parts)


def _open_width(letter: str) -> str:
    return r"(\d{1,9})" if letter == "S" else r"(\d{1,2})"


def _template(groups: dict[str, int]) -> str:
    day_of_month = f"${groups['day']}" if "day" in groups else "01"
    iso = f"${groups['year']}-${groups['month']}-{day_of_month}"
    if "hour" in groups:
        minute = f"${groups['minute']}" if "minute" in groups else "00"
        second = f"${groups['second']}" if "second" in groups else "00"
        iso += f" ${groups['hour']}:{minute}:{second}"
        iso += f".${groups['fraction']}" if "fraction" in groups else ""
    return iso + (f"${groups['offset']}" if "offset" in groups else "")


def moment(text: Column, formats: tuple[str, ...], zone: str) -> Column:
    """UTC timestamp of the first format that fits; null where none does. Local times are read in `zone`."""
    return F.coalesce(*(_parsed(text, pattern, zone) for pattern in formats))


def day(text: Column, formats: tuple[str, ...]) -> Column:
    """Calendar date of the first format that fits; null where none does."""
    return F.coalesce(*(_parsed(text, pattern, "UTC").cast("date") for pattern in formats))


def day_end(text: Column, formats: tuple[str, ...], zone: str) -> Column:
    """UTC timestamp of a text with 24:00, the midnight at the end of its day; null for any other text."""
    same_day = F.when(text.rlike(DAY_END), F.regexp_replace(text, DAY_END, "00$1"))
    local = tuple(filter(is_local, formats))
    others = tuple(pattern for pattern in formats if pattern not in local)
    one_day = F.expr("INTERVAL 1 DAY")
    stamps = [_local(moment(same_day, local, "UTC") + one_day, zone)] if local else []
    return F.coalesce(*stamps, *([moment(same_day, others, zone) + one_day] if others else []))


def _parsed(text: Column, pattern: str, zone: str) -> Column:
    if pattern == "excel_serial":
        serial = F.when(text.rlike(SERIAL), text.try_cast("double"))
        seconds = F.round((serial - F.lit(EXCEL_EPOCH_DAYS)) * F.lit(86400))
        return F.when((serial >= 1) & (serial <= LAST_SERIAL), _local(F.timestamp_seconds(seconds), zone))
    if pattern in ("epoch_s", "epoch_ms"):
        number = F.when(text.rlike(r"^\d{9,14}$"), text.try_cast("bigint"))
        return F.timestamp_seconds(number) if pattern == "epoch_s" else F.timestamp_millis(number)
    if pattern in EXACT:
        return _local(F.call_function("lake_plain_timestamp", text, F.lit(len(pattern))), zone)
    numeric = shape(pattern)
    if numeric is None:
        return _local(F.try_to_timestamp(text, F.lit(pattern)), zone)
    regex, template, has_offset = numeric
    stamp = F.when(text.rlike(regex), F.regexp_replace(text, regex, template)).try_cast("timestamp")
    return stamp if has_offset else _local(stamp, zone)


def is_local(pattern: str) -> bool:
    """Whether a pattern gives a wall-clock time, rather than an instant with offset or an epoch number."""
    numeric = shape(pattern)
    return pattern not in ("epoch_s", "epoch_ms") and (numeric is None or not numeric[2])


def _local(stamp: Column, zone: str) -> Column:
    """A wall-clock time of the zone in UTC; null where the zone skipped that time, as in spring."""
    if zone == "UTC":
        return stamp
    moment = F.to_utc_timestamp(stamp, zone)
    return F.when(F.from_utc_timestamp(moment, zone) == stamp, moment) if changes_clock(zone) else moment
