"""Whether a column holds dates or times, and in which formats."""

import re
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Literal

from jobs.ingest.wordings import wording

SURE = 0.98
MONTHS = 12
SHOWN = 5
SAMPLED_VALUES = 20_000
TIME_HEADER = re.compile(r"日期|时间|时刻|年月|date|time|_at$|_on$|day$", re.I)
NUMBER = re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
EPOCH = re.compile(r"^1\d{9}(?:\d{3})?$")
DAY_END = re.compile(r"[T ]24(?::00){1,2}(?:\.0+)?|24时0{1,2}分")
MONTH, DAY, HOUR, MINUTE = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])", r"(?:[01]?\d|2[0-4])", r"[0-5]\d"
YEAR = r"(?:1[89]|20|21)\d{2}"
FORMATS: Mapping[str, re.Pattern[str]] = {
    spark: re.compile(f"^{pattern}$")
    for spark, pattern in {
        "yyyy-MM-dd HH:mm:ss": rf"{YEAR}-\d\d-\d\d {HOUR}:{MINUTE}:{MINUTE}",
        "yyyy-MM-dd HH:mm:ss.SSS": rf"{YEAR}-\d\d-\d\d {HOUR}:{MINUTE}:{MINUTE}\.\d+",
        "yyyy-MM-dd'T'HH:mm:ss": rf"{YEAR}-\d\d-\d\dT{HOUR}:{MINUTE}:{MINUTE}",
        "yyyy-MM-dd'T'HH:mm:ss.SSSXXX": rf"{YEAR}-\d\d-\d\dT{HOUR}:{MINUTE}:{MINUTE}\.\d+(?:Z|[+-]\d\d:\d\d)",
        "yyyy-MM-dd'T'HH:mm:ssXXX": rf"{YEAR}-\d\d-\d\dT{HOUR}:{MINUTE}:{MINUTE}(?:Z|[+-]\d\d:\d\d)",
        "yyyy-MM-dd HH:mm": rf"{YEAR}-\d\d-\d\d {HOUR}:{MINUTE}",
        "yyyy/M/d H:mm:ss": rf"{YEAR}/{MONTH}/{DAY} {HOUR}:{MINUTE}:{MINUTE}",
        "yyyy/M/d H:mm": rf"{YEAR}/{MONTH}/{DAY} {HOUR}:{MINUTE}",
        "yyyy年M月d日 H时m分": rf"{YEAR}年{MONTH}月{DAY}日\s*{HOUR}时[0-5]?\d分",
        "yyyy年M月d日 H:mm:ss": rf"{YEAR}年{MONTH}月{DAY}日 {HOUR}:{MINUTE}:{MINUTE}",
        "M/d/yyyy H:mm:ss": rf"{MONTH}/{DAY}/{YEAR} {HOUR}:{MINUTE}:{MINUTE}",
        "M/d/yyyy H:mm": rf"{MONTH}/{DAY}/{YEAR} {HOUR}:{MINUTE}",
        "d/M/yyyy H:mm": rf"{DAY}/{MONTH}/{YEAR} {HOUR}:{MINUTE}",
        "yyyyMMddHHmmss": rf"{YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3]){MINUTE}{MINUTE}",
        "yyyy-MM-dd": rf"{YEAR}-\d\d-\d\d",
        "yyyy/M/d": rf"{YEAR}/{MONTH}/{DAY}",
        "yyyy年M月d日": rf"{YEAR}年{MONTH}月{DAY}日",
        "yyyy.M.d": rf"{YEAR}\.{MONTH}\.{DAY}",
        "yyyyMMdd": rf"{YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])",
        "M/d/yyyy": rf"{MONTH}/{DAY}/{YEAR}",
        "d/M/yyyy": rf"{DAY}/{MONTH}/{YEAR}",
    }.items()
}
ANY_FORMAT = re.compile("|".join(f"(?:{regex.pattern})" for regex in FORMATS.values()))
ZONE_WORD = re.compile(r"^(\S+T\S+) [A-Za-z_/]+$")
SERIAL_DAYS = (15_000, 80_000)


@dataclass(frozen=True)
class Moment:
    """Formats, most frequent first, and the share of rows that fit one of them."""

    type: Literal["date", "timestamp"]
    formats: tuple[str, ...]
    share: float
    has_zone_word: bool


def about_unfit(values: Mapping[str, int], is_moment: bool) -> list[str]:
    """Of values of which most are moments, the comment on those that are none; empty where most are none."""
    unfit = {v: rows for v, rows in values.items() if not any(_fits(s, r, v) for s, r in FORMATS.items())}
    rows = sum(unfit.values())
    if not rows or rows * 2 >= sum(values.values()):
        return []
    shown = {"rows": rows, "values": "、".join([*unfit][:SHOWN])}
    return [wording("dates_held", **shown) if is_moment else wording("dates_as_text", **shown)]


def guess_moment(header: str, values: Mapping[str, int]) -> Moment | None:
    """The formats of a column of dates or times; None where it is something else.

    Serial numbers, epochs and yyyyMMdd count as dates only under a header that names a time.
    """
    names_a_time = bool(TIME_HEADER.search(header))
    zoned = share(values, lambda v: bool(ZONE_WORD.match(v))) >= SURE
    if zoned:
        values = Counter({v.split(" ")[0]: n for v, n in values.items()})
    shares = _shares(values, names_a_time)
    formats = tuple(spark for spark in sorted(shares, key=shares.__getitem__, reverse=True) if shares[spark] > 0)
    total = sum(shares.values())
    if total < SURE:
        return None
    return Moment("timestamp" if _has_time(formats, values) else "date", formats, total, zoned)


def _shares(values: Mapping[str, int], names_a_time: bool) -> dict[str, float]:
    """Share of the values that match each format."""
    shares = dict.fromkeys(FORMATS, 0.0)
    if any(map(ANY_FORMAT.match, values)):  # most columns are no dates
        shares = {spark: share(values, partial(_fits, spark, regex)) for spark, regex in FORMATS.items()}
    _drop_weaker_order(shares)
    if names_a_time:
        shares["excel_serial"] = share(values, _is_serial)
        shares["epoch_s"] = share(values, lambda v: len(v) == 10 and bool(EPOCH.match(v)))
        shares["epoch_ms"] = share(values, lambda v: len(v) == 13 and bool(EPOCH.match(v)))
    else:
        shares["yyyyMMdd"] = 0.0
    return shares


def _fits(spark: str, regex: re.Pattern[str], value: str) -> bool:
    """Whether the value has the format, and its day exists."""
    if not regex.match(value):
        return False
    numbers = re.findall(r"\d+", value)
    if spark.startswith("yyyyMMdd"):
        year, month, day = value[:4], value[4:6], value[6:8]
    else:
        named = dict(zip((part[0] for part in re.findall(r"y+|M+|d+", spark)), numbers, strict=False))
        year, month, day = named["y"], named["M"], named["d"]
    return 1 <= int(month) <= MONTHS and 1 <= int(day) <= monthrange(int(year), int(month))[1]


def _has_time(formats: Sequence[str], values: Mapping[str, int]) -> bool:
    """Whether the formats hold a time of day; a serial number does by its fraction."""
    fraction = "excel_serial" in formats and any("." in value for value in values)
    return fraction or any("H" in spark or spark.startswith("epoch") for spark in formats)


def share(values: Mapping[str, int], fits: Callable[[str], object]) -> float:
    """Share of rows whose value fits, among the first distinct values."""
    total = fitting = 0
    for value, rows in islice(values.items(), SAMPLED_VALUES):
        total += rows
        if fits(value):
            fitting += rows
    return fitting / total if total else 0.0


def _drop_weaker_order(shares: dict[str, float]) -> None:
    """Keep the order, month or day first, that fits more values; month first in a tie."""
    for month_first, day_first in (("M/d/yyyy", "d/M/yyyy"), ("M/d/yyyy H:mm", "d/M/yyyy H:mm")):
        weaker = month_first if shares[day_first] > shares[month_first] else day_first
        shares[weaker] = 0.0


def _is_serial(value: str) -> bool:
    return bool(NUMBER.match(value)) and SERIAL_DAYS[0] <= float(value) <= SERIAL_DAYS[1]
