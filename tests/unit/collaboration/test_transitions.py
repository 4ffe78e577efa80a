"""Tickets in the hands of people, on both databases: moved, disputed, waived, asked for, seen; and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from jobs.collaboration.ticket_queries import TicketQuery
from jobs.collaboration.tickets import Tickets
from jobs.errors import InvalidTransition, NotAllowed, Overtaken, PolicyRefusal, UserError
from jobs.model.actor import Actor
from tests.unit.collaboration.samples import (
    APPROVER,
    ASKER,
    CORRECTION,
    ISSUE,
    LEADER,
    OFFICER,
    REPORTER,
    STATED,
    STRANGER,
    WHOLE,
    at,
    moved,
)

NOW = at("2026-01-12")


def test_a_dispute_stops_the_clock_and_one_that_is_dismissed_lets_it_run_on(tickets: Tickets, one: str) -> None:
    moved(tickets, one, "sign:approver dispute:approver", at("2026-01-13"))
    seen = tickets.ticket(one, OFFICER, at("2026-01-15"))
    assert seen.clock and (seen.state, seen.clock.state) == ("disputed", "paused")
    moved(tickets, one, "dismiss_dispute:officer", at("2026-01-15"))
    after = tickets.ticket(one, OFFICER, at("2026-01-16"))
    assert after.clock and (after.state, after.clock.net, after.clock.gross) == ("fixing", 2, 4)


def test_what_is_not_ours_goes_to_whom_it_belongs_with_a_clock_of_its_own(tickets: Tickets, one: str) -> None:
    moved(tickets, one, "dispute:approver", NOW, ground="not_ours")
    moved(tickets, one, "uphold_dispute:officer", at("2026-01-14"), provider="hotline_12345", ground="not_ours")
    seen = tickets.ticket(one, OFFICER, at("2026-01-14"))
    assert (seen.state, seen.provider) == ("dispatched", "hotline_12345")
    assert seen.clock and seen.clock.started_at == at("2026-01-14")
    assert seen.owner == "civil_affairs", "whose data it is does not change with who works on the ticket"


def test_departments_keep_reading_a_ticket_that_was_given_to_others_and_strangers_do_not(
    tickets: Tickets, one: str
) -> None:
    second, third = (replace(APPROVER, department=name) for name in ("hotline_12345", "liaocheng_gas"))
    moved(tickets, one, "transfer:officer", NOW, provider="hotline_12345")
    moved(tickets, one, "transfer:officer", NOW, provider="liaocheng_gas")
    for who in (APPROVER, second, third):
        assert tickets.ticket(one, who, NOW).provider == "liaocheng_gas"
        assert [t.id for t in tickets.tickets(who, TicketQuery(), NOW).tickets] == [one]
        assert (one in [t.id for t in tickets.tickets(who, TicketQuery(is_mine=True), NOW).tickets]) == (who is third)
    with pytest.raises(UserError, match="没有工单"):
        tickets.ticket(one, ASKER, NOW)
    version = tickets.ticket(one, OFFICER, NOW).version
    for who in (APPROVER, second):
        assert tickets.possible(one, who) == ()
        with pytest.raises(NotAllowed, match="liaocheng_gas"):
            tickets.move(one, "sign", who, version, NOW)


def test_who_works_on_a_request_about_anothers_data_reads_the_record_without_numbers_of_persons(
    tickets: Tickets,
) -> None:
    number = "11010519491231002X"
    asked = tickets.requested(replace(CORRECTION, record=f"张三，{number}"), ASKER, NOW)
    moved(tickets, asked, "confirm:officer dispatch:officer transfer:officer", NOW, provider="hotline_12345")
    worker = replace(APPROVER, department="hotline_12345")
    masked = tickets.ticket(asked, worker, NOW).record
    assert masked.startswith("张三，1101") and number not in masked and "19491231" not in masked
    for who in (APPROVER, ASKER, OFFICER):
        assert tickets.ticket(asked, who, NOW).record == f"张三，{number}"
    assert tickets.ticket(asked, LEADER, NOW).record == ""


@pytest.mark.parametrize("provider", ["no_such_department", "", "bureau", "civil_affairs"])
def test_a_ticket_is_not_transferred_to_an_unknown_department(tickets: Tickets, one: str, provider: str) -> None:
    for way in ("transfer:officer", "dispute:approver uphold_dispute:officer"):
        with pytest.raises(PolicyRefusal, match=r"可以是：.*hotline_12345|已是责任单位|须写明"):
            moved(tickets, one, way, NOW, provider=provider, ground="not_ours")


@pytest.mark.parametrize(("until", "is_granted"), [("2026-07-11", True), ("2026-07-12", False), ("9999-12-31", False)])
def test_a_waiver_has_a_longest_time(tickets: Tickets, one: str, until: str, is_granted: bool) -> None:
    if is_granted:
        assert moved(tickets, one, "waive:officer", NOW, until=until) == "waived"
        return
    with pytest.raises(PolicyRefusal, match="豁免最长 180 天；截止日请填写 2026-07-11 或以前"):
        moved(tickets, one, "waive:officer", NOW, until=until)


def test_a_waiver_ends_by_its_day_and_its_time_does_not_count(tickets: Tickets, one: str) -> None:
    moved(tickets, one, "sign:reporter waive:officer", NOW, until="2026-01-30")
    assert tickets.waivers_expired(at("2026-01-30", 23)) == ()
    assert tickets.waivers_expired(at("2026-01-31", 1)) == (one,)
    seen = tickets.ticket(one, OFFICER, at("2026-01-31", 1))
    assert (seen.state, seen.reopened) == ("reopened", 0) and seen.clock and seen.clock.net == 0
    assert tickets.waivers_expired(at("2026-02-01")) == ()
    assert tickets.events(one, OFFICER)[-1].facts == {"until": "2026-01-30"}


def test_a_waived_ticket_closes_where_it_is_proven_and_stays_waived_where_not(tickets: Tickets, one: str) -> None:
    moved(tickets, one, "sign:reporter waive:officer", NOW)
    part = tickets.rechecked(one, [replace(WHOLE, mended=9, remaining=1)], NOW)
    assert (part.ticket.state, part.ticket.remaining_rows) == ("waived", 1)
    assert tickets.rechecked(one, [replace(WHOLE, delivery="divisions-3")], NOW).is_closed
    assert tickets.waivers_expired(at("2027-01-01")) == ()


def test_what_was_suspended_goes_on_where_it_stood(tickets: Tickets, one: str) -> None:
    moved(tickets, one, "sign:reporter start:reporter suspend:officer", at("2026-01-13"))
    assert moved(tickets, one, "resume:officer", at("2026-01-20")) == "fixing"
    seen = tickets.ticket(one, OFFICER, at("2026-01-20"))
    assert seen.clock and (seen.clock.net, seen.clock.gross) == (1, 6)
    assert seen.clock.due_at == at("2026-02-02", 24) - timedelta(seconds=1)


def test_an_extension_moves_the_end_and_a_correction_request_has_none(tickets: Tickets, one: str) -> None:
    moved(tickets, one, "extend:officer", NOW, days=2)
    seen = tickets.ticket(one, OFFICER, NOW)
    assert seen.clock and seen.clock.due_at == at("2026-01-28", 24) - timedelta(seconds=1)
    with pytest.raises(PolicyRefusal, match="还可延长 3"):
        moved(tickets, one, "extend:officer", NOW, days=4)
    asked = tickets.requested(CORRECTION, ASKER, NOW)
    moved(tickets, asked, "confirm:officer dispatch:officer sign:reporter", NOW)
    with pytest.raises(PolicyRefusal, match="C8 没有规定延期"):
        moved(tickets, asked, "extend:officer", NOW)


def test_a_correction_request_runs_from_receipt_and_is_answered_and_confirmed(tickets: Tickets) -> None:
    asked = tickets.requested(CORRECTION, ASKER, NOW)
    assert tickets.requested(CORRECTION, ASKER, NOW) == asked
    seen = tickets.ticket(asked, ASKER, NOW)
    assert seen.clock and (seen.label, seen.clock.policy) == ("已提交", "C8")
    moved(tickets, asked, "confirm:officer dispatch:officer sign:reporter start:reporter answer:approver", NOW)
    answered = tickets.ticket(asked, ASKER, NOW)
    assert answered.clock and (answered.label, answered.clock.state) == ("已反馈", "stopped")
    with pytest.raises(NotAllowed, match="须由 market_regulation 办理"):
        tickets.move(asked, "accept", APPROVER, answered.version, NOW, facts={"confirmation": "好"})
    assert moved(tickets, asked, "accept:asker", NOW) == "closed"
    assert tickets.requested(CORRECTION, ASKER, NOW) != asked


def test_a_correction_request_may_be_unfounded_contested_and_decided(tickets: Tickets) -> None:
    asked = tickets.requested(CORRECTION, ASKER, NOW)
    way = "confirm:officer dispatch:officer sign:reporter start:reporter find_unfounded:approver contest:asker"
    assert moved(tickets, asked, way, NOW) == "contested"
    assert moved(tickets, asked, "uphold_contest:officer", at("2026-01-14")) == "fixing"
    seen = tickets.ticket(asked, OFFICER, at("2026-01-14"))
    assert seen.clock and (seen.clock.state, seen.clock.started_at) == ("running", at("2026-01-14"))


def test_a_correction_request_may_also_close_by_proof(tickets: Tickets) -> None:
    asked = tickets.requested(CORRECTION, ASKER, NOW)
    proof = replace(WHOLE, rule_version="", checked=1, mended=0, remaining=1)
    assert tickets.rechecked(asked, [proof], NOW).ticket.remaining_rows == 1
    assert tickets.rechecked(asked, [replace(proof, mended=1, remaining=0)], NOW).is_closed


def test_a_request_is_made_in_the_name_of_the_own_department(tickets: Tickets) -> None:
    with pytest.raises(NotAllowed, match="只能以本部门"):
        tickets.requested(CORRECTION, STRANGER, NOW)


@pytest.mark.parametrize(
    ("actor", "event", "facts", "refusal"),
    [
        (LEADER, "sign", {}, (NotAllowed, "「督办领导」不能「签收」；须由部门填报员、部门审核员办理")),
        (REPORTER, "dispute", {}, (NotAllowed, "须由部门审核员办理")),
        (APPROVER, "dispute", {"ground": "not_ours"}, (PolicyRefusal, "须写明理由、证据")),
        (
            APPROVER,
            "dispute",
            {"ground": "mood", "reason": "x", "evidence": "y"},
            (PolicyRefusal, "申诉类型 mood 不适用于质检问题"),
        ),
        (OFFICER, "waive", {"reason": "x", "approver": "y", "until": "2026-01-11"}, (PolicyRefusal, "已过")),
        (OFFICER, "waive", {"reason": "x", "approver": "y", "until": "明天"}, (PolicyRefusal, "不是日期")),
        (OFFICER, "transfer", {"reason": "x", "provider": "civil_affairs"}, (PolicyRefusal, "已是责任单位")),
        (OFFICER, "extend", {"reason": "x", "approver": "y", "days": "3"}, (PolicyRefusal, "正整数")),
        (OFFICER, "supervise", {"reason": "x", "mood": "y"}, (PolicyRefusal, "不认识的事项 mood")),
        (OFFICER, "pass", {"proof": {"mended": 10}}, (NotAllowed, "只由系统在复核后办理")),
        (OFFICER, "start", {}, (InvalidTransition, "现在可以：签收（sign）")),
        (Actor("machine", "bureau", "x"), "pass", {"proof": {"mended": 10}}, (NotAllowed, "只由系统在复核后办理")),
    ],
)
def test_a_step_that_is_not_allowed_is_explained_in_chinese_and_changes_nothing(
    tickets: Tickets, one: str, actor: Actor, event: str, facts: dict[str, object], refusal: tuple[type[UserError], str]
) -> None:
    before = tickets.ticket(one, OFFICER, NOW)
    kind, said = refusal
    with pytest.raises(kind, match=said):
        tickets.move(one, event, actor, before.version, NOW, facts=facts)
    assert tickets.ticket(one, OFFICER, NOW) == before
    assert tickets.audit_verify().broken is None


def test_a_department_sees_only_its_own_tickets_in_every_query(tickets: Tickets, one: str) -> None:
    asked = tickets.requested(CORRECTION, ASKER, NOW)
    for actor, ids in ((APPROVER, {one, asked}), (ASKER, {asked}), (STRANGER, set()), (OFFICER, {one, asked})):
        for wanted in (TicketQuery(), TicketQuery(text="名称"), TicketQuery(provider="civil_affairs")):
            page = tickets.tickets(actor, wanted, NOW)
            assert {t.id for t in page.tickets} == ids and page.total == len(ids)
    for call in (
        lambda: tickets.ticket(one, STRANGER, NOW),
        lambda: tickets.events(one, STRANGER),
        lambda: tickets.comments(one, STRANGER),
        lambda: tickets.move(one, "sign", STRANGER, 2, NOW),
        lambda: tickets.commented(one, STRANGER, "x", NOW),
        lambda: tickets.ticket("T-999999", OFFICER, NOW),
    ):
        with pytest.raises(UserError, match="没有工单"):
            call()


def test_the_record_that_a_request_names_is_for_the_parties(tickets: Tickets) -> None:
    asked = tickets.requested(CORRECTION, ASKER, NOW)
    records = [tickets.ticket(asked, who, NOW).record for who in (ASKER, APPROVER, OFFICER, LEADER)]
    assert records == ["371502", "371502", "371502", ""]


def test_tickets_are_found_by_state_kind_dataset_text_and_page(tickets: Tickets) -> None:
    ids = tickets.found([replace(ISSUE, field=f"f{n}", dataset=f"d{n % 2}") for n in range(5)], NOW)
    moved(tickets, ids[0], "sign:reporter", NOW)
    tickets.rechecked(ids[1], [WHOLE], NOW)

    def found(**wanted: object) -> list[str]:
        return [t.id for t in tickets.tickets(OFFICER, TicketQuery(**wanted), NOW).tickets]  # type: ignore[arg-type]

    assert found(states=["signed_for"]) == [ids[0]]
    assert found(is_open=True) == [ids[4], ids[3], ids[2], ids[0]]
    assert found(dataset="d1") == [ids[3], ids[1]]
    assert found(text="F4") == [ids[4]] and found(text="100%_") == []
    assert found(kind="correction") == []
    assert found(page=2, size=2) == [ids[2], ids[1]]
    assert tickets.tickets(OFFICER, TicketQuery(page=3, size=2), NOW).total == 5


def test_overdue_are_expired_clocks_but_not_paused_ones(tickets: Tickets) -> None:
    late, paused, paused_late, done = tickets.found([replace(ISSUE, field=f"f{n}") for n in range(4)], NOW)

    def overdue(day: str) -> set[str]:
        return {t.id for t in tickets.tickets(OFFICER, TicketQuery(is_overdue=True), at(day)).tickets}

    moved(tickets, paused, "suspend:officer", at("2026-01-20"))
    tickets.rechecked(done, [WHOLE], at("2026-01-20"))
    assert overdue("2026-01-26") == set()
    moved(tickets, paused_late, "suspend:officer", at("2026-02-03"))
    assert overdue("2026-02-04") == {late, paused_late}
    for ticket in (late, paused, paused_late, done):
        seen = tickets.ticket(ticket, OFFICER, at("2026-02-04"))
        assert seen.clock and seen.clock.is_overdue == (ticket in (late, paused_late))


def test_of_two_concurrent_steps_one_wins_and_the_other_names_it(tickets: Tickets, one: str) -> None:
    start, version = Barrier(2), tickets.ticket(one, OFFICER, NOW).version

    def sign(actor: Actor) -> str:
        start.wait()
        try:
            return tickets.move(one, "sign", actor, version, NOW).state
        except Overtaken as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(sign, (REPORTER, APPROVER)))
    (lost,) = [words for words in told if words != "signed_for"]
    winner = (REPORTER, APPROVER)[told.index("signed_for")]
    assert f"已由{winner.name}（civil_affairs" in lost and "现为「已签收」" in lost and "请刷新" in lost
    assert [e.event for e in tickets.events(one, OFFICER)] == ["open", "dispatch", "sign"]


def test_eight_concurrent_writers_leave_one_valid_chain_and_no_duplicate_ticket(tickets: Tickets) -> None:
    def work(number: int) -> tuple[str, ...]:
        return tickets.found([replace(ISSUE, field=f"f{n}", delivery=f"d{number % 2}") for n in range(4)], NOW)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(work, range(8)))
    assert len({ids for ids in told}) == 1 and len(set(told[0])) == 4
    audit = tickets.audit_verify()
    assert audit.broken is None and audit.events == 4 * 3, "open, dispatch, and one further delivery each"


def test_a_comment_is_recorded_and_changes_no_version(tickets: Tickets, one: str) -> None:
    version = tickets.ticket(one, OFFICER, NOW).version
    tickets.commented(one, REPORTER, "导出脚本漏了一列", NOW)
    assert [(e.name, text) for e, text in tickets.comments(one, OFFICER)] == [("张三", "导出脚本漏了一列")]
    assert tickets.move(one, "sign", REPORTER, version, NOW).state == "signed_for"
    for actor, text, kind in ((Actor("analyst", "x", "y"), "x", NotAllowed), (REPORTER, " ", PolicyRefusal)):
        with pytest.raises(kind):
            tickets.commented(one, actor, text, NOW)


def test_every_fact_that_a_step_needs_is_in_the_example_of_the_tests() -> None:
    needed = {fact for step in Tickets.state_machine().steps if not step.internal for fact in step.requires}
    assert needed <= set(STATED)


def test_what_ran_out_of_time_is_escalated_once_a_clock(tickets: Tickets, one: str) -> None:
    assert tickets.overdue_escalated(at("2026-01-26")) == ()
    assert tickets.overdue_escalated(at("2026-01-27")) == (one,)
    assert tickets.overdue_escalated(at("2026-01-28")) == ()
    moved(tickets, one, "transfer:officer", at("2026-01-28"))
    assert tickets.overdue_escalated(at("2026-02-11")) == ()
    assert tickets.overdue_escalated(at("2026-03-11")) == (one,)
    escalations = [e for e in tickets.events(one, OFFICER) if e.event == "escalate"]
    assert [e.facts["reason"] for e in escalations] == ["超过办理时限"] * 2


def test_paused_or_unassigned_tickets_are_not_escalated(tickets: Tickets, one: str) -> None:
    moved(tickets, one, "suspend:officer", at("2026-01-13"))
    tickets.requested(CORRECTION, ASKER, NOW)
    assert tickets.overdue_escalated(at("2026-03-11")) == ()
