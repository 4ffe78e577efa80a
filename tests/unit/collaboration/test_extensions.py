"""More time: asked for by a department, granted or refused by the officer, while the clock runs; on both databases."""

from dataclasses import replace

import pytest

from jobs.collaboration.ticket_queries import TicketQuery
from jobs.collaboration.tickets import Tickets
from jobs.errors import InvalidTransition, PolicyRefusal
from tests.unit.collaboration.samples import ASKER, CORRECTION, ISSUE, OFFICER, WHOLE, ZONE, at, moved

NOW = at("2026-01-12")


def due_day(tickets: Tickets, ticket: str) -> str:
    clock = tickets.ticket(ticket, OFFICER, NOW).clock
    assert clock and clock.state == "running"
    return str(clock.due_at.astimezone(ZONE).date())


@pytest.mark.parametrize(("way", "before"), [("", "dispatched"), ("sign:reporter start:reporter", "fixing")])
def test_a_department_asks_for_more_time_and_the_clock_runs_until_the_officer_decides(
    tickets: Tickets, one: str, way: str, before: str
) -> None:
    moved(tickets, one, way, NOW)
    assert moved(tickets, one, "ask_extension:reporter", NOW, days=3) == "extension_asked"
    assert due_day(tickets, one) == "2026-01-26"
    assert one in [t.id for t in tickets.tickets(OFFICER, TicketQuery(is_mine=True), NOW).tickets]
    assert moved(tickets, one, "refuse_extension:officer", NOW) == before
    assert due_day(tickets, one) == "2026-01-26"
    assert moved(tickets, one, "ask_extension:approver grant_extension:officer", NOW, days=3) == before
    assert due_day(tickets, one) == "2026-01-29"
    with pytest.raises(PolicyRefusal, match="还可延长 2"):
        moved(tickets, one, "ask_extension:approver", NOW, days=3)
    assert [e.event for e in tickets.events(one, OFFICER)][-4:] == [
        "ask_extension", "refuse_extension", "ask_extension", "grant_extension",
    ]  # fmt: skip


def test_more_time_is_asked_for_before_the_time_is_over_and_only_where_the_policy_gives_some(
    tickets: Tickets, one: str
) -> None:
    with pytest.raises(PolicyRefusal, match="时限已过"):
        moved(tickets, one, "ask_extension:approver", at("2026-01-27"))
    down = tickets.found([replace(ISSUE, field="x", error_class="feed_down")], NOW)[0]
    with pytest.raises(PolicyRefusal, match="没有规定延期"):
        moved(tickets, down, "ask_extension:approver", NOW)
    asked = tickets.requested(CORRECTION, ASKER, NOW)
    moved(tickets, asked, "confirm:officer dispatch:officer", NOW)
    with pytest.raises(InvalidTransition, match="不能「申请延期」"):
        moved(tickets, asked, "ask_extension:approver", NOW)


def test_a_redelivery_is_rechecked_while_more_time_is_asked_for(tickets: Tickets, one: str) -> None:
    moved(tickets, one, "sign:reporter ask_extension:approver", NOW)
    part = tickets.rechecked(one, [replace(WHOLE, mended=9, remaining=1)], NOW)
    assert (part.ticket.state, part.ticket.remaining_rows) == ("extension_asked", 1), "the request stays"
    assert tickets.rechecked(one, [replace(WHOLE, delivery="divisions-3")], NOW).is_closed


def test_an_undecided_ticket_is_escalated_when_overdue(tickets: Tickets, one: str) -> None:
    moved(tickets, one, "ask_extension:approver", NOW)
    assert tickets.overdue_escalated(at("2026-01-27")) == (one,)
