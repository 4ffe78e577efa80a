"""The loop on both databases: what deliveries break is found, proven, closed, and may come back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from jobs.collaboration.ticket_policy import OF_A_DELIVERY
from jobs.collaboration.ticket_tables import NoticeRow
from jobs.collaboration.tickets import Tickets
from jobs.errors import UserError
from jobs.model.proof import Proof
from tests.unit.collaboration.samples import (
    ISSUE,
    OFFICER,
    WHOLE,
    at,
    moved,
)

NOW = at("2026-01-12")


def test_what_a_delivery_broke_becomes_a_ticket_that_is_dispatched_with_a_clock(tickets: Tickets, one: str) -> None:
    seen = tickets.ticket(one, OFFICER, NOW)
    assert (seen.state, seen.label, seen.failed_rows, seen.remaining_rows) == ("dispatched", "已派单（待签收）", 10, 10)
    assert seen.clock and (seen.clock.policy, seen.clock.state) == ("C9", "running")
    assert seen.clock.due_at == at("2026-01-26", 24) - timedelta(seconds=1)
    assert [e.event for e in tickets.events(one, OFFICER)] == ["open", "dispatch"]


def test_the_same_delivery_again_changes_nothing(tickets: Tickets, one: str) -> None:
    before = tickets.ticket(one, OFFICER, NOW)
    assert tickets.found([ISSUE, ISSUE], NOW + timedelta(hours=1)) == (one, one)
    assert tickets.ticket(one, OFFICER, NOW) == before
    assert tickets.rechecked(one, [WHOLE], NOW).is_closed
    assert tickets.found([ISSUE], NOW + timedelta(days=1)) == (one,)
    assert tickets.ticket(one, OFFICER, NOW).state == "closed", "a rerun of what was mended opens nothing"


def test_a_further_delivery_with_the_same_failure_adds_to_the_open_ticket(tickets: Tickets, one: str) -> None:
    assert tickets.found([replace(ISSUE, delivery="divisions-3", failed_rows=4)], NOW) == (one,)
    seen = tickets.ticket(one, OFFICER, NOW)
    assert (seen.failed_rows, seen.remaining_rows, seen.state) == (14, 14, "dispatched")


@pytest.mark.parametrize(
    "other", [{"rule": "x"}, {"dataset": "x"}, {"field": "x"}, {"error_class": "x"}], ids=lambda d: next(iter(d))
)
def test_another_rule_dataset_field_or_error_class_is_another_ticket(
    tickets: Tickets, one: str, other: dict[str, str]
) -> None:
    assert tickets.found([replace(ISSUE, delivery="d", **other)], NOW) != (one,)


def test_a_core_field_and_a_feed_that_is_down_have_shorter_clocks_and_an_agreed_time_replaces_the_general_one(
    tickets: Tickets,
) -> None:
    cases = [{"core": True}, {"error_class": "feed_down"}, {"agreed_days": 7}, {"core": True, "agreed_days": 7}]
    issues = [replace(ISSUE, field=f"f{n}", **case) for n, case in enumerate(cases)]
    seen = [tickets.ticket(t, OFFICER, NOW) for t in tickets.found(issues, NOW)]
    days = ["2026-01-19", "2026-01-13", "2026-01-21", "2026-01-19"]
    assert [s.clock.due_at for s in seen if s.clock] == [at(d, 24) - timedelta(seconds=1) for d in days]


def test_a_department_signs_works_redelivers_and_the_proof_closes(tickets: Tickets, one: str) -> None:
    assert moved(tickets, one, "sign:reporter start:reporter", NOW) == "fixing"
    done = tickets.rechecked(one, [WHOLE], at("2026-01-15"))
    assert done.is_closed and done.message == "批次 divisions-2 复核 10 个主键，已改正 10 个；全部改正，工单关闭"
    events = tickets.events(one, OFFICER)
    assert [e.event for e in events[-2:]] == ["start", "pass"], "one answer is one event"
    assert events[-1].facts["proof"]["mended"] == 10 and events[-1].role == "machine"
    assert done.ticket.clock and (done.ticket.clock.state, done.ticket.clock.net) == ("stopped", 3)
    assert done.ticket.closed_at == at("2026-01-15")


@pytest.mark.parametrize(
    ("changes", "left", "said"),
    [
        ({"mended": 7, "remaining": 3}, 3, "未改正 3 个"),
        ({"mended": 8, "absent": 2}, 2, "未重新报送 2 个"),
        ({"newly_broken": 5}, 5, "改正时又违反其他规则 5 个"),
        ({"keyless": 1}, 1, "没有主键无法核对 1 个"),
        ({"mended": 6, "remaining": 1, "absent": 3, "newly_broken": 2}, 6, "还有 6 处，工单未关闭"),
    ],
)
def test_a_partial_proof_shrinks_the_ticket_and_says_what_remains(
    tickets: Tickets, one: str, changes: dict[str, int], left: int, said: str
) -> None:
    done = tickets.rechecked(one, [replace(WHOLE, **changes)], NOW)
    assert not done.is_closed and said in done.message
    assert (done.ticket.state, done.ticket.remaining_rows, done.ticket.reopened) == ("reopened", left, 1)
    assert done.ticket.clock and done.ticket.clock.state == "running"


def test_keys_that_were_deleted_with_a_reason_do_not_keep_a_ticket_open(tickets: Tickets, one: str) -> None:
    done = tickets.rechecked(one, [replace(WHOLE, mended=8, absent=2, deletion="机构撤销")], NOW)
    assert done.is_closed and "2 个已删除（机构撤销）" in done.message


def test_other_changed_fields_are_reported(tickets: Tickets, one: str) -> None:
    done = tickets.rechecked(one, [replace(WHOLE, fields_changed=("code", "level"))], NOW)
    assert done.is_closed and "其他字段也有变化：code、level" in done.message


def test_a_proof_by_another_rule_version_closes_nothing_and_changes_nothing(tickets: Tickets, one: str) -> None:
    before = tickets.ticket(one, OFFICER, NOW)
    done = tickets.rechecked(one, [replace(WHOLE, rule_version="r2")], NOW)
    assert not done.is_closed and "规则版本 r2 与工单的 r1 不同" in done.message and done.ticket == before


def test_a_proof_that_follows_fewer_keys_than_failed_does_not_close(tickets: Tickets) -> None:
    (one,) = tickets.found([replace(ISSUE, failed_rows=9)], NOW)
    few = replace(WHOLE, checked=4, mended=4)
    done = tickets.rechecked(one, [few], NOW)
    assert not done.is_closed and "未被本次复核覆盖 5 个" in done.message and done.ticket.remaining_rows == 5
    assert tickets.rechecked(one, [replace(WHOLE, delivery="divisions-3", checked=9, mended=9)], NOW).is_closed


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"mended": 9}, "数不相符"), ({"checked": 0, "mended": 0}, "没有检查任何主键"), ({"absent": -1}, "负数")],
)
def test_a_proof_with_inconsistent_numbers_is_rejected(changes: dict[str, int], said: str) -> None:
    with pytest.raises(UserError, match=said):
        replace(WHOLE, **changes)


def test_the_same_proof_again_changes_nothing(tickets: Tickets, one: str) -> None:
    part = replace(WHOLE, mended=7, remaining=3)
    before = tickets.rechecked(one, [part], NOW).ticket
    again = tickets.rechecked(one, [part], NOW)
    assert again.ticket == before and "已处理过" in again.message
    closed = tickets.rechecked(one, [replace(WHOLE, delivery="divisions-3")], NOW)
    assert closed.is_closed and "不再复核" in tickets.rechecked(one, [part], NOW).message


def test_each_delivery_of_a_ticket_must_be_proven(tickets: Tickets, one: str) -> None:
    tickets.found([replace(ISSUE, delivery="divisions-9", failed_rows=4)], NOW)
    first = tickets.rechecked(one, [replace(WHOLE, of="divisions-1")], NOW)
    assert not first.is_closed and "其他批次还有 4 处未改正" in first.message
    assert (first.ticket.state, first.ticket.reopened) == ("dispatched", 0), "what was proven is no failed re-check"
    other = replace(WHOLE, delivery="divisions-10", of="divisions-9", checked=4, mended=4)
    assert tickets.rechecked(one, [other], NOW).is_closed
    assert "不在本工单中" in _fresh(tickets, replace(WHOLE, of="divisions-77"))


def _fresh(tickets: Tickets, proof: Proof) -> str:
    (other,) = tickets.found([replace(ISSUE, field="other")], NOW)
    return tickets.rechecked(other, [proof], NOW).message


def test_a_redelivery_that_still_fails_takes_the_place_of_what_it_replaces_but_for_keys_it_left_out(
    tickets: Tickets, one: str
) -> None:
    assert tickets.found([replace(ISSUE, delivery="divisions-2", failed_rows=3, known_rows=3)], NOW) == (one,)
    tickets.rechecked(one, [replace(WHOLE, of="divisions-1", mended=5, remaining=3, absent=2, rows_left=2)], NOW)
    seen = tickets.ticket(one, OFFICER, NOW)
    assert (seen.failed_rows, seen.remaining_rows) == (10, 5), "3 that fail in it, 2 that it left out"
    three = replace(WHOLE, delivery="divisions-3", of="divisions-2", checked=3, mended=3, rows_left=0)
    assert not tickets.rechecked(one, [three], NOW).is_closed
    two = replace(WHOLE, delivery="divisions-3", of="divisions-1", checked=2, mended=2, rows_left=0)
    assert tickets.rechecked(one, [two], NOW).is_closed


def test_one_answer_to_rows_of_several_deliveries_is_one_event(tickets: Tickets, one: str) -> None:
    tickets.found([replace(ISSUE, delivery="divisions-9", failed_rows=4)], NOW)
    before = len(tickets.events(one, OFFICER))
    both = [replace(WHOLE, of="divisions-1"), replace(WHOLE, of="divisions-9", checked=4, mended=4)]
    done = tickets.rechecked(one, both, NOW)
    assert done.is_closed and "复核 14 个主键，已改正 14 个" in done.message
    assert len(tickets.events(one, OFFICER)) == before + 1


def test_a_delivery_that_passes_is_the_proof_of_those_that_could_not_be_read(tickets: Tickets) -> None:
    unreadable = replace(ISSUE, rule="delivery_readable", field="", rule_version=OF_A_DELIVERY, failed_rows=1)
    (ticket,) = tickets.found([unreadable], NOW)
    tickets.found([replace(unreadable, delivery="divisions-9")], NOW)
    passed = replace(WHOLE, rule_version=OF_A_DELIVERY, checked=1, mended=1, rows_left=0, is_directed=True)
    done = tickets.rechecked(ticket, [replace(passed, of=of) for of in ("divisions-1", "divisions-9")], NOW)
    assert done.is_closed
    assert done.message == "批次 divisions-2 已通过这项检查，2 批的问题由此改正；全部改正，工单关闭"


def test_an_answer_that_shows_the_same_rows_again_adds_nothing(tickets: Tickets, one: str) -> None:
    before = len(tickets.events(one, OFFICER))
    again = replace(ISSUE, delivery="divisions-2", failed_rows=10, known_rows=10, is_answer=True)
    assert tickets.found([again], NOW) == (one,)
    still = replace(WHOLE, of="divisions-1", mended=0, remaining=10, rows_left=0)
    tickets.rechecked(one, [still], NOW)
    seen = tickets.ticket(one, OFFICER, NOW)
    assert (seen.failed_rows, seen.remaining_rows, seen.state) == (10, 10, "reopened")
    assert [e.event for e in tickets.events(one, OFFICER)][before:] == ["fall_short"]


def test_a_delivery_not_sent_for_the_ticket_still_reduces_its_rows(tickets: Tickets, one: str) -> None:
    some = replace(WHOLE, checked=4, mended=3, remaining=1, of="divisions-1", rows_left=6, is_directed=False)
    tickets.found([replace(ISSUE, delivery="divisions-2", failed_rows=1, known_rows=1)], NOW)
    done = tickets.rechecked(one, [some], NOW)
    assert (done.ticket.state, done.ticket.remaining_rows, done.ticket.reopened) == ("dispatched", 7, 0)
    assert tickets.events(one, OFFICER)[-1].event == "mend_part"


def test_an_answer_that_proves_nothing_is_recorded_and_notified(tickets: Tickets, one: str) -> None:
    for _ in range(2):
        tickets.answer_returned(one, "divisions-2", "文件无法读取：加密的工作簿", NOW)
    seen = tickets.ticket(one, OFFICER, NOW)
    assert (seen.state, seen.remaining_rows) == ("dispatched", 10)
    told = [e for e in tickets.events(one, OFFICER) if e.event == "return_answer"]
    assert [(e.facts["delivery"], e.facts["reason"]) for e in told] == [("divisions-2", "文件无法读取：加密的工作簿")]
    with tickets.database.session() as session:
        rows = [(row.department, row.title, row.text) for row in session.scalars(select(NoticeRow))]
    assert rows[1:] == [("civil_affairs", f"工单 {one} 的整改数据被退回", "文件无法读取：加密的工作簿")]


def test_an_issue_that_comes_back_within_90_days_reopens_its_ticket_with_a_new_clock(
    tickets: Tickets, one: str
) -> None:
    tickets.rechecked(one, [WHOLE], NOW)
    back = replace(ISSUE, delivery="divisions-4", failed_rows=2)
    assert tickets.found([back], NOW + timedelta(days=90)) == (one,)
    seen = tickets.ticket(one, OFFICER, NOW + timedelta(days=90))
    assert (seen.state, seen.recurred, seen.reopened, seen.remaining_rows) == ("reopened", 1, 0, 2)
    assert seen.closed_at is None and seen.clock and seen.clock.started_at == NOW + timedelta(days=90)


def test_an_issue_that_comes_back_later_is_a_new_ticket_that_knows_the_old(tickets: Tickets, one: str) -> None:
    tickets.rechecked(one, [WHOLE], NOW)
    later = NOW + timedelta(days=90, seconds=1)
    (new,) = tickets.found([replace(ISSUE, delivery="divisions-4")], later)
    assert new != one and tickets.ticket(new, OFFICER, later).follows == one
    assert tickets.ticket(one, OFFICER, later).state == "closed"


def test_a_rule_that_was_found_wrong_opens_no_ticket_again_until_it_is_changed(tickets: Tickets, one: str) -> None:
    assert moved(tickets, one, "dispute:approver uphold_dispute:officer", NOW) == "withdrawn"
    assert tickets.found([replace(ISSUE, delivery="divisions-4")], NOW) == (one,)
    assert tickets.ticket(one, OFFICER, NOW).state == "withdrawn"
    (new,) = tickets.found([replace(ISSUE, delivery="divisions-5", rule_version="r2")], NOW)
    assert new != one


def test_values_that_were_found_right_do_not_excuse_later_ones(tickets: Tickets, one: str) -> None:
    moved(tickets, one, "dispute:approver uphold_dispute:officer", NOW, ground="source_right")
    assert tickets.found([replace(ISSUE, delivery="divisions-4")], NOW) != (one,)
