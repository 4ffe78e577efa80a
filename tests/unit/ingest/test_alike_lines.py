"""JSON lines read by shape have the same cells, numbers, faults and notes as those read one by one."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from jobs.contracts import Layout
from jobs.ingest import alike_lines, json_lines
from jobs.ingest.json_lines import open_jsonl
from jobs.ingest.notation import Notations, notations
from jobs.ingest.notes import FileNotes, Notes

NAMES = ("a", "b", "站点", "x.y", "", 'q"', "e\\f")
NUMBERS = st.sampled_from(("0", "-0", "1.10", "-2e5", "3E-7", "12345678901234567890.50", "NaN", "Infinity", "01", "1."))
TEXTS = st.sampled_from(('"r"', '"null"', '""', '" "', '"水厂"', '"a\\nb"', '"\\u7ad9"', '"\x7f"', '"\ud7ff"', '"{"'))
OTHERS = st.sampled_from(("null", "true", "false", "{}", "[]", '{"b": 1}', "[1, 2]"))
VALUES = st.one_of(NUMBERS, TEXTS, OTHERS)
GAPS = st.sampled_from(("", " ", "\t", " \r"))
STRAY = st.sampled_from(("", " ", "\x1a", "{", "[1]", "7", '"text"', "{}", '{"a": 1} x', "\ufeff{}", "[" * 200))


@st.composite
def line(draw: st.DrawFn, names: tuple[str, ...]) -> str:
    """An object of one line, most with the names as given."""
    if draw(st.integers(0, 9)) == 0:
        return draw(STRAY)
    own = draw(st.lists(st.sampled_from(NAMES), max_size=4)) if draw(st.integers(0, 5)) == 0 else names
    gap, values = draw(GAPS), [draw(VALUES) for _ in own]
    is_ascii = draw(st.integers(0, 5)) == 0
    pairs = (f"{json.dumps(n, ensure_ascii=is_ascii)}{gap}:{gap}{v}" for n, v in zip(own, values, strict=True))
    return f"{gap}{{{gap}{(gap + ',' + gap).join(pairs)}{gap}}}{gap}"


@st.composite
def files(draw: st.DrawFn) -> list[str]:
    """Lines of one or two shapes, and others between them."""
    shapes = draw(
        st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True), min_size=1, max_size=2)
    )
    return [draw(line(tuple(draw(st.sampled_from(shapes))))) for _ in range(draw(st.integers(1, 40)))]


def read(path: Path, layout: Layout, field_notations: Notations) -> tuple[object, ...]:
    """Header, rows and notes."""
    notes = Notes()
    grid = open_jsonl(path, layout, FileNotes(path.name, notes), field_notations)
    rows = [
        row
        for chunk in grid.chunks()
        for row in zip(
            chunk.rows.to_pylist(),
            chunk.malformed.to_pylist(),
            chunk.lines.to_pylist() if chunk.lines is not None else [None] * len(chunk),
            *(cells.to_pylist() for cells in chunk.cells),
            strict=True,
        )
    ]
    return grid.header, rows, notes.findings()


@examples(deadline=None, suppress_health_check=list(HealthCheck), max_examples=300)
@given(lines=files(), footer=st.integers(0, 2), end=st.sampled_from(("", "\n")))
def test_shapes_change_nothing(tmp_path: Path, lines: list[str], footer: int, end: str) -> None:
    path, layout = tmp_path / "a.jsonl", Layout(footer_rows=footer)
    path.write_bytes(("\n".join(lines) + end).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alike_lines, "FEWEST_LINES", 1)
        by_shape = read(path, layout, notations((), layout))
        patch.setattr(alike_lines, "FEWEST_LINES", len(lines) + 2)
        one_by_one = read(path, layout, notations((), layout))
    assert by_shape == one_by_one


@examples(deadline=None, suppress_health_check=list(HealthCheck), max_examples=200)
@given(lines=files(), footer=st.integers(0, 2), end=st.sampled_from(("", "\n")), chars=st.integers(1, 300))
def test_a_long_file_is_read_as_a_short_one(
    tmp_path: Path, lines: list[str], footer: int, end: str, chars: int
) -> None:
    path, layout = tmp_path / "a.jsonl", Layout(footer_rows=footer)
    path.write_bytes(("\n".join(lines) + end).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alike_lines, "FEWEST_LINES", 2)
        short = read(path, layout, notations((), layout))
        patch.setattr(json_lines, "MOST_KEPT_BYTES", 0)
        patch.setattr(json_lines, "BLOCK_CHARS", chars)
        long = read(path, layout, notations((), layout))
    assert long == short


def test_lines_of_devices_are_read_by_shape() -> None:
    plain = [json.dumps({"station": f"S{n}", "value": n / 4}) for n in range(100)]
    nested = [json.dumps({"station": "S", "value": {"now": 1}})]
    other = [json.dumps({"value": n, "station": None}) for n in range(50)]
    shapes, rest = alike_lines.alike_lines([*plain, *nested, *other])
    assert [len(shape.numbers) for shape in shapes] == [100, 50]
    assert rest == [101]
    assert shapes[0].cells["value"].to_pylist()[:3] == ["0.0", "0.25", "0.5"]
    assert shapes[1].cells["station"].null_count == 50
