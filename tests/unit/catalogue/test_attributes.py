"""What an entry must state, what differs between two versions, and which rows a list has."""

from dataclasses import replace

import pytest

from jobs.catalogue import lists
from jobs.catalogue.attributes import Attributes, differences, parsed, read, shortcomings
from jobs.catalogue.entry import Entry, Item
from jobs.errors import UserError

PLAIN = Entry(
    id="divisions", title="行政区划", version="1.0.0", is_product=False, provider="civil_affairs", department="民政局",
    owner="张三", summary="", keywords=(), update_cycle="1d", items=(Item("code", "代码", "string", "", "L1"),),
)  # fmt: skip
PERSONAL = replace(PLAIN, id="people", title="人口", items=(Item("id_no", "身份证号", "string", "", "L4"),))
STATED = {
    "share": "unconditional",
    "share_method": "interface",
    "opening": "unconditional",
    "category": "1",
    "code": "1010010001",
    "secrecy_assessment": "不涉密",
}


def lacking(stated: dict[str, str], entry: Entry) -> str:
    """What the attributes lack, in one line."""
    return "；".join(shortcomings(parsed(stated, entry), entry))


def test_what_is_complete_lacks_nothing() -> None:
    assert lacking(STATED, PLAIN) == ""
    found = parsed(STATED, PLAIN)
    assert read(found.text()) == found


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"share": ""}, "须选择共享属性"),
        ({"share": "refused"}, "不予共享须写明依据"),
        ({"share": "conditional"}, "有条件共享须写明使用的范围和用途"),
        ({"share_method": ""}, "须选择共享方式"),
        ({"opening": "refused"}, "不予开放须写明依据"),
        ({"opening": "conditional"}, "有条件开放须写明开放条件"),
        ({"secrecy_assessment": "  "}, "须写明保密风险评估"),
        ({"code": "3010010001"}, "信息资源代码的首位须是类别 1（基础信息资源）"),
    ],
)
def test_what_is_missing_is_named(stated: dict[str, str], said: str) -> None:
    assert said in lacking(STATED | stated, PLAIN) and "；" not in lacking(STATED | stated, PLAIN)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"share": "有条件"}, "「共享属性」不能是「有条件」；可以是：无条件共享、有条件共享、不予共享"),
        ({"shared": "yes"}, "没有「shared」这一项"),
    ],
)
def test_what_is_unknown_is_refused(stated: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match="行政区划：") as error:
        parsed(STATED | stated, PLAIN)
    assert said in str(error.value)


def test_all_that_is_missing_is_told_at_once() -> None:
    assert lacking({"share": "refused", "opening": "refused"}, PLAIN).count("；") == 2


def test_personal_data_needs_an_assessment_and_is_never_open_to_everybody() -> None:
    assert "个人信息影响评估" in lacking(STATED, PERSONAL) and "不能无条件开放" in lacking(STATED, PERSONAL)
    assessed = {"personal_assessment": "风险可控", "opening": "refused", "open_basis": "含个人信息"}
    assert lacking(STATED | assessed, PERSONAL) == ""


def test_important_data_is_neither_shared_nor_open_without_conditions() -> None:
    said = lacking(STATED, replace(PLAIN, level="important"))
    assert "重要数据不能无条件共享" in said and "重要数据不能无条件开放" in said


def test_only_what_differs_is_listed_in_chinese() -> None:
    before, after = Attributes(**STATED), Attributes(**STATED | {"share": "conditional", "share_conditions": "限审批"})  # type: ignore[arg-type]
    assert [(d.title, d.before, d.after) for d in differences(before, after)] == [
        ("共享属性", "无条件共享", "有条件共享"),
        ("共享条件（范围和用途）", "", "限审批"),
    ]
    assert {d.title for d in differences(None, before)} >= {"共享属性", "开放属性", "数源部门", "状态"}


def test_a_list_holds_what_is_in_use_and_the_open_list_what_is_open() -> None:
    plain = parsed(STATED, PLAIN)
    closed = parsed(
        STATED | {"personal_assessment": "风险可控", "opening": "refused", "open_basis": "含个人信息"}, PERSONAL
    )
    retired = plain.model_copy(update={"status": "retired"})
    pairs = [(PLAIN, plain), (PERSONAL, closed), (replace(PLAIN, id="old"), retired)]
    assert [row[lists.KEY] for row in lists.rows(lists.LISTS["share"], pairs)] == ["divisions", "people"]
    assert [row[lists.KEY] for row in lists.rows(lists.LISTS["open"], pairs)] == ["divisions"]


def test_versions_of_a_list_differ_entry_by_entry() -> None:
    old = [{"标识": "a", "信息资源名称": "甲", "共享属性": "无条件共享"}, {"标识": "b", "信息资源名称": "乙"}]
    new = [{"标识": "c", "信息资源名称": "丙"}, {"标识": "a", "信息资源名称": "甲", "共享属性": "有条件共享"}]
    found = lists.changes(old, new)
    assert [(c.kind, c.id, c.columns) for c in found] == [
        ("added", "c", ()),
        ("changed", "a", (("共享属性", "无条件共享", "有条件共享"),)),
        ("removed", "b", ()),
    ]
    assert lists.read(lists.text(new)) == new


@pytest.mark.parametrize(("amount", "said"), [("1d", "每日"), ("15mi", "每 15 分钟"), ("1mo", "每月"), ("", "")])
def test_a_cycle_is_said_in_chinese(amount: str, said: str) -> None:
    assert lists.cycle(amount) == said
