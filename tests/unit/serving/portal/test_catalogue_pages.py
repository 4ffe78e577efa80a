"""The catalogue in the portal: a department states, its head approves, the authority publishes; lists are made from what is published."""

import io
import re
from datetime import date
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from jobs.errors import UserError
from jobs.lake.zones import Zone
from jobs.pipeline.licence_samples import put_sample
from tests.unit.serving.portal.portal_city import Browser, City, shipped

ENTRY = "/catalogue/divisions"
FILLED = {
    "share": "unconditional",
    "share_method": "interface",
    "opening": "unconditional",
    "category": "1",
    "code": "1010010001",
    "secrecy_assessment": "不涉密（民保〔2026〕3号）",
    "authoritative": "true",
    "status": "in_use",
}


def moved(town: City, ticket: str, way: str, **facts: str) -> None:
    """Take steps on the ticket's page, each written as step:person."""
    event, _, who = way.partition(":")
    browser = Browser(town.portal, who)
    seen = re.search(r'name="seen" value="(\d+)"', browser.get(f"/tickets/{ticket}").text)
    assert seen is not None, way
    assert browser.post(f"/tickets/{ticket}/steps/{event}", {"seen": seen[1], **facts}).status_code == 303


def proposed(town: City, **filled: str) -> str:
    """Id of the ticket of a change."""
    answer = Browser(town.portal, "clerk").post(ENTRY, FILLED | filled)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).rpartition("/")[2]


def published(town: City, **filled: str) -> str:
    """Id of the ticket of a published change."""
    ticket = proposed(town, **filled)
    moved(town, ticket, "submit:clerk")
    moved(town, ticket, "endorse:own", approver="李四")
    moved(town, ticket, "publish:officer", confirmation="符合要求")
    return ticket


def test_an_entry_goes_from_the_department_to_the_city(town: City) -> None:
    clerk = Browser(town.portal, "clerk")
    assert "未编制" in clerk.get(ENTRY).text
    ticket = published(town)
    text = Browser(town.portal, "stranger").get(ENTRY).text
    assert "已发布" in text and "无条件共享" in text and ticket in text
    assert "第 1 版" in Browser(town.portal, "leader").get("/catalogue").text


def test_an_incomplete_draft_is_saved_and_lists_what_it_lacks_but_is_not_submitted(town: City) -> None:
    clerk = Browser(town.portal, "clerk")
    ticket = proposed(town, share="refused", opening="refused", secrecy_assessment="", summary="各级区划")
    lacking = ("不予共享须写明依据", "不予开放须写明依据", "须写明保密风险评估")
    for page in (clerk.get(ENTRY).text, clerk.get(f"/tickets/{ticket}").text):
        assert [said for said in lacking if said not in page] == []
    assert "各级区划" in clerk.get(ENTRY).text
    refused = clerk.post(f"/tickets/{ticket}/steps/submit", {"seen": "1"})
    assert refused.status_code == 422 and "还不能「提交」：不予共享须写明依据" in refused.text
    proposed(town, share="refused", share_basis="某法第一条", opening="refused", open_basis="某法第一条")
    moved(town, ticket, "submit:clerk")


def test_an_unknown_value_is_refused_with_what_was_filled_in(town: City) -> None:
    answer = Browser(town.portal, "clerk").post(ENTRY, FILLED | {"share": "maybe", "summary": "各级区划"})
    assert answer.status_code == 400 and "「共享属性」不能是「maybe」" in answer.text and "各级区划" in answer.text


def test_a_later_change_shows_what_it_alters_on_its_ticket(town: City) -> None:
    published(town)
    ticket = proposed(town, share="conditional", share_conditions="限本市行政机关，用于行政审批")
    page = Browser(town.portal, "officer").get(f"/tickets/{ticket}").text
    assert "无条件共享" in page and "有条件共享" in page and "限本市行政机关" in page
    assert "信息资源代码" not in page, "what stays is not listed"
    assert "变更中（草稿）" in Browser(town.portal, "officer").get("/catalogue").text


def test_the_same_again_is_no_change(town: City) -> None:
    published(town)
    answer = Browser(town.portal, "clerk").post(ENTRY, FILLED)
    assert answer.status_code == 400 and "没有需要变更的内容" in answer.text


@pytest.mark.parametrize(("who", "status"), [("stranger", 403), ("officer", 403), ("leader", 403)])
def test_others_change_no_entry(town: City, who: str, status: int) -> None:
    assert Browser(town.portal, who).post(ENTRY, FILLED).status_code == status
    assert 'action="/catalogue/divisions"' not in Browser(town.portal, who).get(ENTRY).text


def test_a_list_is_published_with_its_number_and_what_it_changes(town: City) -> None:
    published(town)
    officer = Browser(town.portal, "officer")
    ticket = str(officer.post("/catalogue/lists/share", {}).headers["location"]).rpartition("/")[2]
    moved(town, ticket, "submit:officer")
    moved(town, ticket, "publish:leader", document_number="聊数发〔2026〕5号")
    page = officer.get("/catalogue/lists/share").text
    assert "聊数发〔2026〕5号" in page and "新增 1" in page and "没有需要变更的内容" in page
    book = openpyxl.load_workbook(io.BytesIO(officer.get("/catalogue/lists/share/1.xlsx").content)).active
    assert book is not None
    rows = [[cell.value for cell in row] for row in book.iter_rows()]
    assert rows[1][0] == "聊数发〔2026〕5号　第 1 版　2026年1月12日发布　共 1 项"
    assert dict(zip(rows[2], rows[3], strict=True))["共享属性"] == "无条件共享"
    assert officer.get("/catalogue/lists/share/1.pdf").content.startswith(b"%PDF")
    assert officer.get("/catalogue/lists/share/2.xlsx").status_code == 404


def test_the_next_version_of_a_list_says_entry_by_entry_what_differs(town: City) -> None:
    officer = Browser(town.portal, "officer")
    published(town)
    ticket = str(officer.post("/catalogue/lists/open", {}).headers["location"]).rpartition("/")[2]
    moved(town, ticket, "submit:officer")
    moved(town, ticket, "publish:leader", document_number="聊数发〔2026〕6号")
    published(town, opening="conditional", open_conditions="实名注册")
    page = officer.get("/catalogue/lists/open").text
    assert "开放属性：无条件开放 → 有条件开放" in page and "开放条件：（无） → 实名注册" in page
    published(town, opening="refused", open_conditions="", open_basis="《山东省公共数据开放办法》")
    assert "移出" in officer.get("/catalogue/lists/open").text


def test_a_list_that_would_change_nothing_is_not_drawn_up(town: City) -> None:
    answer = Browser(town.portal, "officer").post("/catalogue/lists/share", {})
    assert answer.status_code == 400 and "无须发布新版" in answer.text
    assert Browser(town.portal, "own").post("/catalogue/lists/share", {}).status_code == 403
    assert Browser(town.portal, "own").get("/catalogue/lists/unknown").status_code == 404


def test_the_list_of_licences_offers_samples(town: City, tmp_path: Path) -> None:
    columns = {
        "certificate_name": "食品经营许可证",
        "certificate_no": "JY1",
        "organ_name": "审批局",
        "organ_code": "X",
        "permit_status": "1",
    }
    days = {name: pa.array([date(2025, 1, 1)], pa.date32()) for name in ("valid_from", "valid_to")}
    rows = pa.table({**{name: [value] for name, value in columns.items()}, **days, "_delivery": ["d"]})
    town.portal.lake.delta.put(town.portal.lake.path(Zone.SILVER, "admin_permits"), rows)  # type: ignore[attr-defined]
    for name, content in (("样例.pdf", b"%PDF-1"), ("样例.png", b"\x89PNG2")):
        (tmp_path / name).write_bytes(content)
        put_sample(town.portal.lake, shipped(), "admin_permits", "食品经营许可证", tmp_path / name)
    officer = Browser(town.portal, "officer")
    ticket = str(officer.post("/catalogue/lists/licence", {}).headers["location"]).rpartition("/")[2]
    moved(town, ticket, "submit:officer")
    moved(town, ticket, "publish:leader", document_number="聊数发〔2026〕7号")
    (link,) = re.findall(r'href="(/catalogue/licence-samples/[^"]+)"', officer.get("/catalogue/lists/licence").text)
    sample = Browser(town.portal, "stranger").get(link)
    assert (sample.headers["content-type"], sample.content) == ("image/png", b"\x89PNG2"), "the later one"


@pytest.mark.parametrize(
    ("dataset", "name", "content", "said"),
    [
        ("divisions", "a.pdf", b"%PDF", "licences"),
        ("admin_permits", "a.pdf", b"PK", ".pdf"),
        ("admin_permits", "a.exe", b"MZ", ".pdf"),
    ],
)
def test_what_is_no_sample_is_refused(
    town: City, tmp_path: Path, dataset: str, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=said):
        put_sample(town.portal.lake, shipped(), dataset, "某证", tmp_path / name)
