"""What people ask of tickets: what waits for them, what is due first, which steps they may take, how many there are."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from jobs.collaboration.state_machine_file import state_machine
from jobs.collaboration.ticket_queries import TicketCounts, TicketQuery
from jobs.collaboration.tickets import Tickets
from jobs.errors import Unknown
from jobs.model.actor import Actor
from tests.unit.collaboration.samples import (
    APPROVER,
    ASKER,
    CORRECTION,
    ISSUE,
    LEADER,
    OFFICER,
    REPORTER,
    STRANGER,
    WHOLE,
    at,
    moved,
)

NOW = at("2026-01-12")
MINE = TicketQuery(is_mine=True)


def waiting(tickets: Tickets, actor: Actor) -> tuple[str, ...]:
    return tuple(one.id for one in tickets.tickets(actor, MINE, NOW).tickets)


@pytest.mark.parametrize(
    ("kind", "state", "who"),
    [
        ("issue", "dispatched", "provider"),
        ("issue", "reopened", "provider"),
        ("issue", "disputed", "officer"),
        ("issue", "suspended", "officer"),
        ("issue", "waived", "nobody"),
        ("issue", "closed", "nobody"),
        ("correction", "found", "officer"),
        ("correction", "answered", "requester"),
        ("correction", "contested", "officer"),
        ("correction", "unfounded", "nobody"),
    ],
)
def test_the_machine_says_who_has_to_act_next(kind: str, state: str, who: str) -> None:
    assert state_machine().waits_for(kind, state) == who


def test_a_ticket_waits_for_one_side_at_a_time(tickets: Tickets) -> None:
    one = tickets.requested(CORRECTION, ASKER, NOW)
    sides = (APPROVER, ASKER, OFFICER)
    assert [waiting(tickets, side) for side in sides] == [(), (), (one,)]
    moved(tickets, one, "confirm:officer dispatch:officer", NOW)
    assert [waiting(tickets, side) for side in sides] == [(one,), (), ()]
    moved(tickets, one, "sign:reporter start:reporter answer:approver", NOW)
    assert [waiting(tickets, side) for side in sides] == [(), (one,), ()]
    assert waiting(tickets, LEADER) == waiting(tickets, STRANGER) == ()


def test_what_waits_is_counted_as_it_is_listed(tickets: Tickets) -> None:
    tickets.found([ISSUE, replace(ISSUE, field="b"), replace(ISSUE, field="c")], NOW)
    tickets.requested(CORRECTION, ASKER, NOW)
    overdue, later = TicketQuery(is_overdue=True), NOW + timedelta(days=30)
    for actor in (APPROVER, REPORTER, ASKER, OFFICER, LEADER, STRANGER):
        assert tickets.count(actor, MINE, NOW) == len(waiting(tickets, actor))
        assert tickets.count(actor, overdue, later) == tickets.tickets(actor, overdue, later).total
    assert tickets.count(APPROVER, MINE, NOW) == 3 and tickets.count(LEADER, overdue, later) > 0


def test_what_waits_for_a_department_is_found_by_the_index_of_its_side(tickets: Tickets) -> None:
    tickets.found([ISSUE], NOW)
    engine = tickets.database._engine
    if engine.dialect.name != "sqlite":
        pytest.skip("SQLite says in words how it will search")
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_more: Any) -> None:
        asked.extend([(statement, values)] if "count(" in statement else [])

    event.listen(engine, "before_cursor_execute", note)
    try:
        tickets.count(APPROVER, MINE, NOW)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    ((statement, values),) = asked
    with engine.connect() as connection:
        plan = [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert not [step for step in plan if step.startswith("SCAN ticket")]
    assert [step for step in plan if "ix_ticket_provider_state" in step]


def test_what_is_due_soonest_comes_first_and_what_has_no_clock_last(tickets: Tickets) -> None:
    late, core = tickets.found([replace(ISSUE, field="late"), replace(ISSUE, field="core", core=True)], NOW)
    ended = tickets.found([replace(ISSUE, field="ended")], NOW)[0]
    moved(tickets, ended, "suspend:officer", NOW)
    page = tickets.tickets(APPROVER, TicketQuery(order="due"), NOW)
    assert [one.id for one in page.tickets] == [core, late, ended]
    assert [one.clock.left() for one in page.tickets if one.clock] == [5, 10, 10]


def test_time_that_ran_out_is_less_than_nothing(tickets: Tickets) -> None:
    (one,) = tickets.found([ISSUE], NOW)
    clock = tickets.ticket(one, APPROVER, NOW + timedelta(days=16)).clock
    assert clock and clock.is_overdue and (clock.length, clock.left()) == (10, -2)


def test_steps_that_are_possible_are_those_that_the_machine_would_take(tickets: Tickets) -> None:
    (one,) = tickets.found([ISSUE], NOW)
    assert [s.event for s in tickets.possible(one, REPORTER)] == ["sign", "ask_extension"]
    assert [s.event for s in tickets.possible(one, APPROVER)] == ["sign", "dispute", "ask_extension"]
    assert {s.event for s in tickets.possible(one, OFFICER)} >= {"waive", "transfer", "extend", "suspend"}
    assert [s.event for s in tickets.possible(one, LEADER)] == ["supervise"]
    with pytest.raises(Unknown):
        tickets.possible(one, STRANGER)


def test_a_dispute_is_decided_by_its_own_ground(tickets: Tickets) -> None:
    (one,) = tickets.found([ISSUE], NOW)
    moved(tickets, one, "dispute:approver", NOW, ground="not_ours")
    (upheld,) = [s for s in tickets.possible(one, OFFICER) if s.event == "uphold_dispute"]
    assert upheld.to == "dispatched" and "provider" in upheld.requires


def test_standings_tell_where_failing_rows_are(tickets: Tickets) -> None:
    (one,) = tickets.found([ISSUE], NOW)
    tickets.found([replace(ISSUE, delivery="divisions-2", failed_rows=3, known_rows=3)], NOW)
    tickets.rechecked(one, [replace(WHOLE, of="divisions-1", mended=7, remaining=3, rows_left=0)], NOW)
    seen = tickets.ticket_deliveries(one, APPROVER)
    assert [(s.delivery, s.remaining_rows, s.replaced_by) for s in seen] == [
        ("divisions-1", 0, "divisions-2"),
        ("divisions-2", 3, None),
    ]
    with pytest.raises(Unknown):
        tickets.ticket_deliveries(one, STRANGER)


def test_counts_include_what_the_actor_may_see(tickets: Tickets) -> None:
    tickets.found([ISSUE, replace(ISSUE, field="x"), replace(ISSUE, provider="liaocheng_gas", dataset="gas")], NOW)
    later = NOW + timedelta(days=30)
    assert tickets.ticket_counts(OFFICER, later) == {
        "civil_affairs": TicketCounts(2, 2),
        "liaocheng_gas": TicketCounts(1, 1),
    }
    assert tickets.ticket_counts(STRANGER, NOW) == {"liaocheng_gas": TicketCounts(1, 0)}
