"""Answers to SQL on a page: a table, and a chart where the rows are few."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from math import isfinite

import pyarrow as pa

from jobs.reporting.charts import Chart, Entry, Scale, chart
from jobs.reporting.pages import Table, table
from jobs.serving.sql.answer import Answer

SHOWN_CHARS = 300
CHARTED = range(2, 25)
"""Numbers of rows of which a chart is drawn."""


def answer_table(answer: Answer) -> Table:
    """The rows as texts."""
    numeric = [place for place, column in enumerate(answer.table.schema) if _is_number(column.type)]
    columns = [[_cell(value) for value in column.to_pylist()] for column in answer.table.columns]
    cut = "，还有更多行" if answer.is_cut else ""
    return table(
        f"{answer.table.num_rows} 行{cut}", tuple(answer.table.column_names), zip(*columns, strict=True), numeric
    )


def answer_chart(rows: pa.Table) -> Chart | None:
    """A chart of the first column of numbers by the first other column; None where a chart would show nothing."""
    kinds = [_is_number(column.type) for column in rows.schema]
    if rows.num_rows not in CHARTED or len(set(kinds)) < 2:
        return None
    values: list[float | None] = rows.column(kinds.index(True)).cast(pa.float64()).to_pylist()
    known = [value for value in values if value is not None]
    if not known or not all(map(isfinite, known)):
        return None
    points = _points(rows.column(kinds.index(False)).to_pylist(), values)
    drawn = chart(rows.column_names[kinds.index(True)], points, _scale(known))
    return replace(drawn, marks=tuple(replace(mark, is_latest=False) for mark in drawn.marks))


def _points(labels: Sequence[object], values: Sequence[float | None]) -> list[Entry]:
    return [(_label(label), value, _cell(value)[:8]) for label, value in zip(labels, values, strict=True)]


def _scale(values: Sequence[float]) -> Scale:
    """From zero, or the lowest value below it, to the highest."""
    top, bottom = max(*values, 0.0), min(*values, 0.0)
    return Scale(top if top > bottom else bottom + 1, bottom)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _cell(value: object) -> str:
    if value is None:
        return "—"
    text = f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else _plain(value)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"


def _label(value: object) -> tuple[str, str]:
    """Two short lines below a mark."""
    if isinstance(value, datetime):
        return f"{value:%m-%d}", f"{value:%H:%M}"
    text = f"{value:%m-%d}" if isinstance(value, date) else _cell(value)
    return text[:4], text[4:8]


def _plain(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
