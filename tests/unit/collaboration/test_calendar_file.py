"""A calendar that an operator loads: stored, applied to existing due days, and recorded."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from jobs.collaboration.calendar_file import load_year
from jobs.collaboration.tickets import Tickets
from jobs.model.actor import Actor
from tests.unit.collaboration.samples import ISSUE, OFFICER, WHOLE, at, moved
from tests.unit.collaboration.test_working_days import YEAR_2027

OPERATOR = Actor("operator", "bureau", "吴十")
NOW = at("2026-12-25")


@pytest.fixture
def year_file(tmp_path: Path) -> Path:
    file = tmp_path / "2027.yaml"
    file.write_text(YEAR_2027, "utf-8")
    return file


def test_a_loaded_year_moves_due_days_that_stand_and_makes_them_firm(tickets: Tickets, year_file: Path) -> None:
    firm, running, done = tickets.found(
        [replace(ISSUE, field="f", error_class="feed_down"), ISSUE, replace(ISSUE, field="g")], NOW
    )
    tickets.rechecked(done, [WHOLE], NOW)
    before = tickets.ticket(running, OFFICER, NOW).clock
    assert before and before.is_provisional and before.due_at == at("2027-01-08", 24) - timedelta(seconds=1)
    later = at("2027-01-25")
    (long,) = tickets.found([replace(ISSUE, field="h")], later)
    assert tickets.calendar_loaded(load_year(year_file), OPERATOR, later) == 2
    first = tickets.ticket(running, OFFICER, later).clock
    assert first and not first.is_provisional and first.due_at == at("2027-01-11", 24) - timedelta(seconds=1)
    after = tickets.ticket(long, OFFICER, later).clock
    assert after and not after.is_provisional and after.due_at == at("2027-02-13", 24) - timedelta(seconds=1)
    assert [e.event for e in tickets.events(long, OFFICER)] == ["open", "dispatch", "retime"]
    assert tickets.events(long, OFFICER)[-1].effects["due"] == after.due_at.isoformat()
    assert tickets.audit_verify().broken is None
    still = tickets.ticket(firm, OFFICER, later).clock
    assert still and still.due_at == at("2026-12-28", 24) - timedelta(seconds=1)


def test_a_loaded_year_is_there_for_what_comes_later_and_may_be_loaded_twice(tickets: Tickets, year_file: Path) -> None:
    for _ in range(2):
        assert tickets.calendar_loaded(load_year(year_file), OPERATOR, NOW) == 0
    assert 2027 in tickets.calendar().years and not tickets.calendar().is_working(date(2027, 2, 8))
    (one,) = tickets.found([ISSUE], at("2027-01-25"))
    seen = tickets.ticket(one, OFFICER, at("2027-01-25")).clock
    assert seen and not seen.is_provisional


def test_a_paused_clock_is_reckoned_anew_too(local_tickets: Tickets, year_file: Path) -> None:
    (one,) = local_tickets.found([ISSUE], at("2027-01-25"))
    moved(local_tickets, one, "suspend:officer", at("2027-01-26"))
    assert local_tickets.calendar_loaded(load_year(year_file), OPERATOR, at("2027-01-27")) == 1
