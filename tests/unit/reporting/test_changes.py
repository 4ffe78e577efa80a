"""A redelivery beside the one that it replaces: every row is new, gone, changed or the same."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from jobs.reporting.delivery.changes import compared, keyed

NAMES = ("no", "state", "note")
ROW = st.tuples(st.sampled_from("ABCDEF"), st.sampled_from(("x", "y", None)), st.sampled_from(("1", "2", None)))
ROWS = st.lists(ROW, max_size=8, unique_by=lambda row: row[0])
Row = tuple[str | None, ...]


def bronze(rows: list[Row]) -> pa.Table:
    columns = {name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(NAMES)}
    places = {
        "_file": pa.array(["a.csv"] * len(rows), pa.string()),
        "_row": pa.array(range(2, len(rows) + 2), pa.int64()),
    }
    return pa.table({**columns, **places})


def changes(earlier: list[Row], later: list[Row]):
    return compared("d-1", keyed(bronze(earlier), ["no"], NAMES), keyed(bronze(later), ["no"], NAMES), NAMES)


def test_rows_are_told_by_key_and_fields() -> None:
    before = [("A", "x", "1"), ("B", "x", "1"), ("C", "x", None)]
    after = [("C", "x ", None), ("B", "y", "2"), ("D", "x", "1")]
    found = changes(before, after)
    assert (found.new, found.gone, found.changed) == ((("a.csv", 4),), (("a.csv", 2),), (("a.csv", 3),))
    assert dict(found.by_field) == {"state": 1, "note": 1} and not found.is_none()


@given(ROWS, ROWS)
def test_every_row_is_one_of_the_four(earlier, later) -> None:
    found = changes(earlier, later)
    same = sum(row in earlier for row in later)
    assert len(found.new) + len(found.changed) + same == len(later)
    assert len(found.gone) + len(found.changed) + same == len(earlier)
    assert found.is_none() == (sorted(earlier, key=str) == sorted(later, key=str))
    assert all(number <= len(found.changed) for _, number in found.by_field)
