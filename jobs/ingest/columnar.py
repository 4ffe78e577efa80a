"""Parquet → grid: every column as text, its moments and numbers exactly as they were kept."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.contracts import Layout
from jobs.ingest.grid import CHUNK_ROWS, Chunk, Grid, Typed, text_array, without_last
from jobs.ingest.headers import distinct_header, duplicate_words
from jobs.ingest.notation import Notation, Notations
from jobs.ingest.notes import FileNotes
from jobs.ingest.wordings import wording

MOST_ROWS = 200_000_000
"""A few kilobytes can say that one value stands in as many rows as there are numbers."""
NANOSECONDS_REACH_US = (2**63 - 1) // 1000
"""Microseconds from 1970 beyond which nanoseconds of 64 bits are another time: 1677 to 2262."""
BYTES_SHOWN = "有 {count} 个二进制值不是文字，已写成十六进制"


def open_parquet(path: Path, layout: Layout, notes: FileNotes, known: Notations) -> Grid:
    """The grid of a Parquet file. A moment kept in 96 bits is a point in time, as Spark and Impala write it."""
    try:
        file = pq.ParquetFile(path)
        names, rows = file.schema_arrow.names, file.metadata.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise notes.error(wording("parquet_broken")) from error
    if rows > MOST_ROWS:
        raise notes.error(wording("too_many_rows", rows=rows, most=MOST_ROWS))
    header, again = distinct_header(names)
    if again:
        notes.say("column_duplicate", duplicate_words(again), columns=list(again))
    days = _of_96_bits(file)
    hows = [known.of(index, name) for index, name in enumerate(header)]

    def chunks() -> Iterator[Chunk]:
        return without_last(_chunks(path, hows, days, notes), layout.footer_rows)

    types = {i: _typed(column.type, i in days) for i, column in enumerate(file.schema_arrow)}
    return Grid(header, chunks, types=types)


def _of_96_bits(file: pq.ParquetFile) -> frozenset[int]:
    """Places of the columns that are, or hold, moments of 96 bits."""
    found, leaf = set(), 0
    for index, column in enumerate(file.schema_arrow):
        for _ in range(_leaves(column.type)):
            if file.schema.column(leaf).physical_type == "INT96":
                found.add(index)
            leaf += 1
    return frozenset(found)


def _leaves(kind: pa.DataType) -> int:
    if isinstance(kind, pa.BaseExtensionType):
        return _leaves(kind.storage_type)
    if pa.types.is_nested(kind):
        return sum(_leaves(kind.field(i).type) for i in range(kind.num_fields))
    return 1


def _typed(kind: pa.DataType, is_instant: bool) -> Typed:
    """What the column is by the file's own word."""
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


def _chunks(path: Path, hows: Sequence[Notation], days: frozenset[int], notes: FileNotes) -> Iterator[Chunk]:
    row = 1
    try:
        for batch, wide in _batches(path, bool(days)):
            cells = []
            for index, how in enumerate(hows):
                column = batch.column(index)
                if index in days:
                    cells.append(_instants(column, wide.column(index), how))
                else:
                    cells.append(_as_text(column, how, notes))
            numbers = pa.array(range(row, row + len(batch)), pa.int64())
            row += len(batch)
            yield Chunk(tuple(cells), numbers, pa.nulls(len(batch), pa.string()))
    except (pa.ArrowInvalid, OSError) as error:
        raise notes.error(wording("parquet_broken_after", row=row)) from error


def _batches(path: Path, twice: bool) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """The file's batches; `twice`: beside each the same with moments of 96 bits in microseconds, which reach further."""
    batches = pq.ParquetFile(path).iter_batches(CHUNK_ROWS, use_threads=False)
    if not twice:
        yield from ((batch, batch) for batch in batches)
        return
    wide = pq.ParquetFile(path, coerce_int96_timestamp_unit="us").iter_batches(CHUNK_ROWS, use_threads=False)
    yield from zip(batches, wide, strict=True)


def _instants(fine: pa.Array, wide: pa.Array, how: Notation) -> pa.Array:
    """Moments of 96 bits as text: to the nanosecond where 64 bits hold it, to the microsecond where they do not."""
    if not pa.types.is_timestamp(wide.type):
        return _json_texts(wide)
    far = pc.greater(pc.abs(wide.cast(pa.int64())), NANOSECONDS_REACH_US)
    return pc.if_else(far, how.instants(wide), how.instants(fine))


def _as_text(column: pa.Array, how: Notation, notes: FileNotes) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_timestamp(kind):
        bare = column.cast(pa.timestamp(kind.unit))
        return how.local(bare) if kind.tz is None else how.instants(bare)
    if pa.types.is_nested(kind):
        return _json_texts(column)
    try:
        text = pc.cast(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _odd_texts(column, notes)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        text = how.numbers(text)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _json_texts(column: pa.Array) -> pa.Array:
    values = column.to_pylist()
    return text_array([v if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in values])


def _odd_texts(column: pa.Array, notes: FileNotes) -> pa.Array:
    """Values that Arrow cannot write: bytes as the text that they are, or in hexadecimal; others in Python's words."""
    texts: list[str | None] = []
    hexed = 0
    for value in column.to_pylist():
        if isinstance(value, bytes):
            try:
                texts.append(value.decode())
            except UnicodeDecodeError:
                texts.append(value.hex())
                hexed += 1
        else:
            texts.append(value if value is None else str(value))
    notes.count("binary_as_hex", BYTES_SHOWN, [], hexed)
    return text_array(texts)
