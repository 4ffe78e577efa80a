"""Values of an answer as the protocol writes them, as text or binary, and parameters as it sends them."""

import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from jobs.errors import UserError
from jobs.serving.sql.wire.messages import format_at, sized

BOOL, BYTEA, INT8, INT2, INT4, TEXT, FLOAT4, FLOAT8 = 16, 17, 20, 21, 23, 25, 700, 701
DATE, TIMESTAMP, TIMESTAMPTZ = 1082, 1114, 1184
SIZES = {BOOL: 1, INT8: 8, INT2: 2, INT4: 4, FLOAT4: 4, FLOAT8: 8, DATE: 4, TIMESTAMP: 8, TIMESTAMPTZ: 8}
EPOCH_DATE = date(2000, 1, 1)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
INT8_LIMIT = 2**63
PACKED = {INT8: "!q", INT2: "!h", INT4: "!i", FLOAT4: "!f", FLOAT8: "!d", BOOL: "!?"}


def oid_of(kind: pa.DataType) -> int:
    """PostgreSQL's number of a type; what it cannot say is text."""
    for is_kind, oid in _OIDS:
        if is_kind(kind):
            return oid
    return TEXT


_OIDS: tuple[tuple[Callable[[pa.DataType], bool], int], ...] = (
    (pa.types.is_boolean, BOOL),
    (pa.types.is_int8, INT2),
    (pa.types.is_int16, INT2),
    (pa.types.is_int32, INT4),
    (pa.types.is_integer, INT8),
    (pa.types.is_float32, FLOAT4),
    (pa.types.is_floating, FLOAT8),
    (pa.types.is_decimal, FLOAT8),
    (pa.types.is_date, DATE),
    (lambda kind: bool(pa.types.is_timestamp(kind) and kind.tz), TIMESTAMPTZ),
    (pa.types.is_timestamp, TIMESTAMP),
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
        return lambda value: struct.pack(PACKED[oid], float(value) if oid == FLOAT8 else value)
    if oid == DATE:
        return lambda value: struct.pack("!i", (value - EPOCH_DATE).days)
    if oid in (TIMESTAMP, TIMESTAMPTZ):
        return _binary_moment
    if oid == BYTEA:
        return bytes
    return lambda value: _text(value, oid, zone).encode()


def _binary_moment(value: datetime) -> bytes:
    at = value if value.tzinfo else value.replace(tzinfo=UTC)
    elapsed = at - EPOCH
    return struct.pack("!q", (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds)


def _text(value: object, oid: int, zone: ZoneInfo) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, datetime):
        return (value.astimezone(zone) if oid == TIMESTAMPTZ else value.replace(tzinfo=None)).isoformat(sep=" ")
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list):
        return "{" + ",".join("NULL" if item is None else _element(item, oid, zone) for item in value) + "}"
    return str(value).replace("\0", "")


def _element(value: object, oid: int, zone: ZoneInfo) -> str:
    words = _text(value, oid, zone).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{words}"'


def parameter(raw: bytes | None, oid: int, format_: int) -> object:
    """The value of a parameter; UserError for a type that cannot be read."""
    if raw is None:
        return None
    try:
        if format_ == 0 or oid not in SIZES:
            return _typed(raw.decode(), oid)
        if oid in PACKED:
            return struct.unpack(PACKED[oid], raw)[0]
    except (ValueError, struct.error) as error:
        raise UserError("a parameter cannot be read / 参数无法读取") from error
    raise UserError("send parameters of this type as text / 请以文本方式传这种类型的参数")


def _typed(words: str, oid: int) -> object:
    if oid in (INT8, INT2, INT4):
        return int(words)
    if oid in (FLOAT4, FLOAT8):
        return float(words)
    return words in ("t", "true", "1", "on") if oid == BOOL else words
