"""Values of an answer as the protocol writes them, as text or binary."""

import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from jobs.serving.sql.wire.messages import format_at, sized

BOOL, BYTEA, INT8, INT2, INT4, TEXT, FLOAT4, FLOAT8, NUMERIC = 16, 17, 20, 21, 23, 25, 700, 701, 1700
DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL = 1082, 1083, 1114, 1184, 1186
SIZES = {
    BOOL: 1,
    INT8: 8,
    INT2: 2,
    INT4: 4,
    FLOAT4: 4,
    FLOAT8: 8,
    DATE: 4,
    TIME: 8,
    TIMESTAMP: 8,
    TIMESTAMPTZ: 8,
    INTERVAL: 16,
}
LISTS = {BOOL: 1000, INT2: 1005, INT4: 1007, TEXT: 1009, INT8: 1016, FLOAT4: 1021, FLOAT8: 1022, NUMERIC: 1231,
         DATE: 1182, TIMESTAMP: 1115, TIMESTAMPTZ: 1185}  # fmt: skip
"""Types of lists by those of their elements."""
ELEMENTS = {list_oid: oid for oid, list_oid in LISTS.items()}
EPOCH_DATE = date(2000, 1, 1)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
PACKED = {INT8: "!q", INT2: "!h", INT4: "!i", FLOAT4: "!f", FLOAT8: "!d", BOOL: "!?"}
NAN, NEGATIVE, DIGITS = 0xC000, 0x4000, 4
"""Of a binary numeric: the signs, and how many decimal digits one of its digits has."""


def oid_of(kind: pa.DataType) -> int:
    """PostgreSQL's number of a type; what it cannot say is text."""
    if pa.types.is_list(kind):
        return LISTS.get(oid_of(kind.value_type), TEXT)
    for is_kind, oid in _OIDS:
        if is_kind(kind):
            return oid
    return TEXT


_OIDS: tuple[tuple[Callable[[pa.DataType], bool], int], ...] = (
    (pa.types.is_boolean, BOOL),
    (pa.types.is_int8, INT2),
    (pa.types.is_int16, INT2),
    (pa.types.is_uint8, INT2),
    (pa.types.is_int32, INT4),
    (pa.types.is_uint16, INT4),
    (pa.types.is_uint64, NUMERIC),
    (pa.types.is_integer, INT8),
    (pa.types.is_float32, FLOAT4),
    (pa.types.is_floating, FLOAT8),
    (pa.types.is_decimal, NUMERIC),
    (pa.types.is_date, DATE),
    (pa.types.is_time, TIME),
    (lambda kind: bool(pa.types.is_timestamp(kind) and kind.tz), TIMESTAMPTZ),
    (pa.types.is_timestamp, TIMESTAMP),
    (pa.types.is_interval, INTERVAL),
    (pa.types.is_binary, BYTEA),
)


def rows(table: pa.Table, listed: Sequence[int], zone: ZoneInfo) -> Iterator[bytes]:
    """The fields of each row."""
    oids = [oid_of(field.type) for field in table.schema]
    writers = [_writer(oid, format_at(listed, place), zone) for place, oid in enumerate(oids)]
    for batch in table.to_batches(max_chunksize=10_000):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield b"".join(
                sized(None if value is None else write(value)) for write, value in zip(writers, row, strict=True)
            )


def _writer(oid: int, format_: int, zone: ZoneInfo) -> Callable[[Any], bytes]:
    if format_ == 0:
        return lambda value: _text(value, oid, zone).encode()
    if oid in PACKED:
        return lambda value: struct.pack(PACKED[oid], value)
    if oid in ELEMENTS:
        write = _writer(ELEMENTS[oid], 1, zone)
        return lambda value: _binary_list(value, ELEMENTS[oid], write)
    return _BINARY.get(oid) or (lambda value: _text(value, oid, zone).encode())


def _binary_moment(value: datetime) -> bytes:
    at = value if value.tzinfo else value.replace(tzinfo=UTC)
    elapsed = at - EPOCH
    return struct.pack("!q", (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds)


def _binary_time(value: time) -> bytes:
    return struct.pack("!q", ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond)


def _binary_interval(value: Any) -> bytes:
    return struct.pack("!qii", value.nanoseconds // 1000, value.days, value.months)


def _binary_number(value: Decimal | int) -> bytes:
    """A number in groups of four decimal digits, as PostgreSQL sends numeric."""
    number = Decimal(value)
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        return struct.pack("!hhHh", 0, 0, NAN, 0)
    scale = max(0, -exponent)
    whole = "".join(map(str, digits)) + "0" * max(0, exponent)
    whole = whole.rjust(scale + 1, "0")
    left, right = whole[: len(whole) - scale], whole[len(whole) - scale :]
    left = left.zfill(-(-len(left) // DIGITS) * DIGITS)
    right = right.ljust(-(-len(right) // DIGITS) * DIGITS, "0")
    groups = [int((left + right)[n : n + DIGITS]) for n in range(0, len(left + right), DIGITS)]
    head = struct.pack("!hhHh", len(groups), len(left) // DIGITS - 1, NEGATIVE if sign else 0, scale)
    return head + b"".join(struct.pack("!h", group) for group in groups)


def _binary_list(value: list[Any], oid: int, write: Callable[[Any], bytes]) -> bytes:
    if not value:
        return struct.pack("!iii", 0, 0, oid)
    head = struct.pack("!iiiii", 1, any(item is None for item in value), oid, len(value), 1)
    return head + b"".join(sized(None if item is None else write(item)) for item in value)


_BINARY: dict[int, Callable[[Any], bytes]] = {
    DATE: lambda value: struct.pack("!i", (value - EPOCH_DATE).days),
    TIME: _binary_time,
    TIMESTAMP: _binary_moment,
    TIMESTAMPTZ: _binary_moment,
    INTERVAL: _binary_interval,
    NUMERIC: _binary_number,
    BYTEA: bytes,
}


def _text(value: Any, oid: int, zone: ZoneInfo) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime):
        return (value.astimezone(zone) if oid == TIMESTAMPTZ else value.replace(tzinfo=None)).isoformat(sep=" ")
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list):
        return _text_list(value, ELEMENTS.get(oid, TEXT), zone)
    if oid == INTERVAL:
        return f"{value.months} mons {value.days} days {value.nanoseconds / 1e9:.6f} secs"
    return str(value).replace("\0", "")


def _text_list(value: list[Any], oid: int, zone: ZoneInfo) -> str:
    return "{" + ",".join("NULL" if item is None else _element(item, oid, zone) for item in value) + "}"


def _element(value: object, oid: int, zone: ZoneInfo) -> str:
    words = _text(value, oid, zone).replace("\\", "\\\\").replace('"', '\\"')
    return words if oid in PACKED or oid == NUMERIC else f'"{words}"'
