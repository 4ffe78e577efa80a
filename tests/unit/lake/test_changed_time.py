"""The span of time that changed between two versions of a table, from its log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.lake.changed_time import Span, UnknownChange, changed_time
from jobs.lake.store import StoredObject
from jobs.lake.zones import TablePath, Zone
from tests.unit.lake.local_lake import LocalArrow

PATH = TablePath(Zone.SILVER, "readings", "lake")
BEGIN = datetime(2026, 1, 12, tzinfo=UTC)


class Folder:
    """The tables' files as objects."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def head(self, key: str) -> StoredObject | None:
        return StoredObject(key, 1, "") if (self.root / key).exists() else None

    def get_bytes(self, key: str) -> bytes:
        return (self.root / key).read_bytes()


def rows(*hours: int | None, delivery: str = "a") -> pa.Table:
    at = [None if hour is None else BEGIN + timedelta(hours=hour) for hour in hours]
    columns = {"read_at": pa.array(at, pa.timestamp("us", "UTC")), "_delivery": [delivery] * len(hours)}
    return pa.table(columns)


def span(delta: LocalArrow, since: int) -> tuple[float, float] | None:
    """First and last changed hour after a version."""
    now = delta.version(PATH) or 0
    found = changed_time(delta, Folder(delta.root), PATH, "read_at", (since, now))  # type: ignore[arg-type]
    return found and tuple((moment - BEGIN) / timedelta(hours=1) for moment in (found.first, found.last))  # type: ignore[return-value]


@pytest.fixture
def delta(tmp_path: Path) -> LocalArrow:
    tables = LocalArrow(tmp_path)
    tables.put(PATH, rows(0, 1, 2))
    return tables


def test_appended_rows_are_a_change_of_their_time_alone(delta: LocalArrow) -> None:
    delta.put(PATH, rows(30, 31, delivery="b"))
    assert span(delta, 0) == (30, 31)
    delta.put(PATH, rows(5, delivery="c"))
    assert span(delta, 0) == (5, 31) and span(delta, 1) == (5, 5) and span(delta, 2) is None


def test_removed_rows_are_a_change_of_the_time_that_they_had(delta: LocalArrow) -> None:
    delta.put(PATH, rows(30, 31, delivery="b"))
    write_deltalake(delta.url(PATH), rows(40, delivery="b"), mode="overwrite", predicate="_delivery = 'b'")
    assert span(delta, 1) == (30, 40)


def test_compaction_is_no_change(delta: LocalArrow) -> None:
    delta.put(PATH, rows(30, 31))
    delta.compact(PATH)
    assert delta.version(PATH) == 2 and span(delta, 1) is None
    delta.put(PATH, rows(50))
    write_deltalake(delta.url(PATH), rows(60, delivery="z"), mode="overwrite", predicate="_delivery = 'z'")
    assert span(delta, 1) == (50, 60)


def test_a_moment_that_is_null_may_be_any(delta: LocalArrow) -> None:
    delta.put(PATH, rows(30, None))
    with pytest.raises(UnknownChange, match="no statistics"):
        span(delta, 0)


def test_a_log_that_was_cleaned_says_nothing(delta: LocalArrow) -> None:
    delta.put(PATH, rows(30))
    (delta.root / PATH.key / "_delta_log" / f"{1:020}.json").unlink()
    with pytest.raises(UnknownChange, match="no longer has version 1"):
        changed_time(delta, Folder(delta.root), PATH, "read_at", (0, 1))  # type: ignore[arg-type]


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.lists(st.integers(0, 200), max_size=4), st.booleans()), min_size=1)
)
def test_no_changed_reading_lies_outside(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[str, list[int], bool]]
) -> None:
    """Whatever is appended or replaced: a reading that was added or removed lies within the span."""
    delta = LocalArrow(tmp_path_factory.mktemp("lake"))
    delta.put(PATH, rows(0, 100, delivery="a"))
    before = delta.open(PATH).to_pyarrow_table().to_pylist()  # type: ignore[union-attr]
    for delivery, hours, replaces in writes:
        options = {"mode": "overwrite", "predicate": f"_delivery = '{delivery}'"} if replaces else {"mode": "append"}
        write_deltalake(delta.url(PATH), rows(*hours, delivery=delivery), **options)  # type: ignore[call-overload]
    after = delta.open(PATH).to_pyarrow_table().to_pylist()  # type: ignore[union-attr]
    changed = [one["read_at"] for one in before if one not in after] + [
        one["read_at"] for one in after if one not in before
    ]
    found = changed_time(delta, Folder(delta.root), PATH, "read_at", (0, delta.version(PATH) or 0))  # type: ignore[arg-type]
    assert all(found is not None and Span(at, at).and_with(found) == found for at in changed)
