"""The digest of rows depends on the rows alone."""

from itertools import pairwise

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from jobs.ingest.rows_digest import RowsDigest

CELL = st.none() | st.text(max_size=5)
ROWS = st.lists(st.tuples(CELL, CELL), max_size=12)
NAMES = ("a", "b")


def digest(rows: list[tuple[str | None, str | None]], cuts: list[int], names: tuple[str, ...] = NAMES) -> str:
    made = RowsDigest((*names, "_row"))
    places = sorted({0, len(rows), *(min(cut, len(rows)) for cut in cuts)})
    whole = pa.table({name: pa.array([row[NAMES.index(name)] for row in rows], pa.string()) for name in names})
    numbered = whole.append_column("_row", pa.array(range(len(rows)), pa.int64())).combine_chunks()
    for start, end in pairwise(places):
        for batch in numbered.slice(start, end - start).to_batches():
            made.add(batch)
    return made.hex()


@given(ROWS, st.lists(st.integers(0, 12), max_size=4))
def test_how_rows_are_cut_and_columns_ordered_makes_no_difference(rows, cuts):
    assert digest(rows, cuts) == digest(rows, []) == digest(rows, [], ("b", "a"))


@given(ROWS, ROWS)
def test_other_rows_have_another_digest(some, others):
    assert (digest(some, []) == digest(others, [])) == (some == others)
