"""Events of tickets → what metrics count: when each was open, and what became of each of its clocks."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from jobs.collaboration.state_machine import CLOSED, StateMachine
from jobs.model.ticket import Event

DISPATCHED = "dispatched"
BROUGHT = ("open", "further", "recur")
"""Events by which a delivery brings rows to a ticket."""


@dataclass(frozen=True)
class ClockRun:
    """One clock of a ticket, as its events tell. `is_last` is False where a transfer put another in its place."""

    ticket: str
    clock: int
    due: datetime
    state: str
    unit: str
    reopened_before: int
    reopened: int = 0
    net: float = 0
    gross: float = 0
    stopped_at: datetime | None = None
    closed_at: datetime | None = None
    is_last: bool = True

    def is_in_time(self) -> bool:
        """Whether the clock was stopped on or before its due time."""
        return self.stopped_at is not None and self.stopped_at <= self.due

    def counts(self) -> bool:
        """Whether the clock ran to its end, or runs: not paused, not given to somebody else."""
        return self.state != "paused" and (self.is_last or self.stopped_at is not None)


@dataclass
class TicketHistory:
    """One ticket: when it was opened and ended, in turn, its clocks, and the deliveries whose rows stand in it."""

    ticket: str
    kind: str
    provider: str = ""
    turns: list[tuple[datetime, bool]] = field(default_factory=list)
    recurred_at: list[datetime] = field(default_factory=list)
    dispatched_at: datetime | None = None
    upheld: list[str] = field(default_factory=list)
    state: str = ""
    failed_rows: int = 0
    remaining_rows: int = 0
    deliveries: list[str] = field(default_factory=list)
    cycles: dict[int, ClockRun] = field(default_factory=dict)

    def is_open(self, at: datetime) -> bool:
        """Whether something was left to do at the moment."""
        before = [is_open for when, is_open in self.turns if when <= at]
        return bool(before) and before[-1]

    def clock(self) -> ClockRun | None:
        """The newest clock."""
        return next((cycle for cycle in self.cycles.values() if cycle.is_last), None)

    def is_overdue(self, at: datetime) -> bool:
        """Whether the newest clock runs, and its due time is over at the moment up to which events were told."""
        last = self.clock()
        return last is not None and last.state == "running" and last.due < at


def histories(events: Iterable[Event], state_machine: StateMachine, until: datetime) -> dict[str, TicketHistory]:
    """What happened up to a moment, by ticket."""
    found: dict[str, TicketHistory] = {}
    for event in events:
        if event.at > until or "kind" not in event.effects:
            continue
        life = found.setdefault(event.ticket, TicketHistory(event.ticket, event.effects["kind"]))
        _turn(life, event, state_machine)
        if "clock" in event.effects:
            _time(life, event)
    return found


def _turn(life: TicketHistory, event: Event, state_machine: StateMachine) -> None:
    life.provider, life.state = event.effects["provider"], event.target
    life.failed_rows, life.remaining_rows = event.effects["failed_rows"], event.effects["remaining_rows"]
    if event.event in BROUGHT and "delivery" in event.facts:
        life.deliveries.append(event.facts["delivery"])
    is_open = not state_machine.is_end(event.target)
    if not life.turns or life.turns[-1][1] != is_open:
        life.turns.append((event.at, is_open))
    if event.source == CLOSED != event.target:
        life.recurred_at.append(event.at)
    if event.target == DISPATCHED and life.dispatched_at is None:
        life.dispatched_at = event.at
    if event.effects.get("dispute") == "upheld":
        life.upheld.append(event.effects["ground"])


def _time(life: TicketHistory, event: Event) -> None:
    told = event.effects
    known = life.cycles.get(told["clock"])
    if known is None:
        life.cycles = {n: replace(c, is_last=False) for n, c in life.cycles.items()}
        first = ClockRun(life.ticket, told["clock"], event.at, "", told["unit"], told["reopened"])
        known = first
    stopped = known.stopped_at or (event.at if told["clock_state"] == "stopped" else None)
    is_proven = event.target == CLOSED != event.source and "proof" in event.facts
    life.cycles[told["clock"]] = replace(
        known,
        due=datetime.fromisoformat(told["due"]),
        state=told["clock_state"],
        net=told["net"],
        gross=told["gross"],
        reopened=told["reopened"] - known.reopened_before,
        stopped_at=stopped,
        closed_at=known.closed_at or (event.at if is_proven else None),
    )
