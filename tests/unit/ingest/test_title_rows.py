"""A title above the header is skipped and reported, where the row below it is the header that the contract knows."""

from pathlib import Path

import pytest

from jobs.contracts import Contract, Field, Source
from jobs.contracts.layout import Unit
from jobs.errors import DeliveryError
from tests.unit.ingest.test_delimited import Read, contract, kinds, values
from tests.unit.ingest.test_excel import read_file, workbook

TITLE = "聊城市供水公司水费明细表"
USAGE = Field("usage", "用水量", "number", source=Source(units={"m³": Unit(), "L": Unit(factor=0.001)}))


def bills(**layout: object) -> Contract:
    return contract("户号", "户名", USAGE, **layout)


@pytest.mark.parametrize(
    "above",
    ["", f"{TITLE}\n", f"{TITLE},,\n填报单位：营业处,,单位：m³\n", "\n" + TITLE + "\n\n", f'"{TITLE}\n2026年1月",,\n'],
    ids=["none", "one", "two", "with blank rows", "of two lines"],
)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_titles_of_texts_are_skipped(read_bytes: Read, above: str, delimiter: str) -> None:
    text = (above + "户号,户名,用水量\n1,张三,5\n2,李四,7\n").replace(",", delimiter)
    rows, reading = read_bytes(text.encode(), bills())
    assert values(rows, "户号", "户名", "usage") == [("1", "张三", "5"), ("2", "李四", "7")]
    assert ("title_rows" in kinds(reading)) == bool(above.strip())
    assert "column_duplicate" not in kinds(reading)


def test_titles_of_workbooks_are_skipped(tmp_path: Path) -> None:
    table = [[TITLE, None, None], ["单位：营业处", None, None], ["户号", "户名", "用水量（m³）"], ["1", "张三", 5]]
    rows, reading = read_file(workbook(tmp_path / "d.xlsx", table, merged=("A1:C1",)), bills())
    assert values(rows, "户号", "户名", "usage", "_row") == [("1", "张三", "5", 4)]
    (title,) = [finding for finding in reading.findings if finding.kind == "title_rows"]
    assert title.detail["rows"] == 2
    assert "column_duplicate" not in kinds(reading)


@pytest.mark.parametrize("text", [f"{TITLE}\n张三,5\n", f"{TITLE}\n户号,地址,电话\n1,2,3\n", "a,b,c\n户名\n"])
def test_without_a_header_that_the_contract_knows_the_file_is_refused(read_bytes: Read, text: str) -> None:
    with pytest.raises(DeliveryError, match="缺少列"):
        read_bytes(text.encode(), bills())


def test_a_header_of_data_is_not_looked_for_below_a_header_that_fits(read_bytes: Read) -> None:
    rows, reading = read_bytes("户号,户名,用水量\n户号,户名,用水量\n1,张三,5\n".encode(), bills(summary_rows="keep"))
    assert len(rows) == 2 and "title_rows" not in kinds(reading)


@pytest.mark.parametrize("header", ["用水量(m³)", "用水量（M3）", "用水量 (m³)"])
def test_a_header_may_name_the_field_s_own_unit(read_bytes: Read, header: str) -> None:
    rows, _ = read_bytes(f"户号,户名,{header}\n1,张三,5\n".encode(), bills())
    assert values(rows, "usage") == [("5",)]


def test_a_header_with_another_unit_is_another_column(read_bytes: Read) -> None:
    with pytest.raises(DeliveryError, match="缺少列：用水量"):
        read_bytes("户号,户名,用水量(L)\n1,张三,5\n".encode(), bills())
