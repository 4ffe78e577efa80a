"""Malformed rows are loaded with their text; cells without a value of their own are reported."""

from pathlib import Path

import openpyxl
import pytest

from jobs.contracts import Field
from jobs.ingest.sheet_cells import odd_cells
from tests.unit.ingest.test_delimited import Read, contract, kinds, values
from tests.unit.ingest.test_excel import read_file

PROBES = Path(__file__).parents[2] / "probes"


def test_every_broken_line_of_json_lines_keeps_its_text_and_number() -> None:
    rows, reading = read_file(PROBES / "13-jsonl-cut" / "半坏.jsonl", contract("no", "at", "value", format="jsonl"))
    lines = (PROBES / "13-jsonl-cut" / "半坏.jsonl").read_text("utf-8").splitlines()
    assert values(rows, "_row", "_line")[4:] == [(i + 1, lines[i]) for i in range(4, 10)]
    assert all(row["_malformed"] for row in rows[4:]) and not any(row["_line"] for row in rows[:4])
    finding = next(f for f in reading.findings if f.kind == "rows_malformed")
    assert finding.detail["count"] == 6 and "不是有效的 JSON 记录" in finding.message


def test_a_line_that_was_cut_off_and_a_null_are_rows_too() -> None:
    rows, _ = read_file(PROBES / "13-jsonl-cut" / "事件.jsonl", contract("no", "at", "value", format="jsonl"))
    assert values(rows, "_row", "_line")[3:] == [(5, "null"), (6, None), (7, '{"no": "J5", "at": "2026-01-')]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a,b\n1,2,3\n", "1,2,3"), ("a,b\n1\n", "1"), ('a,b\n"1,2\n3,4\n', '"1,2'), ("a,b\r\n1,2,3\r\n", "1,2,3")],
)
def test_a_line_with_cells_too_many_or_too_few_keeps_its_text(read_bytes: Read, text: str, line: str) -> None:
    rows, _ = read_bytes(text.encode(), contract("a", "b"))
    assert rows[0]["_line"] == line and rows[0]["_malformed"]


def test_non_objects_in_a_document_keep_their_text(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text('[{"a": 1.10}, [1.10, {"b": "汉"}], 5, null]')
    rows, _ = read_file(tmp_path / "d.json", contract("a", format="json"))
    assert values(rows, "a", "_line") == [("1.10", None), (None, '[1.10, {"b": "汉"}]'), (None, "5"), (None, "null")]
    (tmp_path / "d.json").write_text('{"columns": ["a", "b"], "data": [[1], {"a": 1, "b": 2}]}')
    rows, _ = read_file(tmp_path / "d.json", contract("a", "b", format="json"))
    assert values(rows, "_line") == [("[1]",), ('{"a": 1, "b": 2}',)]


METER = (Field("no", "表号", "string"), Field("last", "上期读数", "integer"), Field("now", "本期读数", "integer"))


def test_uncalculated_formulas_are_reported_and_never_silently_empty() -> None:
    of = contract(*METER, Field("used", "用量", "number"), format="excel")
    rows, reading = read_file(PROBES / "02-formula-no-cache" / "抄表.xlsx", of)
    assert values(rows, "now", "used")[0] == ("207", "=C2-B2"), "no number, so the row fails its type rule"
    finding = next(f for f in reading.findings if f.kind == "formulas_without_values")
    assert finding.detail["count"] == len(rows) == 6 and "只有公式、没有结果" in finding.message


def test_a_text_field_does_not_read_a_formula_as_text() -> None:
    of = contract(*METER, Field("used", "用量", "string"), format="excel")
    rows, reading = read_file(PROBES / "02-formula-no-cache" / "抄表.xlsx", of)
    assert {row["used"] for row in rows} == {None} and "formulas_without_values" in kinds(reading)


def test_formulas_with_values_and_formulas_of_empty_text_are_valid(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    for row in (["x", "1"], ["y", "2"], ["z", "3"]):
        book.active.append(row)
    book.save(tmp_path / "d.xlsx")
    cells = {
        "B2": '<c r="B2"><f>1+1</f><v>2</v></c>',
        "B3": '<c r="B3" t="str"><f>""</f><v></v></c>',
        "B4": '<c r="B4"><f t="shared" si="0"/></c>',
    }
    _rewrite(tmp_path / "d.xlsx", cells)
    assert odd_cells(tmp_path / "d.xlsx", "Sheet").formulas == {(3, 1): "="}
    rows, _ = read_file(tmp_path / "d.xlsx", contract("a", Field("b", "b", "number"), format="excel"))
    assert values(rows, "a", "b") == [("x", "2"), ("y", None), ("z", "=")]


def _rewrite(path: Path, cells: dict[str, str]) -> None:
    """Put cells in place of those of the first sheet."""
    import re
    import zipfile

    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    for place, cell in cells.items():
        sheet, replacements = re.subn(rf'<c r="{place}".*?</c>', cell, sheet)
        assert replacements == 1
    parts["xl/worksheets/sheet1.xml"] = sheet.encode()
    with zipfile.ZipFile(path, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
