"""Why something was not done: the status says whose word it takes, and the form still holds what was typed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.serving.portal.portal_city import NOW, Browser, City, an_issue, city

FILE = {"files": {"file": ("甲.csv", b"a,b\n1,2\n")}}


@pytest.fixture
def town(made_url: str, tmp_path: Path) -> Iterator[City]:
    made = city(tmp_path, made_url)
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


def step(browser: Browser, town: City, event: str, **facts: str) -> Any:
    return browser.post(f"/tickets/{town.issue}/steps/{event}", {"seen": "2", **facts})


def form_of(page: str, event: str) -> str:
    """The form of a step on a ticket's page."""
    found = re.search(rf'action="/tickets/[^"]+/steps/{event}".*?</form>', page, re.DOTALL)
    assert found, page
    return found[0]


def test_what_a_policy_does_not_provide_is_told_in_the_form_with_what_was_typed(town: City) -> None:
    answer = step(Browser(town.portal, "own"), town, "ask_extension", reason="系统升级 <b>", days="6")
    assert answer.status_code == 422 and "还可延长 5" in answer.text
    form = form_of(answer.text, "ask_extension")
    assert "系统升级 &lt;b&gt;" in form and 'value="6"' in form


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"reason": "停用", "until": "2020-01-01", "approver": "分管"}, "已过"),
        ({"reason": "停用", "until": "2026-06-30", "approver": "长" * 61}, "最多 60 个"),
        ({"reason": "长" * 4001, "until": "2026-06-30", "approver": "分管"}, "最多 4,000 个"),
    ],
)
def test_choices_and_dates_that_were_filled_in_stay_filled_in(town: City, facts: dict[str, str], said: str) -> None:
    answer = step(Browser(town.portal, "officer"), town, "waive", **facts)
    assert answer.status_code == 422 and said in answer.text
    form = form_of(answer.text, "waive")
    assert all(text in form for text in facts.values())


def test_a_ticket_goes_to_no_department_that_there_is_not(town: City) -> None:
    officer = Browser(town.portal, "officer")
    answer = step(officer, town, "transfer", reason="不属于", provider="nobody")
    assert answer.status_code == 422 and "没有单位 nobody" in answer.text
    kept = step(officer, town, "transfer", reason="不属于", provider="civil_affairs")
    assert '<option value="civil_affairs" selected>' in form_of(kept.text, "transfer")


def test_a_step_that_the_state_does_not_take_is_a_conflict_and_what_was_typed_is_shown(town: City) -> None:
    officer = Browser(town.portal, "officer")
    answer = step(officer, town, "uphold_dispute", decision="经核实", reason="成立")
    assert answer.status_code == 409 and "现在可以" in answer.text
    assert "您刚才填写的内容" in answer.text and "经核实" in answer.text


def test_who_came_too_late_finds_what_was_typed_in_the_form_of_the_new_state(town: City) -> None:
    assert step(Browser(town.portal, "clerk"), town, "sign").status_code == 303
    facts = {"ground": "rule_false_positive", "reason": "规则过严", "evidence": "附件"}
    answer = step(Browser(town.portal, "own"), town, "dispute", **facts)
    assert answer.status_code == 409 and "张三（clerk）" in answer.text
    form = form_of(answer.text, "dispute")
    assert 'name="seen" value="3"' in form and "规则过严" in form
    assert '<option value="rule_false_positive" selected>' in form


def test_a_right_that_is_missing_is_no_matter_of_the_form(town: City) -> None:
    answer = step(Browser(town.portal, "clerk"), town, "waive", reason="x", until="2026-06-30", approver="y")
    assert answer.status_code == 403 and "无权办理" in answer.text and "<form" not in answer.text.split("<main")[1]


def test_a_comment_or_request_that_is_too_long_is_refused_whole_and_kept(town: City) -> None:
    browser = Browser(town.portal, "stranger")
    form = {"dataset": "divisions", "record": "长" * 501, "message": "名称不符", "evidence": "公告"}
    answer = browser.post("/requests", form)
    assert answer.status_code == 422 and "最多 500 个" in answer.text and "名称不符" in answer.text
    own = Browser(town.portal, "own")
    answer = own.post(f"/tickets/{town.issue}/comments", {"text": "长" * 4001})
    assert answer.status_code == 422 and "长" * 4001 in answer.text
    assert town.portal.tickets.comments(town.issue, town.portal.accounts.list()[0].actor()) == ()


def test_an_upload_form_keeps_what_was_said_of_the_file(town: City) -> None:
    said = {"dataset": "divisions", "rows": "many", "supersedes": "", "answers": town.issue}
    answer = Browser(town.portal, "own").post("/uploads", said, **FILE)
    assert answer.status_code == 422 and "行数须是整数" in answer.text
    assert '<option value="divisions" selected>' in answer.text and 'value="many"' in answer.text
    assert f'name="answers" value="{town.issue}" checked' in answer.text


def test_an_upload_answers_all_tickets_that_are_marked_and_no_endless_list(town: City) -> None:
    other = town.portal.tickets.found([an_issue(field="b")], NOW)[0]
    said = {"dataset": "divisions", "answers": [town.issue, other]}
    own = Browser(town.portal, "own")
    assert own.post("/uploads", said, **FILE).status_code == 303
    manifest = next(data for key, data in town.store.objects.items() if key.endswith("_manifest.json"))
    assert json.loads(manifest)["answers"] == [town.issue, other]
    endless = own.post("/uploads", {"dataset": "divisions", "answers": ["T-000001"] * 1000}, **FILE)
    assert endless.status_code == 422 and "选择的工单过多" in endless.text


def test_a_pack_that_is_not_taken_is_told_on_the_page_of_its_ticket(town: City) -> None:
    wrong = {"files": {"file": ("整改.xlsx", b"a,b\n1,2\n")}}
    answer = Browser(town.portal, "own").post(f"/tickets/{town.issue}/answer", **wrong)
    assert answer.status_code == 415 and "不是 .xlsx 格式" in answer.text and "填好的整改包" in answer.text


def test_notes_of_the_chain_that_are_none_stay_in_their_form(town: City) -> None:
    answer = Browser(town.portal, "auditor").post("/audit", {"noted": "12", "noted_access": "3:ab"})
    assert answer.status_code == 422 and "序号:哈希" in answer.text
    assert 'value="12"' in answer.text and 'value="3:ab"' in answer.text


def test_programs_get_the_same_statuses(town: City) -> None:
    browser = Browser(town.portal, "own")
    word = {"X-CSRF-Token": browser.csrf()}
    path = f"/api/tickets/{town.issue}/steps/"

    def sent(event: str, **facts: str) -> int:
        return int(browser.client.post(path + event, json={"seen": 2, "facts": facts}, headers=word).status_code)

    assert sent("ask_extension", reason="x", days="6") == 422
    assert sent("uphold_dispute", decision="x", reason="y") == 409
    assert sent("waive", reason="x", approver="y", until="2026-06-30") == 403
    assert sent("nonsense") == 404
