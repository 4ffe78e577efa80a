"""JSON lines that are alike: flat objects with the same names in the same order, each shape read by one expression.

Devices send such lines by the thousand. Every other line (nested, with escapes, with a name twice, broken) is read one by one;
a line has the same cells either way.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.ingest.grid import Chunk, text_array

SPACE = r"[ \t\r\n]*"
VALUE = r'"[^"\\\x00-\x1f]*"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null'
MOST_SHAPES = 8
FEWEST_LINES = 20
"""Fewer lines are not worth an expression."""


@dataclass(frozen=True)
class Alike:
    """Lines of one shape: their numbers, from 1, and by name an array of texts, null where empty."""

    numbers: np.ndarray
    cells: Mapping[str, pa.Array]

    def is_blank(self) -> np.ndarray:
        """Which lines have no text at all."""
        blank = np.ones(len(self.numbers), dtype=bool)
        for texts in self.cells.values():
            blank &= texts.is_null().to_numpy(zero_copy_only=False)
        return blank

    def chunk(self, names: Sequence[str | None]) -> Chunk:
        """The lines that are not blank, with a column for each of the names; None: an empty one."""
        empty = pa.nulls(len(self.numbers), pa.string())
        cells = tuple(empty if name is None else self.cells.get(name, empty) for name in names)
        chunk = Chunk(cells, pa.array(self.numbers), empty)
        return chunk.where(pa.array(~self.is_blank()))


def alike_lines(lines: Sequence[str]) -> tuple[list[Alike], list[int]]:
    """The lines by shape, and the numbers, from 1, of those to be read one by one."""
    shapes: list[Alike] = []
    one_by_one: list[int] = []
    rest = list(range(len(lines)))
    while len(rest) >= FEWEST_LINES and len(shapes) < MOST_SHAPES and len(one_by_one) <= len(lines) // 10:
        alike = _as_the_first(lines, rest)
        if alike is None:
            one_by_one.append(rest.pop(0) + 1)
            continue
        shapes.append(alike)
        found = set((alike.numbers - 1).tolist())
        rest = [place for place in rest if place not in found]
    return shapes, sorted([*one_by_one, *(place + 1 for place in rest)])


def _as_the_first(lines: Sequence[str], places: Sequence[int]) -> Alike | None:
    """The lines at these places that have the shape of the first of them; None where that one goes by itself."""
    names = _names(lines[places[0]])
    texts = _texts_of(names, [lines[place] for place in places]) if names else [None]
    if texts[0] is None:
        return None
    found = [place for place, cells in zip(places, texts, strict=True) if cells is not None]
    in_a_row = list(chain.from_iterable(filter(None, texts)))  # transposing by zip makes an iterator for each line
    cells = {name: _cells(in_a_row[place :: len(names)]) for place, name in enumerate(names)}
    return Alike(np.array(found, dtype=np.int64) + 1, cells)


def in_order(chunks: Iterable[Chunk]) -> Chunk:
    """The chunks as one, by row number."""
    parts = list(chunks)
    lines = [part.lines if part.lines is not None else pa.nulls(len(part), pa.string()) for part in parts]
    rows = pa.concat_arrays([part.rows for part in parts])
    order = pc.sort_indices(rows)
    has_lines = any(part.lines is not None for part in parts)
    return Chunk(
        tuple(pa.concat_arrays(column).take(order) for column in zip(*(part.cells for part in parts), strict=True)),
        rows.take(order),
        pa.concat_arrays([part.malformed for part in parts]).take(order),
        pa.concat_arrays(lines).take(order) if has_lines else None,
    )


def _names(line: str) -> tuple[str, ...]:
    """The names of a flat object, none of them twice; none for any other line."""
    if not line.lstrip().startswith("{"):
        return ()
    try:
        pairs = json.loads(line, object_pairs_hook=list)
    except (json.JSONDecodeError, RecursionError):
        return ()
    names = tuple(name for name, value in pairs if not isinstance(value, list))
    return names if len(set(names)) == len(pairs) else ()


def _texts_of(names: Sequence[str], lines: Sequence[str]) -> list[tuple[str, ...] | None]:
    """The values of each line as they were written, where it has the names in this order."""
    pairs = (f'{SPACE}"{re.escape(name)}"{SPACE}:{SPACE}({VALUE}){SPACE}' for name in names)
    shape = re.compile(rf"{SPACE}\{{{','.join(pairs)}\}}{SPACE}")
    return [match.groups() if match else None for match in map(shape.fullmatch, lines)]


def _cells(values: Sequence[str]) -> pa.Array:
    """Texts without their quotes; null and an empty text are both empty."""
    array = text_array(values)
    unquoted = pc.if_else(pc.starts_with(array, '"'), pc.utf8_slice_codeunits(array, 1, -1), array)
    is_empty = pc.or_(pc.equal(unquoted, ""), pc.equal(array, "null"))
    return pc.if_else(is_empty, pa.scalar(None, pa.string()), unquoted)
