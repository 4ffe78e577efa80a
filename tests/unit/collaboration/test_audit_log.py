"""The chain of events: any change to what happened is noticed, and the first event that does not fit is named."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from jobs.collaboration import audit_log
from jobs.collaboration.audit_log import EventDraft
from jobs.collaboration.ticket_tables import ChainRow, CommentRow, EventRow, TicketRow
from jobs.collaboration.tickets import Tickets
from jobs.model.actor import SYSTEM
from tests.unit.collaboration.samples import ISSUE, REPORTER, WHOLE, at, moved

NOW = at("2026-01-12")


@pytest.fixture
def filled(tickets: Tickets) -> Tickets:
    """Seven events of two tickets: open, dispatch, open, dispatch, sign, comment, pass."""
    one, two = tickets.found([ISSUE, replace(ISSUE, field="code")], NOW)
    moved(tickets, one, "sign:reporter", NOW)
    tickets.commented(one, REPORTER, "在改", NOW)
    tickets.rechecked(two, [WHOLE], NOW)
    return tickets


def changed(tickets: Tickets, change: Callable[[Session], object]) -> None:
    with tickets.database.session() as session:
        change(session)


def values(seq: int, **changes: object) -> Callable[[Session], object]:
    return lambda session: session.execute(update(EventRow).where(EventRow.seq == seq).values(**changes))


def test_an_untouched_chain_is_valid(filled: Tickets) -> None:
    audit = filled.audit_verify()
    assert (audit.events, audit.seq, audit.broken, audit.reason) == (7, 7, None, "")
    assert filled.audit_verify((audit.seq, audit.head)).broken is None


@pytest.mark.parametrize(
    "changes",
    [
        {"at": at("2026-01-11")},
        {"event": "start"},
        {"source": "found"},
        {"target": "fixing"},
        {"role": "leader"},
        {"department": "x"},
        {"name": "x"},
        {"facts": {"reason": "x"}},
        {"effects": {}},
        {"ticket": "T-000002"},
    ],
    ids=lambda d: next(iter(d)),
)
def test_a_changed_event_is_named(filled: Tickets, changes: dict[str, object]) -> None:
    changed(filled, values(5, **changes))
    audit = filled.audit_verify()
    assert audit.broken == 5 and "被改动" in audit.reason


def test_an_event_that_is_missing_is_named(filled: Tickets) -> None:
    changed(filled, lambda s: s.execute(delete(EventRow).where(EventRow.seq == 4)))
    audit = filled.audit_verify()
    assert (audit.broken, audit.reason) == (5, "第 4 条事件缺失")


def test_an_event_with_a_hash_made_to_fit_breaks_the_next_one(filled: Tickets) -> None:
    def forge(session: Session) -> None:
        row = session.get(EventRow, 3)
        assert row is not None
        row.name = "别人"
        row.hash = audit_log._hash(row)

    changed(filled, forge)
    audit = filled.audit_verify()
    assert audit.broken == 4 and "不相接" in audit.reason


def test_an_end_that_is_cut_off_is_noticed(filled: Tickets) -> None:
    changed(filled, lambda s: s.execute(delete(EventRow).where(EventRow.seq == 7)))
    assert filled.audit_verify().broken == 7


def test_a_chain_that_is_written_anew_is_noticed_by_what_was_noted_before(filled: Tickets) -> None:
    noted = filled.audit_verify()

    def rewrite(session: Session) -> None:
        session.execute(delete(EventRow).where(EventRow.seq == 7))
        last = session.get(EventRow, 6)
        assert last is not None
        session.execute(update(ChainRow).values(seq=6, hash=last.hash))
        session.execute(update(TicketRow).where(TicketRow.id == "T-000002").values(state="dispatched"))

    changed(filled, rewrite)
    assert filled.audit_verify().broken is None, "nothing inside shows it"
    assert filled.audit_verify((noted.seq, noted.head)).broken == 7
    changed(
        filled,
        lambda s: audit_log.append(s, EventDraft("T-000002", "pass", "dispatched", "closed", {}, {}), SYSTEM, NOW),
    )
    audit = filled.audit_verify((noted.seq, noted.head))
    assert audit.broken == 7 and "重写" in audit.reason


def test_a_state_that_no_event_led_to_is_noticed(filled: Tickets) -> None:
    changed(filled, lambda s: s.execute(update(TicketRow).where(TicketRow.id == "T-000001").values(state="closed")))
    audit = filled.audit_verify()
    assert audit.ticket == "T-000001" and "状态与最后一条事件不符" in audit.reason


def test_a_comment_that_was_changed_is_noticed(filled: Tickets) -> None:
    changed(filled, lambda s: s.execute(update(CommentRow).values(text="没有改")))
    audit = filled.audit_verify()
    assert audit.broken == 6 and "留言" in audit.reason


def test_a_ticket_that_is_removed_with_all_its_events_is_noticed(local_tickets: Tickets) -> None:
    local_tickets.found([ISSUE, replace(ISSUE, field="code")], NOW)
    changed(local_tickets, lambda s: s.execute(delete(EventRow).where(EventRow.ticket == "T-000001")))
    assert local_tickets.audit_verify().reason == "第 1 条事件缺失"
