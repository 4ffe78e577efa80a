"""A digest of all rows as sent: files of other bytes (line ends, encoding, quotes) may have the same rows."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from jobs.contracts.names import TECHNICAL


class RowsDigest:
    """Takes batches of text columns; how rows are cut into batches, and the order of columns, make no difference."""

    def __init__(self, columns: Sequence[str]) -> None:
        names = [name for name in columns if name not in TECHNICAL]
        self._hashes = {name: (hashlib.blake2b(), hashlib.blake2b()) for name in names}

    def add(self, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch."""
        for name, (lengths, texts) in self._hashes.items():
            _add(batch[name], lengths, texts)

    def hex(self) -> str:
        """The digest of the rows so far; empty where there is no column."""
        parts = [f"{name}\n{a.hexdigest()}{b.hexdigest()}" for name, (a, b) in sorted(self._hashes.items())]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest() if parts else ""


def _add(column: pa.Array, lengths: hashlib.blake2b, texts: hashlib.blake2b) -> None:
    """Lengths, -1 for null, and texts are hashed apart: together they say where each text begins."""
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    sizes = np.diff(ends)
    if column.null_count:
        sizes[column.is_null().to_numpy(zero_copy_only=False)] = -1
    lengths.update(sizes.tobytes())
    if data is not None and len(ends):
        texts.update(memoryview(data)[int(ends[0]) : int(ends[-1])])
