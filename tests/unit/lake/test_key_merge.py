"""A merge by key in memory gives the rows that MERGE would give, whatever the keys, and leaves all other rows alone."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, WriterProperties, write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.lake.key_merge import replacement
from jobs.lake.merge import Merge

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("at", pa.int64()),
        ("value", pa.string()),
        ("_delivery", pa.string()),
        ("_seq", pa.int64()),
        ("_file", pa.string()),
        ("_row", pa.int64()),
        ("_first_sent_on", pa.date32()),
    ]
)
KEYS = st.tuples(st.sampled_from(["a", "b", None, "a|b", "Ω"]), st.sampled_from([1, 2, 2**60, 2**60 + 1, None]))
DELIVERIES = st.lists(st.tuples(st.integers(1, 4), st.sets(KEYS, min_size=1)), min_size=1, max_size=5)


def rows_of(seq: int, keys: set[tuple[Any, Any]], number: int) -> pa.Table:
    rows = [
        {
            "id": key,
            "at": at,
            "value": f"{number}:{place}",
            "_delivery": f"d{number}",
            "_seq": seq,
            "_file": "f",
            "_row": place,
            "_first_sent_on": None if place % 3 == 2 else date(2026, 1, 10 - number),
        }
        for place, (key, at) in enumerate(sorted(keys, key=repr))
    ]
    return pa.Table.from_pylist(rows, SCHEMA)


def merged_plainly(stored: list[dict[str, Any]], rows: list[dict[str, Any]], merge: Merge) -> list[dict[str, Any]]:
    """What MERGE says, in the words of Python."""
    leaving = {(row["id"], row["at"]): row for row in stored if row["_delivery"] in merge.replaced}
    by_key = {(row["id"], row["at"]): row for row in stored if row["_delivery"] not in merge.replaced}
    for row in rows:
        other, left = by_key.get((row["id"], row["at"])), leaving.get((row["id"], row["at"]))
        if other is None:
            dates = [d for d in (row["_first_sent_on"], left and left["_first_sent_on"]) if d is not None]
            by_key[row["id"], row["at"]] = row | {"_first_sent_on": min(dates, default=None)}
        elif merge.latest_wins and row["_seq"] >= other["_seq"]:
            dates = [d for d in (row["_first_sent_on"], other["_first_sent_on"]) if d is not None]
            by_key[row["id"], row["at"]] = row | {"_first_sent_on": min(dates, default=None)}
    return list(by_key.values())


def commit(folder: str, rows: pa.Table, merge: Merge) -> None:
    change = replacement(DeltaTable(folder), rows, merge)
    if not change.rows.num_rows and not change.predicate:
        return
    if change.predicate:
        write_deltalake(folder, change.rows, mode="overwrite", predicate=change.predicate)
    else:
        write_deltalake(folder, change.rows, mode="append")


@pytest.mark.parametrize("latest_wins", [True, False])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=DELIVERIES, replaced=st.lists(st.sets(st.integers(0, 4)), min_size=5, max_size=5))
def test_merge_in_memory_is_what_merge_says(
    deliveries: list[tuple[int, set[tuple[Any, Any]]]],
    replaced: list[set[int]],
    latest_wins: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Also where deliveries before are replaced: their rows leave, with or without others in their place."""
    folder = str(tmp_path_factory.mktemp("silver"))
    write_deltalake(folder, SCHEMA.empty_table())
    expected: list[dict[str, Any]] = []
    for number, (seq, keys) in enumerate(deliveries):
        rows = rows_of(seq, keys, number)
        left = tuple(f"d{other}" for other in replaced[number] if other < number)
        merge = Merge(("id", "at"), latest_wins, left, earliest="_first_sent_on")
        commit(folder, rows, merge)
        expected = merged_plainly(expected, rows.to_pylist(), merge)
    stored = DeltaTable(folder).to_pyarrow_table().to_pylist()
    assert sorted(stored, key=repr) == sorted(expected, key=repr)


def test_files_stay_readable_with_a_filter(tmp_path: Path) -> None:
    """The merge of delta-rs would write texts as views, by which pyarrow cannot filter."""
    folder, merge = str(tmp_path), Merge(("id", "at"), latest_wins=True)
    write_deltalake(folder, rows_of(1, {("a", 1), ("b", 2)}, 0), writer_properties=WriterProperties())
    commit(folder, rows_of(2, {("b", 2)}, 1), merge)
    kept = DeltaTable(folder).to_pyarrow_table(filters=[("_delivery", "=", "d0")])
    assert kept["id"].to_pylist() == ["a"]


def test_a_refused_delivery_removes_what_it_replaces(tmp_path: Path) -> None:
    folder, merge = str(tmp_path), Merge(("id", "at"), latest_wins=False, replaced=("d0",))
    write_deltalake(folder, rows_of(1, {("a", 1)}, 0))
    write_deltalake(folder, rows_of(2, {("b", 1)}, 1), mode="append")
    commit(folder, SCHEMA.empty_table(), merge)
    assert DeltaTable(folder).to_pyarrow_table()["id"].to_pylist() == ["b"]


def test_rows_of_other_keys_are_not_read(tmp_path: Path) -> None:
    """Only files whose keys can match are read: those of later times alone are appended to."""
    folder, merge = str(tmp_path), Merge(("id", "at"), latest_wins=True)
    write_deltalake(folder, rows_of(1, {("a", 1), ("a", 2)}, 0))
    (first,) = DeltaTable(folder).file_uris()
    change = replacement(DeltaTable(folder), rows_of(2, {("a", 2**60)}, 1), merge)
    assert change.predicate == ""
    Path(first.removeprefix("file://")).unlink()
    assert replacement(DeltaTable(folder), rows_of(2, {("a", 2**60)}, 1), merge).rows == change.rows
