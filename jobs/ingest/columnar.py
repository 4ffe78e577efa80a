"""Parquet → grid: every column as text, timestamps and numbers exactly as stored."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.contracts import Layout
from jobs.ingest.grid import CHUNK_ROWS, Chunk, Grid, Typed, text_array, without_last
from jobs.ingest.headers import distinct_header, duplicate_message
from jobs.ingest.notation import Notation, Notations
from jobs.ingest.notes import FileNotes
from jobs.ingest.wordings import wording

MOST_ROWS = 200_000_000
"""A file of a few kilobytes can declare one value for billions of rows."""
NANOSECONDS_REACH_US = (2**63 - 1) // 1000
"""Microseconds from 1970 that 64-bit nanoseconds can hold: years 1677 to 2262."""
BYTES_SHOWN = "有 {count} 个二进制值不是文字，已写成十六进制"


def open_parquet(path: Path, layout: Layout, notes: FileNotes, field_notations: Notations) -> Grid:
    """The grid of a Parquet file. An INT96 timestamp is an instant, as Spark and Impala write it."""
    try:
        file = pq.ParquetFile(path)
        names, rows = file.schema_arrow.names, file.metadata.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise notes.error(wording("parquet_broken")) from error
    if rows > MOST_ROWS:
        raise notes.error(wording("too_many_rows", rows=rows, most=MOST_ROWS))
    header, renamed = distinct_header(names)
    if renamed:
        notes.say("column_duplicate", duplicate_message(renamed), columns=list(renamed))
    int96_columns = _int96_columns(file)
    column_notations = [field_notations.of(index, name) for index, name in enumerate(header)]

    def chunks() -> Iterator[Chunk]:
        return without_last(_chunks(path, column_notations, int96_columns, notes), layout.footer_rows)

    types = {i: _typed(column.type, i in int96_columns) for i, column in enumerate(file.schema_arrow)}
    return Grid(header, chunks, types=types)


def _int96_columns(file: pq.ParquetFile) -> frozenset[int]:
    """Positions of the columns that are, or contain, INT96 timestamps."""
    int96_columns, leaf = set(), 0
    for index, column in enumerate(file.schema_arrow):
        for _ in range(_leaves(column.type)):
            if file.schema.column(leaf).physical_type == "INT96":
                int96_columns.add(index)
            leaf += 1
    return frozenset(int96_columns)


def _leaves(kind: pa.DataType) -> int:
    if isinstance(kind, pa.BaseExtensionType):
        return _leaves(kind.storage_type)
    if pa.types.is_nested(kind):
        return sum(_leaves(kind.field(i).type) for i in range(kind.num_fields))
    return 1


def _typed(kind: pa.DataType, is_instant: bool) -> Typed:
    """The column's type as the file declares it."""
    if pa.types.is_dictionary(kind):
        return _typed(kind.value_type, is_instant)
    if pa.types.is_boolean(kind):
        return Typed("boolean")
    if pa.types.is_integer(kind):
        return Typed("integer", "decimal(20,0)" if kind == pa.uint64() else "")
    if pa.types.is_floating(kind):
        return Typed("number")
    if _fits_decimal(kind):
        return Typed("number", f"decimal({kind.precision},{kind.scale})")
    if pa.types.is_date(kind):
        return Typed("date", formats=("yyyy-MM-dd",))
    if pa.types.is_timestamp(kind):
        return _moment(is_local=kind.tz is None and not is_instant)
    return Typed("string")


def _fits_decimal(kind: pa.DataType) -> bool:
    """Whether Spark's decimal holds every value of the column."""
    return bool(pa.types.is_decimal(kind)) and 0 <= kind.scale <= kind.precision <= 38


def _moment(is_local: bool) -> Typed:
    return Typed("timestamp", formats=("yyyy-MM-dd HH:mm:ss" if is_local else "yyyy-MM-dd'T'HH:mm:ssXXX",))


def _chunks(
    path: Path, column_notations: Sequence[Notation], int96_columns: frozenset[int], notes: FileNotes
) -> Iterator[Chunk]:
    row = 1
    try:
        for batch, wide in _batches(path, bool(int96_columns)):
            cells = []
            for index, notation in enumerate(column_notations):
                column = batch.column(index)
                if index in int96_columns:
                    cells.append(_instants(column, wide.column(index), notation))
                else:
                    cells.append(_as_text(column, notation, notes))
            numbers = pa.array(range(row, row + len(batch)), pa.int64())
            row += len(batch)
            yield Chunk(tuple(cells), numbers, pa.nulls(len(batch), pa.string()))
    except (pa.ArrowInvalid, OSError) as error:
        raise notes.error(wording("parquet_broken_after", row=row)) from error


def _batches(path: Path, twice: bool) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Pairs of batches; with `twice` the second reads INT96 timestamps as microseconds, which have a wider range."""
    batches = pq.ParquetFile(path).iter_batches(CHUNK_ROWS, use_threads=False)
    if not twice:
        yield from ((batch, batch) for batch in batches)
        return
    wide = pq.ParquetFile(path, coerce_int96_timestamp_unit="us").iter_batches(CHUNK_ROWS, use_threads=False)
    yield from zip(batches, wide, strict=True)


def _instants(fine: pa.Array, wide: pa.Array, notation: Notation) -> pa.Array:
    """INT96 timestamps as text: in nanoseconds within their 64-bit range, in microseconds beyond it."""
    if not pa.types.is_timestamp(wide.type):
        return _json_texts(wide)
    far = pc.greater(pc.abs(wide.cast(pa.int64())), NANOSECONDS_REACH_US)
    return pc.if_else(far, notation.instants(wide), notation.instants(fine))


def _as_text(column: pa.Array, notation: Notation, notes: FileNotes) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_timestamp(kind):
        without_zone = column.cast(pa.timestamp(kind.unit))
        return notation.local(without_zone) if kind.tz is None else notation.instants(without_zone)
    if pa.types.is_nested(kind):
        return _json_texts(column)
    try:
        text = pc.cast(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _uncastable_texts(column, notes)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        text = notation.numbers(text)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _json_texts(column: pa.Array) -> pa.Array:
    values = column.to_pylist()
    return text_array([v if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in values])


def _uncastable_texts(column: pa.Array, notes: FileNotes) -> pa.Array:
    """Values that Arrow cannot cast to text: bytes decoded, or in hexadecimal; others by Python's `str`."""
    texts: list[str | None] = []
    hex_count = 0
    for value in column.to_pylist():
        if isinstance(value, bytes):
            try:
                texts.append(value.decode())
            except UnicodeDecodeError:
                texts.append(value.hex())
                hex_count += 1
        else:
            texts.append(value if value is None else str(value))
    notes.count("binary_as_hex", BYTES_SHOWN, [], hex_count)
    return text_array(texts)
