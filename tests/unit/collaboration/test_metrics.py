"""Metrics of the loop from events alone, compared with values computed by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from jobs.collaboration.metrics import LoopMetrics
from jobs.collaboration.snapshots import Cutoff
from jobs.collaboration.tickets import Tickets
from jobs.errors import UserError
from tests.unit.collaboration.samples import (
    APPROVER,
    ASKER,
    CORRECTION,
    ISSUE,
    LEADER,
    OFFICER,
    STRANGER,
    WHOLE,
    at,
    moved,
)

SINCE, UNTIL = at("2026-01-31", 24), at("2026-02-28", 23)
# Issues of 12 January are due on the 26th, of 2 February on Saturday the 14th, which is worked; of the 6th on the 27th.


def issue(tickets: Tickets, field: str, day: str, **changes: object) -> str:
    return tickets.found([replace(ISSUE, field=field, delivery=f"d-{day}", **changes)], at(day))[0]  # type: ignore[arg-type]


def mended(tickets: Tickets, ticket: str, day: str) -> None:
    assert tickets.rechecked(ticket, [replace(WHOLE, delivery=f"again-{day}")], at(day)).is_closed


@pytest.fixture
def february(tickets: Tickets) -> tuple[Tickets, dict[str, str]]:
    """One ticket for each thing that can happen to it in February."""
    t = tickets
    days = {"early": "2026-01-12", "late": "2026-01-12", "gone": "2026-01-12"}
    ids = {name: issue(t, name, day) for name, day in days.items()}
    mended(t, ids["gone"], "2026-01-15")
    feb = ("in_time", "second_try", "open", "wrong_rule", "right_value", "not_ours", "waived", "back", "young")
    ids |= {name: issue(t, name, "2026-02-02" if name != "young" else "2026-02-27") for name in feb}
    mended(t, ids["early"], "2026-01-20")
    mended(t, ids["late"], "2026-02-03")
    mended(t, ids["in_time"], "2026-02-04")
    t.rechecked(ids["second_try"], [replace(WHOLE, mended=4, remaining=6)], at("2026-02-05"))
    mended(t, ids["second_try"], "2026-02-09")
    for name, ground in (
        ("wrong_rule", "rule_false_positive"),
        ("right_value", "source_right"),
        ("not_ours", "not_ours"),
    ):
        moved(t, ids[name], "dispute:approver uphold_dispute:officer", at("2026-02-06"), ground=ground)
    moved(t, ids["waived"], "waive:officer", at("2026-02-06"))
    mended(t, ids["back"], "2026-02-03")
    issue(t, "back", "2026-02-10")
    return t, ids


def of(february: tuple[Tickets, dict[str, str]]) -> tuple[LoopMetrics, dict[str, str]]:
    names = {ticket: name for name, ticket in february[1].items()}
    return february[0].metrics(OFFICER, SINCE, UNTIL), names


def test_shares_are_as_counted_by_hand(february: tuple[Tickets, dict[str, str]]) -> None:
    found, names = of(february)
    told = {s.name: ([names[i] for i in s.part], [names[i] for i in s.whole], s.value) for s in found.shares}
    due = ["in_time", "second_try", "open", "not_ours", "back"]
    assert told["mended_in_time"] == (["in_time", "second_try", "back"], due, 3 / 5)
    assert told["mended"] == (["in_time", "second_try", "back", "late"], [*due, "late"], 4 / 6)
    closed = ["late", "in_time", "second_try", "back"]
    assert told["first_pass"] == (["late", "in_time", "back"], closed, 3 / 4)
    assert told["recurred"] == (["back"], closed, 1 / 4)
    sent = ["in_time", "second_try", "open", "wrong_rule", "right_value", "not_ours", "waived", "back", "young"]
    assert told["false_alarms"] == (["wrong_rule", "right_value"], sent, 2 / 9)
    assert told["corrections_in_time"] == ([], [], None)


def test_stock_reconciles_and_names_its_tickets(february: tuple[Tickets, dict[str, str]]) -> None:
    found, names = of(february)
    stock = {k: sorted(names[i] for i in getattr(found.stock, k)) for k in ("opening", "new", "closed", "closing")}
    assert stock["opening"] == ["late"]
    assert stock["new"].count("back") == 2 and len(stock["new"]) == 10
    assert stock["closed"] == ["back", "in_time", "late", "right_value", "second_try", "wrong_rule"]
    assert stock["closing"] == ["back", "not_ours", "open", "waived", "young"]
    assert found.stock.is_reconciled()


def test_durations_are_working_days_with_and_without_pauses(tickets: Tickets) -> None:
    t = tickets
    for number, day in enumerate(("2026-02-03", "2026-02-04", "2026-02-05", "2026-02-06", "2026-02-09")):
        ticket = issue(t, f"f{number}", "2026-02-02")
        if number == 4:
            moved(t, ticket, "suspend:officer", at("2026-02-03"))
            moved(t, ticket, "resume:officer", at("2026-02-05"))
        mended(t, ticket, day)
    found = t.metrics(OFFICER, SINCE, UNTIL).durations
    assert (found.mean, found.median, found.p90, found.net_mean) == (3, 3, 5, 2.6)
    assert len(found.tickets) == 5


def test_correction_requests_are_in_time_where_they_were_answered_by_their_due_day(tickets: Tickets) -> None:
    t = tickets
    way = "confirm:officer dispatch:officer sign:reporter start:reporter"
    ends = {"a": ("answer:approver", "2026-02-14"), "b": ("find_unfounded:approver", "2026-02-16"), "c": ("", "")}
    ids = {}
    for name, (end, day) in ends.items():
        ids[name] = t.requested(replace(CORRECTION, record=name), ASKER, at("2026-02-02"))
        moved(t, ids[name], way, at("2026-02-02"))
        if end:
            moved(t, ids[name], end, at(day))
    share = t.metrics(OFFICER, SINCE, UNTIL).share("corrections_in_time")
    assert (share.part, share.whole) == ((ids["a"],), tuple(ids.values()))


def test_numbers_of_a_cut_off_time_do_not_change_later(february: tuple[Tickets, dict[str, str]]) -> None:
    t, ids = february
    before = t.metrics(OFFICER, SINCE, UNTIL)
    mended(t, ids["open"], "2026-03-02")
    moved(t, ids["waived"], "lift_waiver:officer", at("2026-03-02"))
    assert t.metrics(OFFICER, SINCE, UNTIL) == before


def test_a_department_gets_its_own_numbers(february: tuple[Tickets, dict[str, str]]) -> None:
    t, ids = february
    own = t.metrics(APPROVER, SINCE, UNTIL)
    assert ids["not_ours"] not in own.stock.closing and ids["open"] in own.stock.closing
    assert t.metrics(OFFICER, SINCE, UNTIL, provider="hotline_12345").stock.closing == (ids["not_ours"],)
    empty = t.metrics(STRANGER, SINCE, UNTIL)
    assert [share.value for share in empty.shares] == [None] * 6
    assert (empty.durations.mean, empty.durations.p90, empty.stock.closing) == (None, None, ())
    assert t.metrics(LEADER, SINCE, UNTIL) == t.metrics(OFFICER, SINCE, UNTIL)


def test_a_snapshot_tells_what_all_events_tell_and_stays_at_its_event(february: tuple[Tickets, dict[str, str]]) -> None:
    t, ids = february
    since, until = at("2026-02-01", 0), at("2026-02-28", 24)
    cut = Cutoff(at("2026-01-01", 0), since, until)
    first, step = t.loop(cut), timedelta(microseconds=1)
    for provider, found in first.now.items():
        assert found == t.metrics(OFFICER, since - step, until - step, provider)
    assert first.before[""] == t.metrics(OFFICER, at("2026-01-01", 0) - step, since - step)
    assert (first.seq, first.hash) == (t.audit_verify().seq, t.audit_verify().head)
    mended(t, ids["open"], "2026-03-02")
    t.found([replace(ISSUE, field="late to the chain")], at("2026-02-20"))
    assert t.loop(replace(cut, seq=first.seq)) == first
    assert t.loop(cut).now[""].stock.new != first.now[""].stock.new


def test_a_snapshot_names_tickets_without_records_and_people(tickets: Tickets) -> None:
    t = tickets
    asked = t.requested(replace(CORRECTION, message="某人的名称写错"), ASKER, at("2026-02-02"))
    brief = t.loop(Cutoff(at("2026-01-01", 0), at("2026-02-01", 0), at("2026-02-28", 24))).summaries[asked]
    assert (brief.message, brief.label, brief.is_found, brief.is_overdue) == ("校核申请", "已提交", False, True)
    assert CORRECTION.record not in repr(brief) and ASKER.name not in repr(brief)


def test_a_snapshot_of_an_event_that_is_not_there_is_refused(tickets: Tickets) -> None:
    with pytest.raises(UserError, match="第 7 条事件"):
        tickets.loop(Cutoff(at("2026-01-01"), at("2026-02-01"), at("2026-03-01"), seq=7))
