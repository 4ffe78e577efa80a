"""Commits of several writers at once to one table of results, on the object store."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pyarrow as pa
import pytest
from deltalake.exceptions import CommitFailedError

from jobs.lake.delta_tables import DeltaTables
from jobs.lake.lake import Lake
from jobs.lake.system_tables import SystemTable
from jobs.lake.zones import Zone

SCHEMA = pa.schema([("dataset", pa.string()), ("number", pa.int64())])
TABLE = SystemTable(SCHEMA, "dataset")
WRITERS, ROUNDS = 4, 3


def test_writers_who_meet_try_again_and_nothing_is_lost_or_doubled(lake: Lake) -> None:
    path = lake.path(Zone.RESULTS, "meeting")
    lake.delta.replace(path, TABLE, _rows("first", -1), "first")
    start = Barrier(WRITERS)

    def write(writer: int) -> None:
        start.wait()
        for number in range(ROUNDS):
            name = f"d{writer}"
            lake.delta.replace(path, TABLE, _rows(name, number), name)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    table = lake.delta.open(path)
    assert table is not None
    rows = sorted((row["dataset"], row["number"]) for row in table.to_pyarrow_table().to_pylist())
    assert rows == [*((f"d{n}", ROUNDS - 1) for n in range(WRITERS)), ("first", -1)]


def test_writers_of_the_same_rows_end_with_the_rows_of_one(lake: Lake) -> None:
    path = lake.path(Zone.RESULTS, "meeting")
    lake.delta.replace(path, TABLE, _rows("same", -1), "same")
    start = Barrier(WRITERS)

    def write(writer: int) -> None:
        start.wait()
        lake.delta.replace(path, TABLE, _rows("same", writer), "same")

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    table = lake.delta.open(path)
    assert table is not None
    (row,) = table.to_pyarrow_table().to_pylist()
    assert row["number"] in range(WRITERS)


def test_rows_that_stream_past_once_are_not_written_by_halves(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def overtaken(*_: object) -> None:
        tries.append(datetime.now(UTC))
        raise CommitFailedError("another commit came first")

    monkeypatch.setattr(DeltaTables, "_replace", overtaken)
    with pytest.raises(CommitFailedError):
        lake.delta.replace(lake.path(Zone.RESULTS, "meeting"), TABLE, iter(_rows("a", 1)), "a")
    assert len(tries) == 1


def _rows(dataset: str, number: int) -> list[pa.RecordBatch]:
    return pa.Table.from_pylist([{"dataset": dataset, "number": number}], schema=SCHEMA).to_batches()
