"""Parquet → grid: every column as text."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.contracts import Layout
from jobs.ingest.grid import CHUNK_ROWS, Chunk, Grid, distinct_header, text_array, without_last
from jobs.ingest.notes import FileNotes

MOST_ROWS = 200_000_000
"""A few kilobytes can say that one value stands in as many rows as there are numbers."""


def open_parquet(path: Path, layout: Layout, notes: FileNotes) -> Grid:
    """The grid of a Parquet file."""
    try:
        file = pq.ParquetFile(path)
        names, rows = file.schema_arrow.names, file.metadata.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise notes.error("不是有效的 Parquet 文件，或没有传完；请重新导出后报送") from error
    if rows > MOST_ROWS:
        raise notes.error(f"有 {rows:,} 行，超过 {MOST_ROWS:,} 行；请分批报送")
    header, _ = distinct_header(names)

    def chunks() -> Iterator[Chunk]:
        return without_last(_chunks(path, notes), layout.footer_rows)

    return Grid(header, chunks)


def _chunks(path: Path, notes: FileNotes) -> Iterator[Chunk]:
    row = 1
    try:
        for batch in pq.ParquetFile(path).iter_batches(CHUNK_ROWS, use_threads=False):
            cells = tuple(_as_text(column) for column in batch.columns)
            numbers = pa.array(range(row, row + len(batch)), pa.int64())
            row += len(batch)
            yield Chunk(cells, numbers, pa.nulls(len(batch), pa.string()))
    except (pa.ArrowInvalid, OSError) as error:
        raise notes.error(f"在第 {row} 行之后已损坏；请重新导出后报送") from error


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_nested(column.type):
        values = column.to_pylist()
        return text_array([v if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in values])
    try:
        text = pc.cast(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return text_array([v if v is None else v.hex() if isinstance(v, bytes) else str(v) for v in column.to_pylist()])
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
