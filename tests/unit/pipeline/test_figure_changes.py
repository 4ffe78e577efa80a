"""Which figures were shown and are different now."""

from datetime import date
from typing import Any

import pyarrow as pa

from jobs.pipeline.figure_changes import changes

KEY, FIGURES = ("day", "place"), ("supply", "share")
MONDAY = date(2026, 1, 12)


def table(*rows: tuple[Any, ...]) -> pa.Table:
    names = (*KEY, *FIGURES)
    schema = pa.schema(
        [("day", pa.date32()), ("place", pa.string()), ("supply", pa.float64()), ("share", pa.float64())]
    )
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=schema)


def found(before: pa.Table, after: pa.Table) -> list[tuple[str | None, ...]]:
    return [tuple(one.values()) for one in changes(before, after, KEY, FIGURES)]


def test_each_figure_that_differs_is_one_change() -> None:
    before = table((MONDAY, "a", 10.0, None), (MONDAY, "b", 5.0, 1.0))
    after = table((MONDAY, "b", 5.0, 1.0), (MONDAY, "a", 12.0, 50.0))
    key = '{"day": "2026-01-12", "place": "a"}'
    assert found(before, after) == [(key, "share", None, "50"), (key, "supply", "10", "12")]


def test_a_new_row_changes_nothing_and_a_row_that_is_gone_does() -> None:
    before, after = table((MONDAY, "a", 10.0, 1.0)), table((MONDAY, "b", 10.0, 1.0))
    assert found(before, after) == [('{"day": "2026-01-12", "place": "a"}', "*", None, None)]


def test_nothing_is_found_where_nothing_differs() -> None:
    rows = table((MONDAY, "a", None, 0.1), (MONDAY, "b", 2.0, None))
    assert found(rows, rows) == found(table(), rows) == []


def test_a_column_that_is_new_was_never_shown() -> None:
    before, after = table((MONDAY, "a", 10.0, 1.0)), table((MONDAY, "a", 10.0, 2.0))
    assert found(before.drop_columns(["share"]), after) == []
