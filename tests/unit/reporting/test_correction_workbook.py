"""The workbook of a ticket: values from a sender stay text, even if they look like formulas."""

from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook

from jobs.contracts import Contract, Field
from jobs.contracts.correction import ABOUT, DATA, PROBLEMS, WAY, WAYS, WORDS
from jobs.contracts.layout import Source
from jobs.ingest.correction_answers import CorrectionNote, correction_notes
from jobs.reporting.correction_rows import SentRows
from jobs.reporting.correction_workbook import WorkbookHead, write_correction_workbook
from jobs.reporting.evidence import EvidenceLine
from tests.unit.lake.local_lake import DATASET, NOW, registry
from tests.unit.reporting.delivery.test_workbook import RISKY


def workbook(file: Path) -> Path:
    """A workbook all of whose texts look like formulas."""
    risky = RISKY[0]
    head = WorkbookHead(
        ticket=risky, rule=risky, fields=("uscc",), message=risky, remedy=risky, basis=risky, dimension=risky,
        severity="critical", remaining=1, opened_at=NOW, due_at=None, zone="Asia/Shanghai",
    )  # fmt: skip
    problems = (
        (value, EvidenceLine(value, 2, value, "uscc_pattern", "critical", "代码", value, value)) for value in RISKY
    )
    rows = [{"uscc": value, value: value} for value in RISKY]
    sent = SentRows(("uscc", *RISKY), [{**dict.fromkeys(RISKY, ""), **row} for row in rows])
    write_correction_workbook(file, head, registry().contract(DATASET), problems, sent)
    return file


def test_what_looks_like_a_formula_or_an_address_is_text_in_every_sheet(tmp_path: Path) -> None:
    file = workbook(tmp_path / "T-000001.xlsx")
    sheets = load_workbook(file)
    assert {ABOUT, DATA} < set(sheets.sheetnames)
    cells = [cell for sheet in sheets for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"} and not [cell for cell in cells if cell.hyperlink]
    assert RISKY[0] in {cell.value for cell in cells}
    with ZipFile(file) as parts:
        assert not any(b"<f>" in parts.read(name) or b"hyperlink" in parts.read(name) for name in parts.namelist())


CONTRACT = Contract(
    "heat_station", "换热站", "1.0.0", "source", "heat", "聊城市供热公司", "测试",
    (
        Field("station", "站点", "string", required=True, key_position=1),
        Field("kind", "类型", "string", enum={"1": "水泵", "2": "板换"}, source=Source(mapping={"泵": "1"})),
        Field("temp_c", "温度", "number"),
    ),
    Path("heat_station.yaml"),
)  # fmt: skip


def station_pack(file: Path, wrong: str, is_owner: bool = True) -> Workbook:
    """A workbook of two rows of two deliveries."""
    head = WorkbookHead(
        ticket="T-000007", rule=f"{wrong}_rule", fields=(wrong,), message="不对", remedy="请改", basis="依据",
        dimension="准确性", severity="critical", remaining=2, opened_at=NOW, due_at=None, zone="Asia/Shanghai",
        found_at={"d-1": NOW - timedelta(days=3), "d-2": NOW - timedelta(days=1)},
    )  # fmt: skip
    problems = [
        (d, EvidenceLine("甲.csv", 2, f"站点={d}", f"{wrong}_rule", "critical", "温度", "999")) for d in ("d-1", "d-2")
    ]
    columns = ("station", "kind", "temp_c")
    sent = SentRows(
        columns, [dict(zip(columns, row, strict=True)) for row in (("甲", "1", "999"), ("乙", "泵", "998"))]
    )
    write_correction_workbook(file, head, CONTRACT, problems, sent if is_owner else None)
    return load_workbook(file)


def test_the_sheet_of_rows_has_all_its_headers_in_chinese_and_by_name(tmp_path: Path) -> None:
    sheet = station_pack(tmp_path / "a.xlsx", "temp_c")[DATA]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert rows == [["站点", "类型", "温度"], ["station", "kind", "temp_c"], ["甲", "1", "999"], ["乙", "泵", "998"]]


@pytest.mark.parametrize(
    ("wrong", "open_"), [("temp_c", {"kind", "temp_c"}), ("station", {"station", "kind", "temp_c"})]
)
def test_headers_and_keys_are_locked_unless_the_key_is_what_is_wrong(
    tmp_path: Path, wrong: str, open_: set[str]
) -> None:
    sheet = station_pack(tmp_path / "a.xlsx", wrong)[DATA]
    assert sheet.protection.sheet and not sheet.protection.password
    assert {cell.value for cell in sheet[1] + sheet[2] if not cell.protection.locked} == set()
    for row in (3, 4):
        names = (cell.value for cell in sheet[2])
        assert {name for name, cell in zip(names, sheet[row], strict=True) if not cell.protection.locked} == open_


def test_codes_are_chosen_from_a_list_with_their_meaning(tmp_path: Path) -> None:
    book = station_pack(tmp_path / "a.xlsx", "temp_c")
    (choice,) = book[DATA].data_validations.dataValidation
    assert (choice.type, str(choice.sqref), choice.formula1) == ("list", "B3:B4", "'代码表'!$A$2:$A$4")
    assert choice.prompt == "1 水泵；2 板换；泵 水泵"
    codes = [list(row) for row in book["代码表"].iter_rows(values_only=True)]
    assert codes == [["类型", "含义"], ["1", "水泵"], ["2", "板换"], ["泵", "水泵"]]


def test_each_problem_has_its_own_time_and_its_two_columns_to_fill_in(tmp_path: Path) -> None:
    sheet = station_pack(tmp_path / "a.xlsx", "temp_c")[PROBLEMS]
    head = [cell.value for cell in sheet[1]]
    found = [row[head.index("发现时间")].value for row in sheet.iter_rows(min_row=2)]
    assert [text[:10] for text in found] == ["2026-11-21", "2026-11-23"]
    assert head[-2:] == [WAY, WORDS]
    assert [cell.value for cell in sheet[2] if not cell.protection.locked] == [None, None]
    (choice,) = sheet.data_validations.dataValidation
    assert choice.type == "list" and all(way in choice.formula1 for way in WAYS)


def test_who_does_not_own_the_data_has_nothing_to_fill_in(tmp_path: Path) -> None:
    book = station_pack(tmp_path / "a.xlsx", "temp_c", is_owner=False)
    assert DATA not in book.sheetnames and WAY not in [cell.value for cell in book[PROBLEMS][1]]


def test_what_was_filled_in_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    book = station_pack(file, "temp_c")
    assert list(correction_notes(file)) == []
    sheet = book[PROBLEMS]
    sheet.cell(3, sheet.max_column - 1).value, sheet.cell(3, sheet.max_column).value = WAYS[1], "站点已拆除"
    book.save(file)
    assert list(correction_notes(file)) == [CorrectionNote("2", "站点=d-2", WAYS[1], "站点已拆除")]
    (tmp_path / "b.xlsx").write_bytes(b"no workbook")
    assert list(correction_notes(tmp_path / "b.xlsx")) == []
