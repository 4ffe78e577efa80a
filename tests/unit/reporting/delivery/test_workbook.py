"""Workbook cells from a sender are always text; long lists continue on further sheets."""

import io
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook

from jobs.reporting import write_report
from jobs.reporting.delivery.facts import gather
from jobs.reporting.delivery.workbook import write_workbook
from jobs.reporting.evidence import EvidenceLine
from tests.unit.lake.local_lake import CANARIES, NOW, full_lake

RISKY = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "=cmd|' /C calc'!A0",
    "http://x.cn",
    "00123",
    "1e5",
    "371502200003070014",
)


@pytest.fixture
def book(tmp_path: Path) -> tuple[Workbook, bytes]:
    lake, cat = full_lake(tmp_path)
    files = write_report(lake, cat, lake.ledger.entries[-1].id, NOW)  # type: ignore[arg-type]
    data = lake.outputs()[files.xlsx]
    return load_workbook(io.BytesIO(data)), data


def made(tmp_path: Path, rows: list[EvidenceLine], last_row: int = 1_048_576) -> Path:
    lake, cat = full_lake(tmp_path)
    facts = gather(lake, cat, lake.ledger.entries[-1].id, NOW)  # type: ignore[arg-type]
    file = tmp_path / "made.xlsx"
    write_workbook(file, facts, rows, last_row)
    return file


def test_book_has_four_sheets_ready_to_print(book: tuple[Workbook, bytes]) -> None:
    sheets = book[0]
    assert sheets.sheetnames == ["说明", "问题汇总", "问题明细", "修复记录"]
    for name in sheets.sheetnames[1:]:
        sheet = sheets[name]
        assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref and sheet.print_title_rows == "$1:$1"
        assert sheet.page_setup.orientation == "landscape" and sheet.column_dimensions["A"].width
        assert sheet["A1"].font.name == "宋体"


def test_cells_of_a_sender_are_text(tmp_path: Path) -> None:
    rows = [EvidenceLine(value, 2, value, "uscc_pattern", "critical", "代码", value) for value in RISKY]
    sheet = load_workbook(made(tmp_path, rows))["问题明细"]
    for cells in sheet.iter_rows(min_row=2):
        assert [cells[i].data_type for i in (0, 2, 3, 4, 5, 6, 7)] == ["s"] * 7
        assert cells[4].hyperlink is None
    assert [r[4].value.replace("_x000D_", "\r") for r in sheet.iter_rows(min_row=2)] == list(RISKY)
    with ZipFile(tmp_path / "made.xlsx") as parts:
        assert not any(b"<f>" in parts.read(name) or b"hyperlink" in parts.read(name) for name in parts.namelist())


def test_rows_beyond_excels_limit_go_on_in_further_sheets(tmp_path: Path) -> None:
    rows = [EvidenceLine("f", n, "", "uscc_pattern", "critical", "代码", str(n)) for n in range(1, 8)]
    sheets = load_workbook(made(tmp_path, rows, last_row=4))
    assert [n for n in sheets.sheetnames if n.startswith("问题明细")] == ["问题明细", "问题明细2", "问题明细3"]
    values = [r[1].value for n in sheets.sheetnames if n.startswith("问题明细") for r in sheets[n].iter_rows(min_row=2)]
    assert values == list(range(1, 8))


def test_every_failing_row_is_listed_masked(book: tuple[Workbook, bytes]) -> None:
    sheets, data = book
    assert sheets["问题明细"].max_row == 1 + 30
    with ZipFile(io.BytesIO(data)) as parts:
        told = "".join(parts.read(name).decode() for name in parts.namelist())
    assert not [canary for canary in CANARIES if canary in told]
    assert "3715**********0014" in told


def test_summary_holds_numbers_and_repairs_their_chinese_names(book: tuple[Workbook, bytes]) -> None:
    sheets = book[0]
    first = [c.value for c in sheets["问题汇总"][2]]
    assert first[1] == "「法定代表人证件号码」格式不对" and first[6:9] == [1000, 25, 0.975]
    repairs = [[c.value for c in r] for r in sheets["修复记录"].iter_rows(min_row=2)]
    assert repairs[0] == ["统一社会信用代码", "uscc", "全角转半角", 1204] and repairs[-1][3] == 2


def test_book_is_dated_by_its_verdict(book: tuple[Workbook, bytes]) -> None:
    assert str(book[0].properties.created) == "2026-11-13 01:32:00"
