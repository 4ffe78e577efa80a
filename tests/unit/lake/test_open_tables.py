"""Tables that stay open: always at the newest commit, and never moved on under the hands of their borrower."""

import gc
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from jobs.lake.open_tables import OpenTables


def written(folder: Path, *numbers: int, **columns: list[str]) -> str:
    table = pa.table({"a": pa.array(numbers), **columns})
    write_deltalake(folder, table, mode="append", schema_mode="merge")
    return str(folder)


def numbers(table: DeltaTable | None) -> list[int]:
    assert table is not None
    return sorted(table.to_pyarrow_table()["a"].to_pylist())


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses of the tables whose whole log was read."""
    addresses: list[str] = []
    real = DeltaTable.__init__

    def init(self: DeltaTable, table_uri: str, *arguments: object, **options: object) -> None:
        addresses.append(str(table_uri))
        real(self, table_uri, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(DeltaTable, "__init__", init)
    return addresses


def test_the_log_is_read_once_and_newer_commits_are_seen(tmp_path: Path, opened: list[str]) -> None:
    tables = OpenTables({})
    url = str(tmp_path / "t")
    assert tables.newest(url) is None
    written(tmp_path / "t", 1)
    assert numbers(tables.newest(url)) == [1]
    written(tmp_path / "t", 2, b=["x"])
    opened.clear()
    table = tables.newest(url)
    assert numbers(table) == [1, 2] and table is not None and len(table.schema().fields) == 2
    assert opened == []


def test_a_borrowed_table_stays_at_its_version(tmp_path: Path) -> None:
    tables, url = OpenTables({}), written(tmp_path / "t", 1)
    first = tables.newest(url)
    written(tmp_path / "t", 2)
    second = tables.newest(url)
    assert (numbers(first), numbers(second)) == ([1], [1, 2])
    assert first is not None and first.version() == 0


def test_a_table_that_was_given_back_is_lent_again(tmp_path: Path, opened: list[str]) -> None:
    tables, url = OpenTables({}), written(tmp_path / "t", 1)
    opened.clear()
    both = [tables.newest(url), tables.newest(url)]
    assert opened.count(url) == 2
    del both
    gc.collect()
    again = [tables.newest(url), tables.newest(url)]
    assert opened.count(url) == 2 and [numbers(one) for one in again] == [[1], [1]]


def test_a_shortened_log_is_no_obstacle(tmp_path: Path) -> None:
    tables, url = OpenTables({}), written(tmp_path / "t", 0)
    assert numbers(tables.newest(url)) == [0]
    for number in range(1, 6):
        written(tmp_path / "t", number)
    DeltaTable(url).create_checkpoint()
    for commit in sorted((tmp_path / "t" / "_delta_log").glob("0*.json"))[:5]:
        commit.unlink()
    assert numbers(tables.newest(url)) == [0, 1, 2, 3, 4, 5]


def test_a_table_made_anew_is_not_taken_for_the_one_before(tmp_path: Path) -> None:
    tables, url = OpenTables({}), written(tmp_path / "t", 1)
    written(tmp_path / "t", 2)
    assert numbers(tables.newest(url)) == [1, 2]
    shutil.rmtree(tmp_path / "t")
    assert tables.newest(url) is None
    for number in (7, 8, 9):
        written(tmp_path / "t", number)
    assert numbers(tables.newest(url)) == [7, 8, 9]
    shutil.rmtree(tmp_path / "t")
    for number in (4, 5, 6, 7):
        written(tmp_path / "t", number)
    assert numbers(tables.newest(url)) == [4, 5, 6, 7], "as many commits and one more"


def test_a_write_of_the_borrower_is_no_obstacle(tmp_path: Path, opened: list[str]) -> None:
    tables, url = OpenTables({}), written(tmp_path / "t", 1)
    table = tables.newest(url)
    assert table is not None
    write_deltalake(table, pa.table({"a": [2]}), mode="append")
    del table
    opened.clear()
    assert numbers(tables.newest(url)) == [1, 2] and opened == []


def test_the_table_used_longest_ago_is_closed(tmp_path: Path, opened: list[str]) -> None:
    tables = OpenTables({}, most=2)
    urls = [written(tmp_path / name, 1) for name in "abc"]
    for url in urls:
        assert numbers(tables.newest(url)) == [1]
    opened.clear()
    for url in (urls[2], urls[1], urls[0]):
        assert numbers(tables.newest(url)) == [1]
    assert opened == [urls[0]]
