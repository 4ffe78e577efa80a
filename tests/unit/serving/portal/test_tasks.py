"""The first page by role, signing for many tickets at once, and the steps of an answer."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.lake.ledger import Arrival
from jobs.model.delivery import State
from tests.unit.collaboration.samples import WHOLE
from tests.unit.serving.portal.portal_city import NOW, PEOPLE_ACTORS, Browser, City, an_issue, city


@pytest.fixture
def town(made_url: str, tmp_path: Path) -> Iterator[City]:
    made = city(tmp_path, made_url)
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


def marks(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(sign-T-\d+)" value="(\d+)"', page))


def test_tickets_are_grouped_by_dataset_and_of_one_day_the_severe_come_first(town: City) -> None:
    issues = [
        an_issue(field="a", severity="warning", failed_rows=900),
        an_issue(field="b", severity="critical", failed_rows=3),
        an_issue(field="c", severity="critical", failed_rows=70),
    ]
    mild, few, many = town.portal.tickets.found(issues, NOW)
    page = Browser(town.portal, "own").get("/tasks").text
    assert page.count('<details class="group"') == 1
    places = [page.index(f'href="/tickets/{one}"') for one in (many, few, mild)]
    assert places == sorted(places)


def test_all_marked_tickets_are_signed_for_at_once_and_a_refusal_says_why(town: City) -> None:
    town.portal.tickets.found([an_issue(field=f"f{n}") for n in range(3)], NOW)
    own, clerk = Browser(town.portal, "own"), Browser(town.portal, "clerk")
    marked = marks(own.get("/tasks").text)
    assert len(marked) == 4, "the city's own ticket, and three more"
    first = next(iter(marked))
    clerk.post(f"/tickets/{first.removeprefix('sign-')}/steps/sign", {"seen": marked[first]})
    answer = own.post("/tasks/sign", marked)
    assert answer.status_code == 200 and "已签收 3 件" in answer.text and "有 1 件没有签收" in answer.text
    assert "张三（clerk）" in answer.text, "who was first"
    assert not marks(answer.text)
    states = {town.portal.tickets.ticket(one.removeprefix("sign-"), PEOPLE_ACTORS["own"], NOW).state for one in marked}
    assert states == {"signed_for"}


def test_nobody_signs_for_tickets_of_another_department(town: City) -> None:
    answer = Browser(town.portal, "own").post("/tasks/sign", {f"sign-{town.other}": "2"})
    assert answer.status_code == 200 and "没有签收" in answer.text
    assert Browser(town.portal, "officer").post("/tasks/sign", {f"sign-{town.issue}": "2"}).status_code == 403


def test_an_officer_finds_disputes_and_the_leader_the_departments_with_overdue_tickets(town: City) -> None:
    own = Browser(town.portal, "own")
    seen = re.search(r'name="seen" value="(\d+)"', own.get(f"/tickets/{town.issue}").text)
    assert seen
    facts = {"ground": "rule_false_positive", "reason": "规则过严", "evidence": "附件一"}
    own.post(f"/tickets/{town.issue}/steps/dispute", {"seen": seen[1], **facts})
    officer = Browser(town.portal, "officer")
    page = officer.get("/tasks").text
    assert "申诉待裁决（1）" in page and "校核申请待受理（1）" in page
    ticket = officer.get(f"/tickets/{town.issue}").text
    claim = ticket[ticket.index('class="claim"') :]
    assert "规则过严" in claim[:600] and "附件一" in claim[:600], "the reasons are next to the decision"
    town.wait(days=16)
    page = Browser(town.portal, "leader").get("/tasks").text
    assert "最需要督促的部门" in page and page.index("聊城") >= 0 and "/departments/liaocheng_gas" in page


def answered(town: City, state: State, ticket: str) -> str:
    """A delivery in the ledger that answers the ticket."""
    arrival = Arrival(
        "divisions",
        "civil_affairs",
        "f" * 64,
        7,
        ("received/a/b/c/改正.csv",),
        (("landing/x", "e"),),
        answers=(ticket,),
    )
    made, _ = town.portal.lake.ledger.record(arrival, town.clock[0])
    if state is not State.LANDED:
        town.portal.lake.ledger.move(made.id, state, findings=[], counted_rows=3, reason="")
    return made.id


@pytest.mark.parametrize(
    ("state", "done"), [(State.LANDED, 1), (State.LOADED, 2), (State.PARTLY_QUARANTINED, 3), (State.UNREADABLE, 3)]
)
def test_the_steps_of_an_answer_are_those_of_its_delivery(town: City, state: State, done: int) -> None:
    own = Browser(town.portal, "own")
    assert own.get(f"/tickets/{town.issue}/state").json()["is_over"] is True
    answered(town, state, town.issue)
    now = own.get(f"/tickets/{town.issue}/state").json()
    assert (now["done"], now["is_over"]) == (done, False)
    page = own.get(f"/tickets/{town.issue}").text
    assert page.count('<li class="done">') == done and page.count('<li class="now">') == 1


def test_the_result_of_the_re_check_ends_the_steps(town: City) -> None:
    delivery = answered(town, State.ACCEPTED, town.issue)
    town.portal.tickets.rechecked(town.issue, [replace(WHOLE, delivery=delivery)], NOW)
    now = Browser(town.portal, "own").get(f"/tickets/{town.issue}/state").json()
    assert now["is_over"] and "复核通过" in now["message"]


def test_new_failing_rows_of_an_answer_do_not_hide_that_it_was_returned(town: City) -> None:
    delivery = answered(town, State.PARTLY_QUARANTINED, town.issue)
    town.portal.tickets.answer_returned(town.issue, delivery, "没有一行对得上", NOW)
    town.portal.tickets.found([an_issue(delivery=delivery)], NOW)
    now = Browser(town.portal, "own").get(f"/tickets/{town.issue}/state").json()
    assert now["is_over"] and "没有一行对得上" in now["message"]


def test_a_closed_ticket_says_what_was_mended(town: City) -> None:
    delivery = answered(town, State.ACCEPTED, town.issue)
    town.portal.tickets.rechecked(town.issue, [replace(WHOLE, delivery=delivery)], NOW)
    assert "已改正" in Browser(town.portal, "own").get(f"/tickets/{town.issue}").text


def test_an_answer_is_looked_at_before_the_lake_reads_it(town: City) -> None:
    own = Browser(town.portal, "own")
    content = "代码,名称\n371500,聊城市\n371500,聊城\n,东昌府区\n".encode()
    assert own.post(f"/tickets/{town.issue}/answer", files={"file": ("改正.csv", content)}).status_code == 303
    page = own.get(f"/tickets/{town.issue}").text
    assert "文件已收下，等待读取" in page and '<ul class="look">' in page
    assert own.get("/uploads").text.count("改正") or "answered" in own.get("/uploads").text
