"""Our catalogue against the province's: nothing differs after a round trip, and each change is found, and only it."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.catalogue import entries
from jobs.catalogue.attributes import Attributes
from jobs.catalogue.list_tables import list_tables
from jobs.catalogue.province.comparison import ONLY_HERE, ONLY_THERE, Reconciliation, reconcile
from jobs.catalogue.province.extract import extract, is_heading
from jobs.catalogue.province.form import form
from jobs.catalogue.province.json_extract import json_tables
from jobs.catalogue.province.resources import Address, Publication, Resource, as_document, as_tables, resource
from jobs.contracts import load
from jobs.errors import UserError
from jobs.ingest.sheets import read_sheets
from jobs.reporting.table_workbook import table_workbook
from jobs.settings import PROJECT

ADDRESS = Address("某市大数据局", "https://data.example/")
RESOURCES, ITEMS = form().titles.resources, form().titles.items
Rows = Sequence[Sequence[Any]]


@cache
def ours() -> tuple[Resource, ...]:
    """The shipped datasets as if all were published, with codes."""
    registry = load(PROJECT / "schemas", PROJECT / "expectations")
    stated = {"share": "conditional", "share_method": "exchange", "share_conditions": "限履职", "opening": "refused"}
    return tuple(
        resource(entry, registry.contract(entry.id), Publication(found, 1, "2026-01-05"), ADDRESS)
        for number, entry in enumerate(one for one in entries(registry) if not one.is_product)
        for found in [Attributes(**stated, code=f"3010010{number:05d}", open_basis="某法第十三条")]  # type: ignore[arg-type]
    )


def departments() -> set[tuple[str, str]]:
    return {(one.provider, one.text("provider")) for one in ours()}


def of_json(document: object) -> Reconciliation:
    data = json.dumps(document, ensure_ascii=False).encode()
    return reconcile(ours(), extract(json_tables("省.json", data), departments()))


def of_file(file: Path) -> Reconciliation:
    tables = list_tables(read_sheets(file), form().headers, is_heading)
    return reconcile(ours(), extract(tables, departments()))


def of_rows(folder: Path, rows: Rows, merged: Sequence[tuple[int, int, int, int, str]] = ()) -> Reconciliation:
    """A sheet of these rows, as a person would write it; `merged`: ranges and their text."""
    file = folder / "省.xlsx"
    book = xlsxwriter.Workbook(str(file))
    sheet = book.add_worksheet(RESOURCES)
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write(number, column, cell)
    for *span, text in merged:
        sheet.merge_range(*span, text)
    book.close()
    return of_file(file)


def differences(found: Reconciliation) -> list[tuple[str, str, str, str, str]]:
    return [(p.here.title, d.item, d.column, d.here, d.there) for p in found.pairs for d in p.differences]


@pytest.mark.parametrize("form_of", ["xlsx", "json"])
def test_what_is_exported_comes_back_without_a_difference(tmp_path: Path, form_of: str) -> None:
    if form_of == "xlsx":
        (tmp_path / "省.xlsx").write_bytes(table_workbook(as_tables(ours())))
        found = of_file(tmp_path / "省.xlsx")
    else:
        found = of_json(as_document(ours()))
    assert found.is_equal() and len(found.same()) == len(ours()) > 20
    assert (found.offers, found.remarks, found.ignored, found.missing) == ((), (), (), ())


def document() -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(as_document(ours()), ensure_ascii=False))
    return copy


CHANGED = [c for c in (*form().resources, *form().items) if c.compared and c.name not in ("title", "code", "item.name")]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_each_changed_cell_is_found_and_nothing_else(data: st.DataObject) -> None:
    changed = document()
    number = data.draw(st.integers(0, len(ours()) - 1))
    column = data.draw(st.sampled_from(CHANGED))
    row = changed[RESOURCES][number]
    item = data.draw(st.sampled_from(row[ITEMS])) if column in form().items else None
    cells = item if item is not None else row
    words = sorted(set(column.known_words.values()))
    other = data.draw(st.sampled_from(words) if words else st.text("甲乙丙12", min_size=1, max_size=5))
    before, cells[column.title] = cells[column.title], other
    title = before if column.name == "item.title" else item["信息项名称"] if item else ""
    expected = [(ours()[number].title, title, column.title, before, other)] if other != before else []
    assert differences(of_json(changed)) == expected


def test_resources_and_items_that_one_side_lacks_are_found() -> None:
    changed = document()
    gone = changed[RESOURCES].pop(3)
    lost = changed[RESOURCES][5][ITEMS].pop(1)
    changed[RESOURCES][6][ITEMS].append({"信息项名称": "备注二", "英文名称": "remarks_2", "数据类型": "字符型C"})
    changed[RESOURCES].append({"信息资源名称": "办公用品台账", "信息资源提供方": "民政局", "省级状态": "已发布"})
    found = of_json(changed)
    assert [one.title for one in found.only_here] == [gone["信息资源名称"]]
    assert [(one.title, one.provider) for one in found.only_there] == [("办公用品台账", "civil_affairs")]
    assert [(d[1], d[2]) for d in differences(found)] == [
        (lost["信息项名称"], ONLY_HERE), ("备注二", ONLY_THERE),
    ]  # fmt: skip
    assert not found.unread and not found.is_equal()


def test_codes_that_the_province_gave_are_offered() -> None:
    changed = document()
    first, second = changed[RESOURCES][:2]
    first |= {"省级目录代码": "37 １５00/0001", "审核状态": "通过"}
    second["信息资源标识符"] = "3715000002"
    found = of_json(changed)
    assert [(o.dataset, o.before, o.code) for o in found.offers] == [
        (ours()[0].dataset, "301001000000", "371500/0001"), (ours()[1].dataset, "301001000001", "3715000002"),
    ]  # fmt: skip
    assert [p.by for p in found.pairs[:3]] == ["code", "title", "code"]
    assert found.pairs[0].there.text("province_status") == "通过"


def test_a_sheet_as_people_make_it_is_read(tmp_path: Path) -> None:
    """A title above, a heading of two levels, merged departments, a repeated heading, blank rows, dates, full width."""
    one, two = ours()[0], ours()[1]
    rows: Rows = [
        ["某省目录"], [],
        ["序号", "信息资源名称", "目录编码", "提供部门", "共享", "", "发布日期", "备注"],
        ["", "", "", "", "属性", "方式", "", ""],
        [1, one.title, "".join(chr(ord(d) + 0xFEE0) for d in one.text("code")), "", "有条件", "库表", "2026年1月5日", "x"],
        ["序号", "信息资源名称", "目录编码", "提供部门", "共享属性", "共享方式", "发布日期", "备注"],
        [],
        [2, f" {two.title}", "", "", "有条件共享", "批量交换", 46027, ""],
        ["制表：张三"],
    ]  # fmt: skip
    found = of_rows(tmp_path, rows, [(0, 0, 0, 7, "某省目录"), (2, 4, 2, 5, "共享")])
    assert [(p.here.dataset, p.by) for p in found.pairs] == [(one.dataset, "code"), (two.dataset, "title")]
    assert [(d[2], d[4]) for d in differences(found)] == [
        ("信息资源提供方", ""), ("信息资源标识符", ""), ("信息资源提供方", ""),
    ]  # fmt: skip
    assert [(u.place, u.value) for u in found.unread] == [(f"《{RESOURCES}》第 9 行", "制表：张三")]
    assert found.pairs[1].there.text("published") == "2026-01-05"
    assert found.ignored == ("序号", "备注") and "信息项名称" in found.missing


def test_what_cannot_be_read_is_named_with_sheet_row_and_column(tmp_path: Path) -> None:
    one, two = ours()[0], ours()[1]
    department = one.text("provider")
    rows: Rows = [
        ["信息资源名称", "信息资源标识符", "信息资源提供方", "信息资源共享类型", "发布日期", "数据格式"],
        [one.title, 3010010000000000001, department, "看情况", "去年", "=1/0"],
        [one.title, "", department, "有条件共享", "", "CSV"],
        ["", "", department, "有条件共享", "", ""],
        [two.title, "", "某局", "有条件共享", "", ""],
    ]
    found = of_rows(tmp_path, rows)
    assert [(u.place.removeprefix(f"《{RESOURCES}》"), u.reason.split("；")[0]) for u in found.unread] == [
        ("第 2 行 B 列（信息资源标识符）", "代码按数值保存，末位已失真"),
        ("第 2 行 D 列（信息资源共享类型）", "不认识的值"),
        ("第 2 行 E 列（发布日期）", "不是日期"),
        ("第 3 行", "与《信息资源》第 2 行是同一条目录，未比对"),
        ("第 4 行", "没有信息资源名称，未比对"),
        ("第 5 行 C 列（信息资源提供方）", "本市没有这个部门"),
    ]
    assert [one.title for one in found.only_there] == [two.title]


def test_items_in_the_rows_of_their_resource_and_codes_that_lost_their_zeros(tmp_path: Path) -> None:
    one = next(r for r in ours() if len(r.items) > 2)
    titles = [item.cells["item.title"] for item in one.items]
    head = ["信息资源名称", "目录编码", "共享属性", "信息项名称"]
    rows: Rows = [head, [one.title, 12, "有条件共享", titles[0]], ["", "", "", titles[1]], ["", "", "", titles[1]]]
    found = of_rows(tmp_path, rows, [])
    assert [pair.here.dataset for pair in found.pairs] == [one.dataset]
    assert [d[1] for d in differences(found) if d[2] == ONLY_HERE] == titles[2:]
    assert [u.reason for u in found.unread] == ["与《信息资源》第 3 行是同一个信息项，未比对"]
    assert any("前导零" in remark.reason for remark in found.remarks)


def test_hidden_sheets_and_sheets_without_a_heading_are_named(tmp_path: Path) -> None:
    file = tmp_path / "省.xlsx"
    book = xlsxwriter.Workbook(str(file))
    for name in (RESOURCES, "上一版", "填表说明"):
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, ["请按说明填写"] if name == "填表说明" else ["信息资源名称", "共享属性"])
        sheet.write_row(1, 0, [] if name == "填表说明" else [ours()[0].title, "有条件"])
        if name == "上一版":
            sheet.hide()
    book.close()
    found = of_file(file)
    assert len(found.pairs) == 1 and not found.unread
    assert [remark.place for remark in found.remarks] == ["《上一版》", "《填表说明》"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "JSON"),
        (b"[" * 99_999, "JSON"),
        (b'{"a": 1}', "信息资源"),
        (b'{"data": [1]}', "信息资源"),
        (b"\xff\xfe", "JSON"),
    ],
)
def test_what_is_no_extract_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(UserError, match=said):
        json_tables("省.json", data)


def test_odd_values_of_json_are_named() -> None:
    text = '{"rows": [{"信息资源名称": "\\ud800甲", "信息资源名称": "甲", "摘要": {"a": 1}, "多余": 1, "items": [{"信息项名称": 5}, 7, {}]}, {}]}'
    found = reconcile((), extract(json_tables("省.json", text.encode("gb18030")), ()))
    assert [(remark.place, remark.reason) for remark in found.remarks] == [
        ("「信息资源名称」", "同一对象中重复，按最后一个读取"), ("第 1 条（摘要）", "不是一个值，未读取"),
        ("第 1 条 信息项第 2 项", "不是一个对象，未读取"),
    ]  # fmt: skip
    assert [(left.place, left.reason) for left in found.unread] == [
        ("第 1 条 信息项第 3 项", "没有信息项名称，未比对"), ("第 2 条", "没有信息资源名称，未比对"),
    ]  # fmt: skip
    assert found.ignored == ("多余",) and [one.title for one in found.only_there] == ["甲"]
