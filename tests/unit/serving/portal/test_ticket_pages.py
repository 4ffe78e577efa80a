"""Tickets in the browser: what waits, the list, steps as forms of the machine, comments, workbooks, and who was shown what."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from jobs.access.roles import acts_for_department
from jobs.lake.system_tables import system_table
from jobs.lake.zones import Zone
from jobs.pipeline.ticket_table import record_hash
from jobs.serving.portal.context import PipelineWorkbooks
from tests.unit.collaboration.samples import STATED
from tests.unit.lake.local_lake import CANARIES
from tests.unit.serving.portal.portal_city import NOW, PEOPLE_ACTORS, Browser, City, an_issue, city

DATASET = "enterprise_registration"
OWNER = "asker"  # of market_regulation, whose dataset it is


@pytest.fixture
def town(made_url: str, tmp_path: Path) -> Iterator[City]:
    made = city(tmp_path, made_url)
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


@pytest.fixture
def persons(town: City) -> str:
    """A ticket whose evidence holds persons."""
    issue = an_issue(dataset=DATASET, provider="market_regulation", rule="legal_rep_id_no_pattern", delivery="d-1",
                     field="legal_rep_id_no")  # fmt: skip
    (one,) = town.portal.tickets.found([issue], NOW)
    row = {"_delivery": "d-1", "_file": "企业.csv", "_row": 7, "key": json.dumps({"uscc": "91371500MA3C00001X"})}
    rows = [{**row, "rule": issue.rule, "severity": "critical", "field": "legal_rep_id_no", "value": CANARIES[0]}]
    town.portal.lake.put_evidence(DATASET, rows)  # type: ignore[attr-defined]
    return one


def events_offered(page: str) -> list[str]:
    return re.findall(r'action="/tickets/[^/"]+/steps/(\w+)"', page)


def test_a_department_finds_what_waits_for_it_with_the_days_that_are_left(town: City) -> None:
    page = Browser(town.portal, "own").get("/tasks").text
    assert town.issue in page and town.other not in page
    assert "2026-01-26" in page and "还剩 10 个工作日" in page
    town.wait(days=16)
    late = Browser(town.portal, "own").get("/tasks").text
    assert "已超期 2 个工作日" in late and '<span class="badge bad"><span aria-hidden="true">✕</span>' in late


def test_the_officer_finds_requests_and_the_leader_what_is_overdue(town: City) -> None:
    assert town.request in Browser(town.portal, "officer").get("/tasks").text
    assert "没有超期的工单" in Browser(town.portal, "leader").get("/tasks").text
    town.wait(days=16)
    late = Browser(town.portal, "leader").get("/tasks").text
    assert town.issue in late and town.other in late


@pytest.mark.parametrize("who", ["auditor", "analyst", "operator"])
def test_who_works_on_no_tickets_is_told_where_to_look(town: City, who: str) -> None:
    assert "您的角色不办理工单" in Browser(town.portal, who).get("/tasks").text


def test_the_list_is_searched_filtered_and_paged(town: City) -> None:
    many = [an_issue(field=f"f{n}", message=f"第{n}个字段为空") for n in range(60)]
    town.portal.tickets.found(many, NOW)
    browser = Browser(town.portal, "officer")
    first = browser.get("/tickets").text
    assert "共 63 件" in first and "第 1 / 3 页" in first and 'rel="next"' in first
    last = browser.get("/tickets?page=3").text
    assert "第 3 / 3 页" in last and 'rel="next"' not in last
    assert "共 1 件" in browser.get("/tickets?q=第42个").text
    assert "共 1 件" in browser.get("/tickets?department=liaocheng_gas").text
    assert "共 1 件" in browser.get("/tickets?kind=correction&show=all").text
    assert "没有符合条件的工单" in browser.get("/tickets?show=overdue").text
    assert "没有符合条件的工单" in browser.get("/tickets?q=%25").text, "a wildcard is a character like any other"
    for page in ("page=0", "page=x", "order=sideways", "q=" + "x" * 101):
        assert browser.get(f"/tickets?{page}").status_code == 422


def test_a_ticket_shows_message_remedy_basis_clock_and_what_happened(town: City) -> None:
    page = Browser(town.portal, "own").get(f"/tickets/{town.issue}").text
    for words in ("「名称」不能为空", "请补填", "数据契约 divisions 1.0.0", "2026-01-26", "登记", "派单", "系统"):
        assert words in page


@pytest.mark.parametrize("who", ["own", "clerk", "officer", "leader", "auditor", "analyst", "operator"])
def test_forms_are_the_steps_that_the_machine_allows_with_all_that_must_be_stated(town: City, who: str) -> None:
    page = Browser(town.portal, who).get(f"/tickets/{town.issue}").text
    possible = town.portal.tickets.possible(town.issue, PEOPLE_ACTORS[who])
    assert events_offered(page) == [step.event for step in possible]
    for step in possible:
        assert all(f'id="{step.event}-{fact}"' in page for fact in step.requires)


def test_a_department_signs_disputes_and_the_officer_decides(town: City) -> None:
    own, officer = Browser(town.portal, "own"), Browser(town.portal, "officer")

    def take(browser: Browser, event: str, **facts: str) -> Any:
        seen = re.search(r'name="seen" value="(\d+)"', browser.get(f"/tickets/{town.issue}").text)
        assert seen
        return browser.post(f"/tickets/{town.issue}/steps/{event}", {"seen": seen[1], **facts})

    assert take(own, "sign").status_code == 303
    missing = take(own, "dispute", ground="rule_false_positive", reason="规则过严")
    assert missing.status_code == 422 and "须写明证据" in missing.text
    assert take(own, "dispute", ground="rule_false_positive", reason="规则过严", evidence="附件").status_code == 303
    assert take(officer, "uphold_dispute", decision="经核实", reason="成立").status_code == 303
    page = own.get(f"/tickets/{town.issue}").text
    assert "已撤销" in page and "规则误报" in page and "李四（own）" in page
    assert town.portal.tickets.audit_verify().broken is None


def test_a_step_that_is_not_mine_is_forbidden_and_one_that_came_too_late_says_who_was_first(town: City) -> None:
    own, clerk = Browser(town.portal, "own"), Browser(town.portal, "clerk")
    step = f"/tickets/{town.issue}/steps/"
    assert clerk.post(step + "waive", {"seen": "2", **{k: str(v) for k, v in STATED.items()}}).status_code == 403
    assert clerk.post(step + "nonsense", {"seen": "2"}).status_code == 404
    assert clerk.post(step + "pass", {"seen": "2", "proof": "x"}).status_code == 403, "only the lake proves"
    assert clerk.post(step + "sign", {"seen": "2"}).status_code == 303
    late = own.post(step + "sign", {"seen": "2"})
    assert late.status_code == 409 and "张三（clerk）" in late.text
    assert own.post(step + "start", {"seen": "x"}).status_code == 422


def test_comments_are_said_by_those_who_work_on_it(town: City) -> None:
    own = Browser(town.portal, "own")
    path = f"/tickets/{town.issue}/comments"
    assert own.post(path, {"text": "已联系乡镇 <script>alert(1)</script>"}).status_code == 303
    page = Browser(town.portal, "officer").get(f"/tickets/{town.issue}").text
    assert "已联系乡镇 &lt;script&gt;" in page and "<script>" not in page
    assert own.post(path, {"text": "  "}).status_code == 422
    assert Browser(town.portal, "auditor").post(path, {"text": "x"}).status_code == 403


def test_numbers_of_persons_in_comments_are_for_the_parties_only(town: City) -> None:
    own = Browser(town.portal, "own")
    own.post(f"/tickets/{town.issue}/comments", {"text": f"联系人 {CANARIES[2]}"})
    for who, sees in (("own", True), ("officer", True), ("leader", False), ("analyst", False)):
        page = Browser(town.portal, who).get(f"/tickets/{town.issue}").text
        assert (CANARIES[2] in page) is sees, who


def test_evidence_is_whole_for_its_owner_and_masked_for_all_others_and_the_owner_is_noted(
    town: City, persons: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who, sees in ((OWNER, True), ("officer", False), ("leader", False), ("auditor", False), ("operator", False)):
        page = Browser(town.portal, who).get(f"/tickets/{persons}").text
        assert (CANARIES[0] in page) is sees, who
        assert "企业.csv" in page
    (row,), total = town.portal.access.rows(1, 10)
    assert total == 1 and (row.name, row.access.object) == ("钱七（asker）", f"工单 {persons}")
    assert (row.access.action, row.access.grade, row.access.dataset) == ("view", "L3", DATASET)


def test_what_cannot_be_noted_is_not_shown(town: City, persons: str, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser(town.portal, OWNER)

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("jobs.serving.access_log.AccessLog.add", refuse)
    answer = browser.get(f"/tickets/{persons}")
    assert answer.status_code == 500 and CANARIES[0] not in answer.text


def test_a_ticket_is_shown_without_its_sample_while_the_store_is_away(
    town: City, persons: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OSError("error sending request")

    monkeypatch.setattr(town.portal.lake.delta, "open", away)
    answer = Browser(town.portal, OWNER).get(f"/tickets/{persons}")
    assert answer.status_code == 200 and "对象存储暂时无响应" in answer.text


def test_packs_go_to_the_owner_and_the_officer_and_are_noted(town: City, persons: str) -> None:
    for who, status in ((OWNER, 200), ("officer", 200), ("leader", 403), ("auditor", 403), ("stranger", 404)):
        answer = Browser(town.portal, who).get(f"/tickets/{persons}/workbook")
        assert answer.status_code == status, who
        if status == 200:
            assert answer.content.startswith(f"workbook of {persons}".encode())
            assert answer.headers["content-disposition"] == f"attachment; filename={persons}.xlsx"
    rows, _ = town.portal.access.rows(1, 10)
    assert [r.access.action for r in rows] == ["workbook", "workbook"]
    assert all(r.access.reason == f"整改工单 {persons}" and r.access.grade >= "L3" for r in rows)


def test_a_department_asks_another_to_check_a_record(town: City) -> None:
    browser = Browser(town.portal, "stranger")
    form = {"dataset": "divisions", "record": "371502", "message": "名称不符", "evidence": "公告", "field": "name"}
    answer = browser.post("/requests", form)
    assert answer.status_code == 303
    one = answer.headers["location"].split("?")[0]
    assert "371502" in browser.get(one).text, "the asker sees which record"
    assert "371502" in Browser(town.portal, "own").get(one).text, "and so does the department"
    assert "371502" not in Browser(town.portal, "leader").get(one).text
    assert browser.post("/requests", {**form, "evidence": ""}).status_code == 422
    assert Browser(town.portal, "officer").post("/requests", form).status_code == 403
    rows, _ = town.portal.access.rows(1, 10)
    assert {r.access.action for r in rows} == {"record"} and {r.department for r in rows} == {
        "civil_affairs",
        "liaocheng_gas",
    }


def test_readers_of_the_data_are_told_at_once_which_record_is_under_a_request(
    town: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, form = (
        Browser(town.portal, "stranger"),
        {"dataset": "divisions", "evidence": "公告", "message": "名称不符"},
    )
    assert browser.post("/requests", {**form, "record": " 371502， 2020-01-01 "}).status_code == 303
    lake = town.portal.lake
    table = lake.delta.open(lake.path(Zone.RESULTS, "tickets"))
    assert table is not None
    assert [field.name for field in table.schema().fields] == system_table("tickets").schema.names
    rows = table.to_pyarrow_table().to_pylist()
    (one,) = [row for row in rows if row["ticket"] not in (town.issue, town.request)]
    assert (one["kind"], one["key_fields"], one["delivery"]) == ("correction", "division_code,code_valid_from", None)
    assert (
        one["record"] == record_hash("371502,2020-01-01")
        and "371502" not in repr(rows)
        and "名称不符" not in repr(rows)
    )

    def away(*_: object, **__: object) -> None:
        raise OSError("error sending request")

    monkeypatch.setattr(lake.delta, "replace", away)
    assert browser.post("/requests", {**form, "record": "371503"}).status_code == 303, (
        "the request is taken all the same"
    )


def test_more_time_is_asked_for_and_granted(town: City) -> None:
    own, officer = Browser(town.portal, "own"), Browser(town.portal, "officer")
    step = f"/tickets/{town.issue}/steps/"
    assert own.post(step + "ask_extension", {"seen": "2", "reason": "系统升级"}).status_code == 422
    assert own.post(step + "ask_extension", {"seen": "2", "reason": "系统升级", "days": "6"}).status_code == 422
    assert own.post(step + "ask_extension", {"seen": "2", "reason": "系统升级", "days": "3"}).status_code == 303
    assert town.issue in officer.get("/tasks").text and town.issue not in own.get("/tasks").text
    assert events_offered(own.get(f"/tickets/{town.issue}").text) == []
    decided = {"seen": "3", "reason": "同意", "days": "3", "approver": "分管负责人"}
    assert officer.post(step + "grant_extension", decided).status_code == 303
    page = own.get(f"/tickets/{town.issue}").text
    assert "2026-01-29" in page and "申请延期" in page and "同意延期" in page and "系统升级" in page


def test_the_city_of_the_tests_has_departments_of_shipped_contracts(town: City) -> None:
    known = set(town.portal.registry().providers().values())
    assert {a.department for a in PEOPLE_ACTORS.values() if acts_for_department(a)} <= known


def test_the_pipelines_own_pack_is_whole_for_the_owner_and_comes_back_as_a_redelivery(town: City, persons: str) -> None:
    real = replace(town.portal, workbooks=PipelineWorkbooks())
    workbooks = {who: Browser(real, who).get(f"/tickets/{persons}/workbook").content for who in (OWNER, "officer")}
    assert [CANARIES[0] in cells(workbooks[who]) for who in (OWNER, "officer")] == [True, False]
    filled = {"file": ("整改.xlsx", workbooks[OWNER])}
    assert Browser(real, OWNER).post(f"/tickets/{persons}/answer", files=filled).status_code == 303
    keys = [key for key in town.store.objects if key.startswith(f"landing/market_regulation/{DATASET}/")]
    (named,) = {key.rsplit("/", 1)[-1] for key in keys if key.endswith(".xlsx")}
    assert named.startswith(f"{persons}_"), "two answers of one name do not stand in each other's place"


@pytest.mark.parametrize("way", ["transfer", "dispute"])
def test_whose_data_it_is_does_not_change_with_who_works_on_the_ticket(town: City, persons: str, way: str) -> None:
    real, worker = replace(town.portal, workbooks=PipelineWorkbooks()), "own"
    given = {"seen": "2", "reason": "业务已划转", "provider": "civil_affairs"}
    step = f"/tickets/{persons}/steps/"
    if way == "dispute":
        stated = {"seen": "2", "ground": "not_ours", "reason": "非本部门", "evidence": "三定方案"}
        assert Browser(real, OWNER).post(step + "dispute", stated).status_code == 303
        given |= {"seen": "3", "decision": "成立"}
    event = "transfer" if way == "transfer" else "uphold_dispute"
    assert Browser(real, "officer").post(step + event, given).status_code == 303
    page = Browser(real, worker).get(f"/tickets/{persons}").text
    assert CANARIES[0] not in page and "数据归属单位" in page and "/deliveries/d-1" not in page
    assert "sign" in events_offered(page) and f'action="/tickets/{persons}/answer"' not in page
    masked = Browser(real, worker).get(f"/tickets/{persons}/workbook")
    assert masked.status_code == 200 and CANARIES[0] not in cells(masked.content)
    file = {"files": {"file": ("整改.xlsx", masked.content)}}
    assert Browser(real, worker).post(f"/tickets/{persons}/answer", **file).status_code == 403
    assert not [key for key in town.store.objects if key.startswith("landing/")], "nothing of it was taken"
    assert CANARIES[0] in Browser(real, OWNER).get(f"/tickets/{persons}").text
    whole = Browser(real, OWNER).get(f"/tickets/{persons}/workbook").content
    assert CANARIES[0] in cells(whole)
    file = {"files": {"file": ("整改.xlsx", whole)}}
    assert Browser(real, OWNER).post(f"/tickets/{persons}/answer", **file).status_code == 303
    assert [key for key in town.store.objects if key.startswith(f"landing/market_regulation/{DATASET}/")]


def cells(book: bytes) -> str:
    """All texts of a workbook."""
    sheets = load_workbook(BytesIO(book)).worksheets
    return "|".join(str(cell) for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row)
