"""Events of tickets → what metrics count: when each was open, and the outcome of each of its clocks."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from jobs.collaboration.state_machine import CLOSED, StateMachine
from jobs.model.ticket import Event

DISPATCHED = "dispatched"
BROUGHT = ("open", "further", "recur")
"""Events by which a delivery adds rows to a ticket."""


@dataclass(frozen=True)
class ClockRun:
    """One clock of a ticket, from its events. `is_last` is False where a transfer replaced it."""

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
        """Whether the clock runs or has stopped: neither paused nor replaced by a transfer."""
        return self.state != "paused" and (self.is_last or self.stopped_at is not None)


@dataclass
class TicketHistory:
    """One ticket: when it opened and closed (`turns`), its clocks, and the deliveries whose rows it covers."""

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
        """Whether the ticket was open at the moment."""
        before = [is_open for when, is_open in self.turns if when <= at]
        return bool(before) and before[-1]

    def clock(self) -> ClockRun | None:
        """The newest clock."""
        return next((cycle for cycle in self.cycles.values() if cycle.is_last), None)

    def is_overdue(self, at: datetime) -> bool:
        """Whether the newest clock runs past its due time, `at` being the moment up to which events were read."""
        last = self.clock()
        return last is not None and last.state == "running" and last.due < at


def histories(events: Iterable[Event], state_machine: StateMachine, until: datetime) -> dict[str, TicketHistory]:
    """Histories of the tickets about data up to a moment, by ticket."""
    by_ticket: dict[str, TicketHistory] = {}
    counted = state_machine.kinds_about_data()
    for event in events:
        if event.at > until or event.effects.get("kind") not in counted:
            continue
        history = by_ticket.setdefault(event.ticket, TicketHistory(event.ticket, event.effects["kind"]))
        _turn(history, event, state_machine)
        if "clock" in event.effects:
            _time(history, event)
    return by_ticket


def _turn(history: TicketHistory, event: Event, state_machine: StateMachine) -> None:
    history.provider, history.state = event.effects["provider"], event.target
    history.failed_rows, history.remaining_rows = event.effects["failed_rows"], event.effects["remaining_rows"]
    if event.event in BROUGHT and "delivery" in event.facts:
        history.deliveries.append(event.facts["delivery"])
    is_open = not state_machine.is_end(event.target)
    if not history.turns or history.turns[-1][1] != is_open:
        history.turns.append((event.at, is_open))
    if event.source == CLOSED != event.target:
        history.recurred_at.append(event.at)
    if event.target == DISPATCHED and history.dispatched_at is None:
        history.dispatched_at = event.at
    if event.effects.get("dispute") == "upheld":
        history.upheld.append(event.effects["ground"])


def _time(history: TicketHistory, event: Event) -> None:
    effects = event.effects
    known = history.cycles.get(effects["clock"])
    if known is None:
        history.cycles = {n: replace(c, is_last=False) for n, c in history.cycles.items()}
        first = ClockRun(history.ticket, effects["clock"], event.at, "", effects["unit"], effects["reopened"])
        known = first
    stopped = known.stopped_at or (event.at if effects["clock_state"] == "stopped" else None)
    is_proven = event.target == CLOSED != event.source and "proof" in event.facts
    history.cycles[effects["clock"]] = replace(
        known,
        due=datetime.fromisoformat(effects["due"]),
        state=effects["clock_state"],
        net=effects["net"],
        gross=effects["gross"],
        reopened=effects["reopened"] - known.reopened_before,
        stopped_at=stopped,
        closed_at=known.closed_at or (event.at if is_proven else None),
    )
