"""The shortest combination of columns that identifies each row."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pyarrow as pa

MAX_COLUMNS = 3
MAX_CANDIDATES = 10
MIN_ROWS = 5


def candidate_key(columns: Mapping[int, pa.Array], order: Sequence[int]) -> tuple[int, ...]:
    """Positions of the shortest unique combination among columns without a gap, earlier in `order` first; or none.

    A combination is minimal: none of its parts is unique by itself.
    """
    rows = len(next(iter(columns.values()))) if columns else 0
    if rows < MIN_ROWS:
        return ()
    codes = _codes(columns, order)
    for size in range(1, MAX_COLUMNS + 1):
        for combination in combinations(codes, size):
            if _is_unique([codes[p] for p in combination], rows):
                return combination
    return ()


def _codes(columns: Mapping[int, pa.Array], order: Sequence[int]) -> dict[int, tuple[np.ndarray, int]]:
    """Columns that may be part of a key, as integer codes, each with its number of distinct values."""
    codes: dict[int, tuple[np.ndarray, int]] = {}
    for position in order:
        array = columns[position]
        if array.null_count == 0 and len(codes) < MAX_CANDIDATES:
            encoded = array.dictionary_encode()
            if len(encoded.dictionary) > 1:
                codes[position] = (encoded.indices.to_numpy().astype(np.int64), len(encoded.dictionary))
    return codes


def _is_unique(parts: Sequence[tuple[np.ndarray, int]], rows: int) -> bool:
    most = 1
    for _, distinct in parts:
        most *= distinct
    if most < rows:
        return False
    combined = parts[0][0]
    for values, distinct in parts[1:]:
        combined = combined * distinct + values
    return len(np.unique(combined)) == rows
