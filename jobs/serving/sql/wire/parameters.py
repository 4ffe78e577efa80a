"""Parameters of prepared statements: the values that clients send, and the types that they are asked to send."""

import re
import struct
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlglot
from sqlglot import exp

from jobs.errors import UserError
from jobs.model.actor import Actor
from jobs.serving.sql.gate import UNREADABLE
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.wire.pg_tables import type_of
from jobs.serving.sql.wire.values import (
    BOOL,
    BYTEA,
    DATE,
    DIGITS,
    ELEMENTS,
    EPOCH,
    EPOCH_DATE,
    FLOAT4,
    FLOAT8,
    INT2,
    INT4,
    INT8,
    LISTS,
    NEGATIVE,
    NUMERIC,
    PACKED,
    TEXT,
    TIMESTAMP,
    TIMESTAMPTZ,
)

UUID_OID, FINITE = 2950, (0, NEGATIVE)
NAMED = {"BIGINT": INT8, "INT": INT4, "SMALLINT": INT2, "DOUBLE": FLOAT8, "FLOAT": FLOAT4, "BOOLEAN": BOOL, "DATE": DATE,
         "TIMESTAMP": TIMESTAMP, "TIMESTAMPTZ": TIMESTAMPTZ, "DECIMAL": NUMERIC}  # fmt: skip
"""Types by the names that the parser gives them."""
ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,"{}]+)')
"""An element of a list as text: quoted or bare."""
COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In)


def column_types(service: SqlService, actor: Actor) -> dict[str, int]:
    """Oids of the columns that have one type in all tables of the reader."""
    types: dict[str, set[int]] = {}
    for table in service.tables(actor):
        for column in service.columns(table):
            types.setdefault(column.name, set()).add(type_of(column.type)[0])
    return {name: next(iter(oids)) for name, oids in types.items() if len(oids) == 1}


def wanted_types(sql: str, columns: Mapping[str, int]) -> dict[int, int]:
    """Oids by the numbers of parameters, where the statement shows them: by a cast, a limit, or the column they are compared with."""
    try:
        tree = sqlglot.parse_one(sql, dialect="duckdb")
    except UNREADABLE:
        return {}
    wanted = {}
    for node in tree.find_all(exp.Placeholder, exp.Parameter):
        number = str(node.name)
        oid = _wanted(node, columns)
        if number.isdigit() and oid:
            wanted[int(number)] = oid
    return wanted


def _wanted(node: exp.Expr, columns: Mapping[str, int]) -> int:
    above = node.parent.parent if isinstance(node.parent, exp.Paren) else node.parent
    if isinstance(above, exp.Any) and above.parent is not None:
        return LISTS.get(_compared(above.parent, columns) or TEXT, 0)
    if isinstance(above, exp.Cast):
        return NAMED.get(above.to.this.value, 0)
    if isinstance(above, exp.Limit | exp.Offset):
        return INT8
    if isinstance(above, COMPARISONS):
        return _compared(above, columns)
    return 0


def _compared(comparison: exp.Expr, columns: Mapping[str, int]) -> int:
    """The type of the column in a comparison; 0 where there is none."""
    named = next((part for part in comparison.find_all(exp.Column) if part.parent is comparison), None)
    return columns.get(named.name.lower(), 0) if named is not None else 0


def parameter(raw: bytes | None, oid: int, format_: int) -> object:
    """The value of a parameter; UserError where it cannot be read."""
    if raw is None:
        return None
    try:
        if oid in ELEMENTS:
            return _list_of_text(raw.decode(), oid) if format_ == 0 else _binary_list(raw)
        if format_ == 0:
            return _TEXTS.get(oid, str)(raw.decode())
        if oid in PACKED:
            return struct.unpack(PACKED[oid], raw)[0]
        return _BINARY.get(oid, bytes.decode)(raw)
    except (ValueError, ArithmeticError, struct.error) as error:
        raise UserError("a parameter cannot be read / 参数无法读取") from error


def unknown(oid: int) -> object:
    """A value in place of a parameter that is not known yet."""
    return [] if oid in ELEMENTS else None


def _list_of_text(words: str, oid: int) -> list[object]:
    read = _TEXTS.get(ELEMENTS[oid], str)
    found = []
    for quoted, bare in ELEMENT.findall(words[1:-1]):
        found.append(None if bare.upper() == "NULL" else read(bare or re.sub(r"\\(.)", r"\1", quoted)))
    return found


def _binary_list(raw: bytes) -> list[object]:
    """The values of a list of one dimension."""
    dimensions, _, oid = struct.unpack("!iii", raw[:12])
    found: list[object] = []
    at = 12 + 8 * dimensions
    while at < len(raw):
        size = struct.unpack("!i", raw[at : at + 4])[0]
        found.append(parameter(None if size < 0 else raw[at + 4 : at + 4 + size], oid, 1))
        at += 4 + max(0, size)
    return found


def _moment(raw: bytes) -> datetime:
    return EPOCH + timedelta(microseconds=struct.unpack("!q", raw)[0])


def _number(raw: bytes) -> Decimal:
    count, weight, sign, scale = struct.unpack("!hhHh", raw[:8])
    if sign not in FINITE:
        return Decimal("NaN")
    whole = 0
    for group in struct.unpack(f"!{count}h", raw[8:]):
        whole = whole * 10**DIGITS + group
    surplus = DIGITS * (count - weight - 1) - scale
    whole = whole // 10**surplus if surplus > 0 else whole * 10**-surplus
    return Decimal((int(sign == NEGATIVE), tuple(map(int, str(whole))), -scale))


_TEXTS: Mapping[int, Callable[[str], Any]] = {
    **dict.fromkeys((INT8, INT2, INT4), int),
    **dict.fromkeys((FLOAT4, FLOAT8), float),
    NUMERIC: Decimal,
    BOOL: lambda words: words.lower() in ("t", "true", "1", "on", "y", "yes"),
    DATE: date.fromisoformat,
    BYTEA: lambda words: bytes.fromhex(words.removeprefix("\\x")),
}
_BINARY: Mapping[int, Callable[[bytes], Any]] = {
    DATE: lambda raw: EPOCH_DATE + timedelta(days=struct.unpack("!i", raw)[0]),
    TIMESTAMPTZ: _moment,
    TIMESTAMP: lambda raw: _moment(raw).replace(tzinfo=None),
    NUMERIC: _number,
    UUID_OID: lambda raw: str(UUID(bytes=raw)),
    BYTEA: bytes,
}
