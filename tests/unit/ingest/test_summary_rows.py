"""Totals, notes and repeated headers are left out by what they say; rows of data that resemble them are not."""

from pathlib import Path

import pytest

from jobs.ingest.reading import LocalFile, read
from tests.unit.ingest.test_delimited import contract

FIELDS = ("no", "name", "value", "flow")
DATA = "1,东城区,10,2\n2,西城区,20,3\n"


def numbers(folder: Path, text: str, **layout: str) -> tuple[list[str], dict[str, list[str]]]:
    """The first cells of the rows that are read, and by kind those that are told not to be."""
    file = folder / "d.csv"
    file.write_text(",".join(FIELDS) + "\n" + text, "utf-8")
    reading = read([LocalFile(file.name, file)], contract(*FIELDS, **layout), folder)
    rows = [row["no"] for batch in reading.batches for row in batch.to_pylist()]
    return rows, {f.kind: f.detail["first_rows"] for f in reading.findings if f.kind.startswith("rows_")}


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("合计,,30,5", "rows_total"),
        ("合　计,,30,5", "rows_total"),
        ("全市小计,,30,5", "rows_total"),
        (",总计（万元）,30,5", "rows_total"),
        ("Total,,30,5", "rows_total"),
        ("注：本表为快报数,,,", "rows_note"),
        ("合计：2 户  制表人：专员,,,", "rows_note"),
        ("填表人：张某,,审核人：李某,", "rows_note"),
        ("no,name,value,flow", "rows_header"),
        ("\ufeffno,name,value,flow", "rows_header"),
    ],
)
@pytest.mark.parametrize("place", ["between", "below"])
def test_what_is_no_data_is_left_out_and_named(tmp_path: Path, line: str, kind: str, place: str) -> None:
    text = DATA + line + "\n" + ("3,北城区,1,1\n" if place == "between" else "")
    rows, told = numbers(tmp_path, text)
    assert rows == ["1", "2", "3"][: len(rows)] and len(rows) == (3 if place == "between" else 2)
    assert [*told] == [kind] and len(told[kind]) == 1 and "第 4 行（" in told[kind][0]


@pytest.mark.parametrize(
    "line",
    [
        "3,合计水务公司,10,2",
        "合计,聊城供水,10,2",
        "注册处,北城区,10,2",
        "注：,北城区,10,2",
        "no,name,value,3",
        "total_flow,北城区,1,2",
    ],
)
def test_rows_of_data_that_resemble_them_are_read(tmp_path: Path, line: str) -> None:
    rows, told = numbers(tmp_path, DATA + line + "\n")
    assert len(rows) == 3 and not told


def test_the_contract_may_keep_them(tmp_path: Path) -> None:
    rows, told = numbers(tmp_path, DATA + "合计,,30,5\n", summary_rows="keep")
    assert rows == ["1", "2", "合计"] and not told
