"""For any sequence of actions by people and lake: nothing closes without a proof, no clock is lost, the chain holds."""

import itertools
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Select, func, select

from jobs.access.roles import acts_for_department
from jobs.collaboration.ticket_tables import ClockRow, DisputeRow, WaiverRow
from jobs.collaboration.tickets import Tickets
from jobs.collaboration.working_days import package_calendar
from jobs.errors import UserError
from jobs.lake.database import Database
from jobs.model.proof import Proof
from tests.unit.collaboration.samples import ASKER, CORRECTION, ISSUE, OFFICER, PEOPLE, STATED, ZONE, at, owners
from tests.unit.conftest import KINDS, emptied

MACHINE = Tickets.state_machine()
DAYS = package_calendar()
EVENTS = sorted({step.event for step in MACHINE.steps})


class Loop(RuleBasedStateMachine):
    """An issue and a correction request in the hands of everybody at random."""

    fresh: Callable[[Path], str]
    """URL of an empty database, possibly a file in the folder."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="lake-tickets-")
        self.database = Database(type(self).fresh(Path(self.folder.name)))
        self.tickets = Tickets(self.database, owners, ZONE)
        self.now = at("2026-01-12")
        self.numbers = itertools.count(2)
        self.issue = self.tickets.found([ISSUE], self.now)[0]
        self.correction = self.tickets.requested(CORRECTION, ASKER, self.now)
        self.proven: set[str] = set()

    def teardown(self) -> None:
        assert self.tickets.audit_verify().broken is None
        self.database.close()
        self.folder.cleanup()

    def _ids(self) -> list[str]:
        return [self.issue, self.correction]

    @rule(days=st.integers(0, 20))
    def time_goes_by(self, days: int) -> None:
        self.now += timedelta(days=days)
        self.tickets.waivers_expired(self.now)

    @rule(
        which=st.integers(0, 1),
        event=st.sampled_from(EVENTS),
        who=st.sampled_from(PEOPLE),
        ground=st.sampled_from(sorted(MACHINE.grounds)),
    )
    def somebody_tries_anything(self, which: int, event: str, who: object, ground: str) -> None:
        self._try(self._ids()[which], event, who, ground)

    @rule(which=st.integers(0, 1), number=st.integers(0, 30), ground=st.sampled_from(sorted(MACHINE.grounds)))
    def somebody_takes_a_possible_step(self, which: int, number: int, ground: str) -> None:
        seen = self.tickets.ticket(self._ids()[which], OFFICER, self.now)
        steps = [s for s in MACHINE.steps_from(seen.kind, seen.state, ground) if not s.internal]
        if steps:
            step = steps[number % len(steps)]
            department = seen.provider if step.party == "provider" else seen.requester
            actors = [replace(p, department=department) if acts_for_department(p) else p for p in PEOPLE]
            self._try(seen.id, step.event, next(a for a in actors if a.role in step.roles), ground)

    @rule(granted=st.booleans())
    def more_time_is_asked_for_and_decided(self, granted: bool) -> None:
        seen = self.tickets.ticket(self.issue, OFFICER, self.now)
        asking = replace(PEOPLE[1], department=seen.provider)
        self._try(self.issue, "ask_extension", asking, "not_ours")
        asked = self.tickets.ticket(self.issue, OFFICER, self.now)
        if asked.state == "extension_asked":
            assert asked.clock == seen.clock or seen.state == "extension_asked"
            self._try(self.issue, "grant_extension" if granted else "refuse_extension", OFFICER, "not_ours")

    def _try(self, ticket: str, event: str, who: object, ground: str) -> None:
        before = self.tickets.ticket(ticket, OFFICER, self.now)
        until = str(self.now.date() + timedelta(days=10))
        facts = {**STATED, "ground": ground, "until": until}
        try:
            self.tickets.move(ticket, event, who, before.version, self.now, facts=facts)  # type: ignore[arg-type]
        except UserError:
            assert self.tickets.ticket(ticket, OFFICER, self.now) == before

    @rule(
        mended=st.integers(0, 10),
        absent=st.integers(0, 2),
        broken=st.integers(0, 1),
        version=st.sampled_from(["r1", "r2"]),
    )
    def a_redelivery_is_rechecked(self, mended: int, absent: int, broken: int, version: str) -> None:
        seen, remaining = self.tickets.ticket(self.issue, OFFICER, self.now), 10 - mended
        every = max(10, seen.remaining_rows)
        counts = (every + absent, every - remaining, remaining, absent, broken)
        proof = Proof(f"again-{next(self.numbers)}", version, *counts)
        was_open = not MACHINE.states[seen.state].end
        done = self.tickets.rechecked(self.issue, [proof], self.now)
        is_whole = remaining == absent == broken == 0 and version == done.ticket.rule_version
        if was_open:
            assert done.is_closed == is_whole
            self.proven |= {proof.delivery} if is_whole else set()

    @precondition(lambda self: self.tickets.ticket(self.issue, OFFICER, self.now).closed_at is None)
    @rule()
    def a_further_delivery_fails(self) -> None:
        assert self.tickets.found([replace(ISSUE, delivery=f"more-{next(self.numbers)}")], self.now) == (self.issue,)

    @invariant()
    def nothing_is_closed_without_a_proof(self) -> None:
        for ticket in self._ids():
            closing = [e for e in self.tickets.events(ticket, OFFICER) if e.target == "closed" != e.source]
            for event in closing:
                by_proof = event.facts.get("proof", {}).get("delivery") in self.proven and event.role == "machine"
                assert by_proof or (ticket == self.correction and event.event == "accept")
            state = self.tickets.ticket(ticket, OFFICER, self.now).state
            assert state != "closed" or closing

    @invariant()
    def no_clock_is_lost_and_net_time_is_what_was_not_paused(self) -> None:
        for ticket in self._ids():
            seen = self.tickets.ticket(ticket, OFFICER, self.now)
            wanted = MACHINE.face(seen.kind, seen.state).clock
            assert (seen.clock.state if seen.clock else "none") == wanted or (wanted != "running" and not seen.clock)
            running = select(func.count()).where(ClockRow.ticket == ticket, ClockRow.stopped_at.is_(None))
            assert self._number(running) <= 1
            if seen.clock:
                assert 0 <= seen.clock.net <= seen.clock.gross
                assert seen.clock.net == self._counted(ticket, seen.clock.started_at)

    @invariant()
    def a_clock_is_as_long_as_its_policy_says_and_what_was_granted(self) -> None:
        for ticket in self._ids():
            seen = self.tickets.ticket(ticket, OFFICER, self.now)
            if seen.clock:
                told = [e for e in self.tickets.events(ticket, OFFICER) if "clock" in e.effects]
                mine = [e for e in told if e.effects["clock"] == told[-1].effects["clock"]]
                granted = [e.facts["days"] for e in mine if e.event in ("extend", "grant_extension")]
                assert seen.clock.length == 10 + sum(granted)

    def _counted(self, ticket: str, started: datetime) -> int:
        """Working days since the clock's start on which the ticket's events say that it ran."""
        events = [e.effects | {"at": e.at} for e in self.tickets.events(ticket, OFFICER)]
        marks = [e for e in events if e.get("started") == started.isoformat()]
        ends = [*(mark["at"] for mark in marks[1:]), self.now]
        spans = [(m["at"], end) for m, end in zip(marks, ends, strict=True) if m["clock_state"] == "running"]
        return sum(DAYS.working_days_between(a.astimezone(ZONE).date(), b.astimezone(ZONE).date()) for a, b in spans)

    def _number(self, query: Select[tuple[int]]) -> int:
        with self.database.session() as session:
            return session.scalar(query) or 0

    @invariant()
    def disputes_and_waivers_are_open_in_their_state_only(self) -> None:
        for ticket in self._ids():
            state = self.tickets.ticket(ticket, OFFICER, self.now).state
            disputes = select(func.count()).where(DisputeRow.ticket == ticket, DisputeRow.decided_at.is_(None))
            waivers = select(func.count()).where(WaiverRow.ticket == ticket, WaiverRow.ended_at.is_(None))
            assert self._number(disputes) == int(state == "disputed")
            assert self._number(waivers) == int(state == "waived")


@pytest.mark.parametrize("kind", KINDS)
def test_no_way_closes_without_proof_loses_a_clock_or_counts_a_pause(kind: str, request: pytest.FixtureRequest) -> None:
    Loop.fresh = staticmethod(fresh_of(kind, request))
    run_state_machine_as_test(
        Loop, settings=settings(max_examples=15, stateful_step_count=25, deadline=None, database=None)
    )


def fresh_of(kind: str, request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Gives empty databases of a kind, one after the other."""
    if kind == "postgresql":
        made = request.getfixturevalue("made_postgres")
        return lambda _: emptied(made)
    template = request.getfixturevalue("made_sqlite")

    def copied(folder: Path) -> str:
        shutil.copy(template, folder / "state.db")
        return f"sqlite:///{folder / 'state.db'}"

    return copied
