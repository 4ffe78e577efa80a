"""A department's own list, as its people write it: which row is which dataset, and what fits none."""

from pathlib import Path

import pytest
import xlsxwriter

from jobs.catalogue.list_import import Matching, match
from jobs.errors import UserError
from jobs.ingest.sheets import read_sheets
from tests.unit.catalogue.test_attributes import PERSONAL, PLAIN

HEAD = ["序号", "信息资源名称", "信息资源代码", "共享类型", "共享方式", "共享条件", "开放属性", "备注"]


def matched(tmp_path: Path, rows: list[list[object]], above: int = 2, codes: dict[str, str] | None = None) -> Matching:
    file = tmp_path / "清单.xlsx"
    book = xlsxwriter.Workbook(str(file))
    sheet = book.add_worksheet("共享目录")
    sheet.write(0, 0, "民政局政务信息资源清单")
    for number, row in enumerate([HEAD, *rows], above):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    book.add_worksheet("填表说明").write(0, 0, "请按说明填写")
    book.close()
    return match(file.name, read_sheets(file), [PLAIN, PERSONAL], codes or {})


def test_rows_are_found_below_a_title_and_read_in_the_words_of_people(tmp_path: Path) -> None:
    found = matched(tmp_path, [[1, " 行政区划 ", "1010010001", "有条件", "接口", "限审批", "不开放", "x"]])
    (one,) = found.matched
    assert (one.entry, one.row.place) == (PLAIN, "《共享目录》第 4 行")
    assert one.row.stated == {
        "code": "1010010001", "share": "conditional", "share_method": "interface", "share_conditions": "限审批", "opening": "refused",
    }  # fmt: skip
    assert found.missing == (PERSONAL,)
    assert found.ignored == ("序号", "备注")


def test_a_row_is_an_entry_by_its_published_code_also_under_another_name(tmp_path: Path) -> None:
    found = matched(
        tmp_path, [[1, "区划代码表", 1010010001, "无条件共享", "", "", "", ""]], codes={"1010010001": "divisions"}
    )
    assert [one.entry for one in found.matched] == [PLAIN]


def test_what_fits_none_comes_with_what_is_near(tmp_path: Path) -> None:
    found = matched(
        tmp_path, [[1, "区划", "", "无条件共享", "", "", "", ""], [2, "婚姻登记", "", "不予共享", "", "", "", ""]]
    )
    assert [(one.row.title, one.suggestions) for one in found.unmatched] == [("区划", ("行政区划",)), ("婚姻登记", ())]


def test_an_unknown_word_and_a_repeated_row_are_named_with_their_place(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        [1, "行政区划", "", "看情况", "", "", "", ""],
        [2, "行政区划", "", "无条件共享", "", "", "", ""],
    ]
    first, second = matched(tmp_path, rows).matched
    assert "不认识「看情况」" in first.row.faults[0]
    assert second.row.faults == ("与《共享目录》第 4 行是同一个数据集，请只保留一行",)


def test_a_row_without_a_name_and_one_that_states_nothing_are_named(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        [1, "行政区划", "", "无条件共享", "", "", "", ""],
        ["", "", "", "", "", "", "", ""],
        [2, "人口", "", "", "", "", "", ""],
        ["注：本表由办公室填报"],
    ]
    found = matched(tmp_path, rows)
    assert [(left.place, left.value) for left in found.unread] == [
        ("《填表说明》", ""),
        ("《共享目录》第 6 行", "人口"),
        ("《共享目录》第 7 行", "注：本表由办公室填报"),
    ]


@pytest.mark.parametrize("content", [b"", b"not a workbook", b"PK\x03\x04"])
def test_what_is_no_workbook_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "坏.xlsx"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"坏.xlsx: not a readable workbook"):
        read_sheets(file)


def test_a_workbook_without_a_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="信息资源名称"):
        matched(tmp_path, [])
