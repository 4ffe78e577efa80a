"""xls and xlsx become the displayed text, with Excel's own row numbers."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
import xlwt

from jobs.contracts import Contract, Field, Source
from jobs.errors import DeliveryError
from jobs.ingest.reading import LocalFile, Reading, read
from tests.unit.ingest.test_delimited import contract, kinds, values


def read_file(path: Path, of: Contract, name: str = "") -> tuple[list[dict[str, object]], Reading]:
    """Rows of a file as dictionaries, and the reading."""
    reading = read([LocalFile(name or path.name, path)], of, path.parent)
    return [row for batch in reading.batches for row in batch.to_pylist()], reading


def workbook(path: Path, rows: list[list[object]], merged: tuple[str, ...] = (), first: int = 1) -> Path:
    """An xlsx whose rows begin in row `first`."""
    book = openpyxl.Workbook()
    sheet = book.active
    for r, row in enumerate(rows, first):
        for c, value in enumerate(row, 1):
            cell = sheet.cell(r, c, value)
            if isinstance(value, str) and value.startswith("#"):
                cell.data_type = "e"
    for area in merged:
        sheet.merge_cells(area)
    book.save(path)
    return path


def test_typed_cells_become_undamaged_text(tmp_path: Path) -> None:
    row = [371523.0, 12.5, 1e-05, 0.1, True, "#N/A", datetime(2024, 2, 29, 13, 5, 7), date(2024, 2, 29), time(8, 30)]
    names = list("abcdefghi")
    path = workbook(tmp_path / "d.xlsx", [names, row])
    rows, _ = read_file(path, contract(*names, format="excel"))
    assert values(rows, *names) == [
        ("371523", "12.5", "0.00001", "0.1", "TRUE", "#N/A", "2024-02-29 13:05:07", "2024-02-29", "08:30:00")
    ]


def test_midnight_of_a_timestamp_keeps_its_time_and_a_date_has_none(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "d.xlsx", [["at", "on", "long"], [datetime(2024, 1, 1), datetime(2024, 1, 1), timedelta(hours=30)]]
    )
    fields = (Field("at", "at", "timestamp"), Field("on", "on", "date"), Field("long", "long", "string"))
    rows, _ = read_file(path, contract(*fields, format="excel"))
    assert values(rows, "at", "on", "long") == [("2024-01-01 00:00:00", "2024-01-01", "30:00:00")]


def test_damaged_identity_numbers_are_noticed(tmp_path: Path) -> None:
    path = workbook(tmp_path / "d.xlsx", [["id"], [371523199001011234], ["371523199001011234"]])
    rows, reading = read_file(path, contract("id", format="excel"))
    assert values(rows, "id") == [("371523199001011300",), ("371523199001011234",)]
    finding = next(f for f in reading.findings if f.kind == "id_precision_lost")
    assert finding.detail["count"] == 1


def test_row_numbers_are_excels_own(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "d.xlsx", [["标题", None], [None, None], ["a", "b"], [1, 2], [None, None], [3, 4]], first=3
    )
    rows, reading = read_file(path, contract("a", "b", format="excel", skip_rows=4))
    assert values(rows, "a", "b", "_row") == [("1", "2", 6), ("3", "4", 8)]
    assert "rows_blank" in kinds(reading)


def test_merged_header_cells_are_filled_and_joined(tmp_path: Path) -> None:
    rows = [
        ["表"],
        ["区县", "供水", None, "备注"],
        [None, "水量", "水压", None],
        ["东昌府", 1, 2, None],
        ["合计", 1, 2, None],
    ]
    path = workbook(tmp_path / "d.xlsx", rows, ("A1:D1", "A2:A3", "B2:C2", "D2:D3"))
    fields = [
        Field(n, n, "string", source=Source(header=(h,)))
        for n, h in [("area", "区县"), ("q", "供水/水量"), ("p", "供水/水压"), ("memo", "备注")]
    ]
    read_rows, _ = read_file(path, contract(*fields, format="excel", skip_rows=1, header_rows=2, footer_rows=1))
    assert values(read_rows, "area", "q", "p", "memo", "_row") == [("东昌府", "1", "2", None, 4)]


def test_vertically_merged_cells_fill_all_their_rows(tmp_path: Path) -> None:
    path = workbook(tmp_path / "d.xlsx", [["区县", "月"], ["茌平", 1], [None, 2], ["东阿", 3]], ("A2:A3",))
    rows, reading = read_file(path, contract("区县", "月", format="excel"))
    assert values(rows, "区县", "月") == [("茌平", "1"), ("茌平", "2"), ("东阿", "3")]
    assert "merged_cells_filled" in kinds(reading)


def test_section_rows_fill_the_rows_below(tmp_path: Path) -> None:
    rows = [["序号", "校名"], ["北京市（2所）", None], [1, "甲"], [2, "乙"], ["山东省（1所）", None], [3, "丙"]]
    path = workbook(tmp_path / "d.xlsx", rows, ("A2:B2", "A5:B5"))
    of = contract("序号", "校名", "province", format="excel", section={"pattern": r"^(?P<province>.+)（\d+所）"})
    read_rows, _ = read_file(path, of)
    assert values(read_rows, "province", "校名", "_row") == [
        ("北京市", "甲", 3),
        ("北京市", "乙", 4),
        ("山东省", "丙", 6),
    ]


def test_xls_reads_like_xlsx(tmp_path: Path) -> None:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("二月 ")
    sheet.write_merge(0, 1, 0, 0, "区县")
    sheet.write_merge(0, 0, 1, 2, "供水")
    for c, text in enumerate(("水量", "时间"), 1):
        sheet.write(1, c, text)
    sheet.write(2, 0, "茌平")
    sheet.write(2, 1, 3)
    sheet.write(2, 2, datetime(2024, 2, 29, 8), xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm"))
    book.save(str(tmp_path / "d.xls"))
    fields = [
        Field(n, n, "string", source=Source(header=(h,)))
        for n, h in [("area", "区县"), ("q", "供水/水量"), ("t", "供水/时间")]
    ]
    rows, _ = read_file(tmp_path / "d.xls", contract(*fields, format="excel", sheet="二月", header_rows=2))
    assert values(rows, "area", "q", "t", "_row") == [("茌平", "3", "2024-02-29 08:00:00", 3)]


def test_missing_sheet_lists_the_existing_ones(tmp_path: Path) -> None:
    path = workbook(tmp_path / "d.xlsx", [["a"], [1]])
    with pytest.raises(DeliveryError, match="没有工作表「三月」；现有：Sheet"):
        read_file(path, contract("a", format="excel", sheet="三月"))
    with pytest.raises(DeliveryError, match="没有第 3 个工作表"):
        read_file(path, contract("a", format="excel", sheet=2))


def test_empty_sheet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="为空"):
        read_file(workbook(tmp_path / "d.xlsx", []), contract("a", format="excel"))


def test_columns_without_name_and_value_are_dropped(tmp_path: Path) -> None:
    path = workbook(tmp_path / "d.xlsx", [["a", None, None, "b"], [1, None, "x", 2]])
    rows, reading = read_file(path, contract("a", "b", format="excel", extra_columns="evolve"))
    assert reading.columns[:3] == ("a", "b", "column_3") and rows[0]["column_3"] == "x"


def test_excel_for_a_csv_contract_and_csv_for_an_excel_contract(tmp_path: Path) -> None:
    path = workbook(tmp_path / "d.csv", [["a"], [1]])
    rows, reading = read_file(path, contract("a"))
    assert values(rows, "a") == [("1",)] and "format_differs" in kinds(reading)
    (tmp_path / "d.xls").write_text("a\tb\n1\t2\n")
    rows, reading = read_file(tmp_path / "d.xls", contract("a", "b", format="excel"))
    assert values(rows, "a", "b") == [("1", "2")] and {"format_differs", "delimiter_differs"} <= kinds(reading)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html><body><table><tr><td>a</td></tr></table></body></html>", "HTML"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "XML"),
        (b"PK\x03\x04" + b"x" * 200, "损坏"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "不是有效的 Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "加密"),
    ],
)
def test_files_that_are_no_workbook_are_refused_with_a_remedy(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "d.xls").write_bytes(content)
    with pytest.raises(DeliveryError, match=words):
        read_file(tmp_path / "d.xls", contract("a", format="excel"))


def test_truncated_xlsx_is_refused(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "d.xlsx", [["a"], [1]]).read_bytes()
    (tmp_path / "cut.xlsx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DeliveryError, match="损坏或没有传完"):
        read_file(tmp_path / "cut.xlsx", contract("a", format="excel"))
