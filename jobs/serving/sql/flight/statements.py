"""Prepared statements: their text, the values that were bound to them, and the types that their parameters should have."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from threading import Lock
from time import monotonic
from typing import Any

import pyarrow as pa
import sqlglot
from sqlglot import TokenType

from jobs.errors import Unknown, UserError
from jobs.serving.sql.flight.login import IDLE_S, Owner
from jobs.serving.sql.gate import DIALECT, MOST_CHARS
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.wire import values
from jobs.serving.sql.wire.parameters import column_types, unknown, wanted_types

MOST_OF_ONE = 200
MOST_VALUES_BYTES = 1 << 20
TYPES = {
    values.BOOL: pa.bool_(), values.INT8: pa.int64(), values.INT4: pa.int32(), values.INT2: pa.int16(), values.FLOAT4: pa.float32(),
    values.FLOAT8: pa.float64(), values.NUMERIC: pa.decimal128(38, 9), values.DATE: pa.date32(), values.BYTEA: pa.binary(),
    values.TIMESTAMP: pa.timestamp("us"), values.TIMESTAMPTZ: pa.timestamp("us", "UTC"),
}  # fmt: skip

MARKS = (TokenType.PLACEHOLDER, TokenType.QDCOLON)
"""Tokens that begin with a `?`; the second is `?::`."""


@dataclass
class Statement:
    """One prepared statement of an account."""

    owner: Owner
    sql: str
    used_at: float
    values: tuple[object, ...] = ()


class Statements:
    """Keeps prepared statements; of one account, those that were used longest ago are forgotten."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock, self._lock = clock, Lock()
        self._kept: dict[bytes, Statement] = {}

    def add(self, owner: Owner, sql: str) -> bytes:
        """The handle of a new statement."""
        handle = secrets.token_bytes(16)
        with self._lock:
            now = self._clock()
            self._kept = {h: s for h, s in self._kept.items() if now < s.used_at + IDLE_S}
            own = sorted((s.used_at, h) for h, s in self._kept.items() if s.owner == owner)
            for _, oldest in own[: max(0, len(own) - MOST_OF_ONE + 1)]:
                del self._kept[oldest]
            self._kept[handle] = Statement(owner, sql, now)
        return handle

    def of(self, handle: bytes, owner: Owner) -> Statement:
        """The owner's statement; Unknown for another's, and for one that was closed or forgotten."""
        with self._lock:
            found, now = self._kept.get(handle), self._clock()
            if found is None or found.owner != owner or now >= found.used_at + IDLE_S:
                raise Unknown("no such prepared statement of yours; prepare it again / 没有这条预编译语句，请重新准备")
            found.used_at = now
            return found

    def close(self, handle: bytes, owner: Owner) -> None:
        """Forget the owner's statement."""
        self.of(handle, owner)
        with self._lock:
            self._kept.pop(handle, None)


def checked(sql: str) -> str:
    """The statement; UserError where it is too long to be read."""
    if len(sql) > MOST_CHARS:
        raise UserError(f"the query is longer than {MOST_CHARS:,} characters / 查询太长")
    return sql


def bound_values(reader: Any) -> tuple[object, ...]:
    """The values of a statement's parameters, from a stream with one row."""
    batches: list[pa.RecordBatch] = []
    for chunk in reader:
        if chunk.data is not None and chunk.data.num_rows:
            batches.append(chunk.data)
            _check_size(batches)
    try:
        return tuple(column[0].as_py() for batch in batches for column in batch.columns)
    except (ValueError, ArithmeticError) as error:
        raise UserError("a parameter cannot be read / 参数无法读取") from error


def _check_size(batches: Sequence[pa.RecordBatch]) -> None:
    rows, size = sum(batch.num_rows for batch in batches), sum(batch.nbytes for batch in batches)
    if rows > 1 or size > MOST_VALUES_BYTES:
        raise UserError("parameters are one row of at most 1 MiB / 参数须为一行，至多 1 MiB")


def parameter_oids(service: SqlService, owner: Owner, sql: str) -> list[int]:
    """The type of each parameter as a column or a cast shows it, by PostgreSQL's numbers; 0 where it is not known."""
    _, count = numbered(sql)
    if not count:
        return []
    wanted = wanted_types(sql, column_types(service, owner[1]))
    return [wanted.get(number, 0) for number in range(1, count + 1)]


def parameter_schema(oids: list[int]) -> pa.Schema:
    """The schema of the row that binds these parameters; what is not known is text."""
    return pa.schema([pa.field(str(number), _type(oid)) for number, oid in enumerate(oids, 1)])


def unknown_values(oids: list[int]) -> list[object]:
    """Values in place of those that are not known yet."""
    return [unknown(oid) for oid in oids]


def _type(oid: int) -> pa.DataType:
    if oid in values.ELEMENTS:
        return pa.list_(_type(values.ELEMENTS[oid]))
    return TYPES.get(oid, pa.string())


def numbered(sql: str) -> tuple[str, int]:
    """The statement with `$1` for the first `?` and so on, which the parser reads in more places, and the number of parameters."""
    try:
        tokens = sqlglot.tokenize(sql, dialect=DIALECT)
    except sqlglot.errors.SqlglotError:
        return sql, 0
    parts, at, count = [], 0, 0
    for token in tokens:
        if token.token_type in MARKS:
            count += 1
            parts += [sql[at : token.start], f"${count}"]
            at = token.start + 1
    after = pairwise(tokens)
    named = [int(b.text) for a, b in after if a.token_type is TokenType.PARAMETER and b.text.isdigit()]
    return "".join((*parts, sql[at:])), count or max((n for n in named if n < 1000), default=0)
