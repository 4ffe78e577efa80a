"""The pack of a ticket: what a sender wrote stays text in it, whatever it looks like to a spreadsheet."""

from pathlib import Path
from zipfile import ZipFile

from openpyxl import load_workbook

from jobs.contracts.correction import ABOUT, DATA
from jobs.reporting.evidence import Row
from jobs.reporting.pack import PackHead, Sent, write_pack
from tests.unit.test_reporting_lake import DATASET, NOW, catalogue
from tests.unit.test_reporting_workbook import RISKY


def pack(file: Path) -> Path:
    """A pack all of whose texts look like formulas."""
    risky = RISKY[0]
    head = PackHead(
        ticket=risky, rule=risky, fields=("uscc",), message=risky, remedy=risky, basis=risky, dimension=risky,
        severity="critical", remaining=1, opened_at=NOW, due_at=None, zone="Asia/Shanghai",
    )  # fmt: skip
    problems = ((value, Row(value, 2, value, "uscc_pattern", "critical", "代码", value, value)) for value in RISKY)
    rows = [{"uscc": value, value: value} for value in RISKY]
    sent = Sent(("uscc", *RISKY), [{**dict.fromkeys(RISKY, ""), **row} for row in rows])
    write_pack(file, head, catalogue().contract(DATASET), problems, sent)
    return file


def test_what_looks_like_a_formula_or_an_address_is_text_in_every_sheet(tmp_path: Path) -> None:
    file = pack(tmp_path / "T-000001.xlsx")
    sheets = load_workbook(file)
    assert {ABOUT, DATA} < set(sheets.sheetnames)
    cells = [cell for sheet in sheets for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"} and not [cell for cell in cells if cell.hyperlink]
    assert RISKY[0] in {cell.value for cell in cells}
    with ZipFile(file) as parts:
        assert not any(b"<f>" in parts.read(name) or b"hyperlink" in parts.read(name) for name in parts.namelist())
