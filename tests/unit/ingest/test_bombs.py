"""Small files that would fill memory or disk when read are refused with a reason, in every format."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from jobs.contracts.correction import ABOUT, DATA
from jobs.errors import DeliveryError
from jobs.ingest import columnar, json_lines, records, workbook_probe
from jobs.ingest.correction_answers import answered_ticket
from jobs.ingest.reading import LocalFile
from tests.unit.ingest.test_delimited import contract, values
from tests.unit.ingest.test_excel import read_file


def corners(path: Path, *sheets: str) -> Path:
    """A workbook with a cell in the farthest corner: half a terabyte as a table."""
    book = xlsxwriter.Workbook(str(path))
    for name in sheets:
        sheet = book.add_worksheet(name)
        sheet.write_string(0, 0, "a")
        sheet.write_string(1_048_575, 16_383, "x")
    book.close()
    return path


def test_a_workbook_with_a_far_corner_is_refused(tmp_path: Path) -> None:
    assert corners(tmp_path / "d.xlsx", "甲").stat().st_size < 10_000
    with pytest.raises(DeliveryError, match="数据区域过大"):
        read_file(tmp_path / "d.xlsx", contract("a", format="excel"))


def test_a_ticket_workbook_with_a_far_corner_is_no_answer_and_is_refused(tmp_path: Path) -> None:
    file = corners(tmp_path / "T-000001.xlsx", ABOUT, DATA)
    assert answered_ticket([LocalFile(file.name, file)]) == ""


def test_a_workbook_whose_parts_swell_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_probe, "MOST_BYTES", 512 << 20)
    file = corners(tmp_path / "d.xlsx")
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/media/image1.bin", "w") as part:
        for _ in range(300):
            part.write(bytes(1 << 20))
    assert file.stat().st_size < 1 << 20
    with pytest.raises(DeliveryError, match="数据区域过大"):
        read_file(file, contract("a", format="excel"))


def test_a_defect_of_a_workbook_is_reported_by_the_reader_not_by_the_probe(tmp_path: Path) -> None:
    file = tmp_path / "d.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        book.add_worksheet("甲").write_string(0, 0, "a")
    assert workbook_probe.fits(file, "乙") and workbook_probe.fits(file, 5) and workbook_probe.fits(file, 0)
    (tmp_path / "broken.xlsx").write_bytes(file.read_bytes()[:400])
    assert workbook_probe.fits(tmp_path / "broken.xlsx", 0)


@pytest.mark.parametrize(
    "deep",
    ['{"a": ' + '{"b": ' * 700 + "1" + "}" * 701, '{"a": ' + "[" * 700 + "1" + "]" * 700 + "}"],
    ids=["objects", "lists"],
)
@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_a_record_that_nests_too_deep_is_a_malformed_row_and_others_are_read(
    tmp_path: Path, deep: str, format_: str
) -> None:
    good = '{"a": "好"}'
    (tmp_path / "d").write_text(f"[{deep},{good}]" if format_ == "json" else f"{deep}\n{good}\n", "utf-8")
    rows, _ = read_file(tmp_path / "d", contract("a", format=format_))
    assert values(rows, "a")[-1] == ("好",)
    assert [row["_malformed"] for row in rows] in ([records.TOO_DEEP, None], [records.BROKEN_LINE, None])


def test_a_table_in_json_that_nests_too_deep_has_a_malformed_row(tmp_path: Path) -> None:
    table = {"columns": ["a"], "data": [["好"]]}
    text = json.dumps(table).replace("]]", f"], [{'[' * 700}1{']' * 700}]]")
    (tmp_path / "d.json").write_text(text)
    rows, _ = read_file(tmp_path / "d.json", contract("a", format="json"))
    assert values(rows, "a", "_malformed") == [("好", None), (None, records.TOO_DEEP)]


def test_a_document_too_deep_to_be_parsed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(DeliveryError, match="嵌套过深"):
        read_file(tmp_path / "d.json", contract("a", format="json"))


def test_records_with_ever_new_names_are_refused(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text("".join(f'{{"a": 1, "k{n}": 1}}\n' for n in range(3000)))
    with pytest.raises(DeliveryError, match="字段名超过 2,000 个"):
        read_file(tmp_path / "d.jsonl", contract("a", format="jsonl"))


def test_a_table_of_too_many_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(",".join(f"c{n}" for n in range(3000)) + "\n1\n")
    with pytest.raises(DeliveryError, match="有 3,000 列"):
        read_file(tmp_path / "d.csv", contract("a"))


@pytest.mark.parametrize("cell", [",", "x"], ids=["columns", "cell"])
def test_an_endless_header_is_refused(tmp_path: Path, cell: str) -> None:
    (tmp_path / "d.csv").write_text(cell * (20 << 20) + "\n1\n")
    with pytest.raises(DeliveryError, match="表头行过长"):
        read_file(tmp_path / "d.csv", contract("a"))


def test_a_cell_beyond_the_readers_limit_is_read_among_broken_rows(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,b\n1,2,3\n" + "x" * (17 << 20) + ",2,3\n4,5\n")
    rows, _ = read_file(tmp_path / "d.csv", contract("a", "b"))
    assert [len(row["a"]) for row in rows] == [1, 17 << 20, 1]
    assert [row["_malformed"] is None for row in rows] == [False, False, True]


def test_a_document_and_a_line_have_a_size_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST_DOCUMENT_BYTES", 1 << 20)
    monkeypatch.setattr(json_lines, "MOST_LINE_CHARS", 1 << 20)
    (tmp_path / "d").write_text('[{"a": "' + "x" * (20 << 20) + '"}]')
    with pytest.raises(DeliveryError, match="超过 1 MiB"):
        read_file(tmp_path / "d", contract("a", format="json"))
    with pytest.raises(DeliveryError, match="单行过长"):
        read_file(tmp_path / "d", contract("a", format="jsonl"))


def test_a_parquet_file_with_too_many_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar, "MOST_ROWS", 1000)
    pq.write_table(pa.table({"a": pa.nulls(1001, pa.string())}), tmp_path / "d.parquet")
    with pytest.raises(DeliveryError, match="有 1,001 行"):
        read_file(tmp_path / "d.parquet", contract("a", format="parquet"))


def test_the_probe_never_takes_more_memory_than_it_may(tmp_path: Path) -> None:
    file = corners(tmp_path / "d.xlsx", "甲")
    words = [sys.executable, "-I", workbook_probe.__file__, str(file), "0", str(1 << 30)]
    process = subprocess.run(words, capture_output=True, check=False)
    assert process.returncode != 0
