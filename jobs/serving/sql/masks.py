"""Masks as functions of the engine, with the texts of jobs/access/masking.py, and the SQL by which a view shows a column."""

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache

import pyarrow as pa
from duckdb import DuckDBPyConnection
from duckdb import sqltypes as types
from duckdb.func import ARROW, SPECIAL

from jobs.access.masking import masked_value
from jobs.access.policy import Mask
from jobs.serving.sql.readable import Column, Readable
from jobs.serving.sql.snapshot import NUMERIC, Snapshot

CACHED = 200_000
SHORT = 9_999_999_999
"""Numbers up to here have too few digits for a personal number."""

TEXTS = {True: "free", False: "strict"}
TYPED = {
    "BIGINT": types.BIGINT,
    "DOUBLE": types.DOUBLE,
    "DATE": types.DATE,
    "TIMESTAMPTZ": types.TIMESTAMP_TZ,
    "BOOLEAN": types.BOOLEAN,
}
WIDE = {"INTEGER": "BIGINT", "SMALLINT": "BIGINT", "TINYINT": "BIGINT", "FLOAT": "DOUBLE", "TIMESTAMP": "TIMESTAMPTZ"}
Show = Callable[[str], str]


def register(connection: DuckDBPyConnection) -> None:
    """Register the functions of all masks; their names are no names that a user may call."""
    for mask in (Mask.AS_SENT, Mask.NUMBERS, Mask.ENDS):
        for is_free, name in TEXTS.items():
            show = _texts(lru_cache(CACHED)(_show(mask, is_free)))
            connection.create_function(
                f"_{mask}_{name}", show, [types.VARCHAR], types.VARCHAR, type=ARROW, side_effects=False
            )
    for name, kind in TYPED.items():
        masked = _typed(_show(Mask.ENDS, False))
        connection.create_function(f"_ends_{name}", masked, [kind], types.VARCHAR, type=ARROW, side_effects=False)
    for name in ("BIGINT", "DOUBLE"):
        connection.create_function(
            f"_numbers_{name}",
            _numbers,
            [TYPED[name]],
            TYPED[name],
            type=ARROW,
            null_handling=SPECIAL,
            side_effects=False,
        )


def shown(readable: Readable, column: Column, snapshot: Snapshot) -> str | None:
    """SQL of a column as the reader sees it; None where it is hidden."""
    kind = snapshot.columns[column.name]
    sql = _masked(column, kind, quoted(column.name), snapshot.largest.get(column.name))
    if sql is None or not readable.rows:
        return sql
    # The engine may compute a query's expressions before it filters: they get nothing of rows that are not the reader's.
    return f"CASE WHEN {readable.rows} THEN {sql} END"


def shown_text(column: Column, kind: str) -> Show | None:
    """How each text of a column is shown; None where values are shown as they are, but for long numbers.

    LookupError for a mask that only the engine's SQL applies: that of a list, or of a value that is shown as text.
    """
    if kind == "VARCHAR":
        return _show(column.mask, column.is_free())
    if kind.endswith("[]") or column.mask not in (Mask.AS_SENT, Mask.NUMBERS):
        raise LookupError(column.name)
    return None


def may_have_long_numbers(column: Column, kind: str, largest: float | None) -> bool:
    """Whether numbers of the column may be as long as personal ones, which the mask hides."""
    return column.mask is Mask.NUMBERS and kind.startswith(NUMERIC) and (largest is None or largest > SHORT)


def _masked(column: Column, kind: str, name: str, largest: float | None) -> str | None:
    mask = column.mask
    if mask is Mask.HIDDEN or (kind == "BLOB" and mask is not Mask.AS_SENT):
        return None
    function = f"_{mask}_{TEXTS[column.is_free()]}"
    if kind == "VARCHAR":
        return f"{function}({name})"
    if mask is Mask.ENDS:
        return _ends(kind, name)
    if kind == "VARCHAR[]":
        return f"list_transform({name}, lambda element : {function}(element))"
    return _numeric(kind, name, largest) if mask is Mask.NUMBERS and kind.startswith(NUMERIC) else name


def _ends(kind: str, name: str) -> str | None:
    """SQL of a value's masked text; None for a list."""
    wide = WIDE.get(kind, kind)
    return f"_ends_{wide}(CAST({name} AS {wide}))" if wide in TYPED else None


def _numeric(kind: str, name: str, largest: float | None) -> str:
    """SQL that is null for whole numbers that read as a personal number."""
    if largest is not None and largest <= SHORT:
        return name
    wide = "DOUBLE" if kind.startswith("DECIMAL") else WIDE.get(kind, kind)
    return (
        f"CASE WHEN {name} BETWEEN -{SHORT} AND {SHORT} THEN {name} "
        f"ELSE CAST(_numbers_{wide}(CAST({name} AS {wide})) AS {kind}) END"
    )


def quoted(name: str) -> str:
    """The name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def _show(mask: Mask, is_free: bool) -> Show:
    return lambda text: masked_value(text, mask, is_free) if text else text


def _texts(show: Show) -> Callable[[pa.Array], pa.Array]:
    """A function over Arrow texts that masks each distinct one once."""

    def masked(texts: pa.Array) -> pa.Array:
        whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
        encoded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
        words = pa.array([None if word is None else show(word) for word in encoded.dictionary.to_pylist()], pa.string())
        return words.take(encoded.indices)

    return masked


def _typed(show: Show) -> Callable[[pa.Array], pa.Array]:
    """A function over other values, which masks their texts."""

    def masked(values: pa.Array) -> pa.Array:
        return pa.array([None if v is None else show(_text(v)) for v in values.to_pylist()], pa.string())

    return masked


def _text(value: float | date | datetime) -> str:
    return str(value)


def _numbers(values: pa.Array) -> pa.Array:
    """The numbers; null for whole ones whose text would be masked."""
    show = _show(Mask.NUMBERS, False)

    def is_open(value: float) -> bool:
        whole = f"{value:.0f}"
        return float(whole) != float(value) or show(whole) == whole

    return pa.array([v if v is not None and is_open(v) else None for v in values.to_pylist()], values.type)
