"""The states a ticket can be in and the steps between them, for all kinds of tickets; written as data in state_machine.yaml."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Literal

from pydantic import Field

from jobs.access.roles import department_roles
from jobs.contracts.policy_file import PolicyPart
from jobs.errors import InvalidTransition

CLOSED = "closed"
SAME, PREVIOUS = "same", "previous"
ClockState = Literal["none", "running", "paused", "stopped"]
StepClock = Literal["", "restart", "extend", "ask_extension"]
Waiting = Literal["provider", "requester", "officer", "nobody"]


class StateLabel(PolicyPart):
    """The name of a state, and what the clock does in it."""

    label: str = Field(min_length=1)
    clock: ClockState
    terms: str = ""
    """The kind of the clock table whose length applies; empty for the ticket's own."""


class State(StateLabel):
    """A state; `end` marks a final one. `by_kind`: label and clock for kinds where they differ."""

    end: bool = False
    by_kind: Mapping[str, StateLabel] = {}


class Transition(PolicyPart):
    """One step: an event that leads from some states to another."""

    event: str
    sources: tuple[str, ...] = Field(alias="from", min_length=1)
    to: str
    kinds: tuple[str, ...] = ()
    roles: tuple[str, ...] = Field(min_length=1)
    party: Literal["provider", "requester"] = "provider"
    requires: tuple[str, ...] = ()
    ground: str = ""
    clock: StepClock = ""
    internal: bool = False
    not_machine_found: bool = False
    check: str = ""
    """The check of the document that must find nothing missing before the step is taken; empty for none."""

    def is_of(self, kind: str) -> bool:
        """Whether the step is for tickets of the kind."""
        return not self.kinds or kind in self.kinds

    def moves_by_people(self) -> bool:
        """Whether a person takes the step, and it changes the ticket's state."""
        return not self.internal and self.to != SAME

    def comes_by_time(self) -> bool:
        """Whether the step needs neither a person nor a proof or a delivery."""
        return self.internal and not {"proof", "delivery"} & set(self.requires)


class Former(PolicyPart):
    """Names in events of earlier versions, with their Chinese labels."""

    states: Mapping[str, str] = {}
    events: Mapping[str, str] = {}


class StateMachine(PolicyPart):
    """The state machine. Names map to their Chinese labels."""

    version: int = Field(gt=0)
    kinds: Mapping[str, str]
    machine_found: tuple[str, ...]
    documents: tuple[str, ...] = ()
    """Kinds about a document; all others are about rows of data."""
    facts: Mapping[str, str]
    checks: Mapping[str, str] = {}
    """Checks of documents, which steps may name."""
    grounds: Mapping[str, str]
    start: Mapping[str, str]
    automatic: Mapping[str, str]
    states: Mapping[str, State]
    events: Mapping[str, str]
    notices: Mapping[str, Literal["provider", "requester", "bureau"]] = {}
    """Event → whom the portal notifies of it."""
    former: Former = Former()
    steps: tuple[Transition, ...]

    def event_label(self, event: str) -> str:
        """The event in Chinese."""
        return self.events.get(event) or self.former.events.get(event, event)

    def is_end(self, state: str) -> bool:
        """Whether the state is final."""
        return state in self.states and self.states[state].end

    def face(self, kind: str, state: str) -> StateLabel:
        """Label and clock of a state for a kind."""
        if state in self.former.states:
            return StateLabel(label=self.former.states[state], clock="running")
        default = self.states[state]
        return default.by_kind.get(kind, default)

    def label(self, kind: str, state: str) -> str:
        """The state in Chinese."""
        return self.face(kind, state).label

    def waits_for(self, kind: str, state: str) -> Waiting:
        """Who has to act next: a party, the mediating officer, or the lake itself."""
        return self._waiting.get((kind, state)) or self._who_acts(kind, state)

    @cached_property
    def _waiting(self) -> Mapping[tuple[str, str], Waiting]:
        """Who has to act next, by kind and state; each page of the portal asks for all of them."""
        return {(kind, state): self._who_acts(kind, state) for kind in self.kinds for state in self.states}

    def _who_acts(self, kind: str, state: str) -> Waiting:
        steps = list(filter(lambda step: step.is_of(kind) and state in step.sources, self.steps))
        by_people = list(filter(Transition.moves_by_people, steps))
        of_provider = [step for step in by_people if step.party == "provider"]
        if any(set(step.roles) & set(department_roles()) for step in of_provider):
            return "provider"
        if of_provider:
            return "nobody" if any(map(Transition.comes_by_time, steps)) else "officer"
        return "requester" if by_people and not self.is_end(state) else "nobody"

    def states_waiting_for(self, kind: str, who: Waiting) -> tuple[str, ...]:
        """States in which tickets of a kind wait for the given party."""
        return tuple(state for state in self.states if self.waits_for(kind, state) == who)

    def kinds_about_data(self) -> tuple[str, ...]:
        """Kinds about rows of data."""
        return tuple(kind for kind in self.kinds if kind not in self.documents)

    def states_for_role(self, kind: str, role: str) -> tuple[str, ...]:
        """States in which tickets of a kind wait for the bureau, and in which this role moves them."""
        return tuple(state for state, roles in self._bureau_roles.get(kind, ()) if role in roles)

    @cached_property
    def _bureau_roles(self) -> Mapping[str, tuple[tuple[str, frozenset[str]], ...]]:
        """By kind: states in which tickets wait for the bureau, each with the roles that move them."""

        def roles(kind: str, state: str) -> frozenset[str]:
            return frozenset(role for s in self.steps_from(kind, state) if s.moves_by_people() for role in s.roles)

        return {
            kind: tuple((state, roles(kind, state)) for state in self.states_waiting_for(kind, "officer"))
            for kind in self.kinds
        }

    def open_states(self) -> tuple[str, ...]:
        """States that are not final."""
        return tuple(name for name, state in self.states.items() if not state.end)

    def steps_from(self, kind: str, state: str, ground: str = "") -> Iterator[Transition]:
        """Steps that a ticket can take; of those that depend on the ground of a dispute, those of this ground."""
        for step in self.steps:
            if step.is_of(kind) and state in step.sources and step.ground in ("", ground):
                yield step

    def allows(self, kind: str, state: str, event: str) -> bool:
        """Whether the event is possible, on any ground of a dispute."""
        return any(step.event == event for step in self.steps_from(kind, state))

    def step(self, kind: str, state: str, event: str, ground: str = "") -> Transition:
        """The step of an event; InvalidTransition names the possible ones."""
        steps = list(self.steps_from(kind, state, ground))
        for step in steps:
            if step.event == event:
                return step
        possible = dict.fromkeys(f"{self.events[s.event]}（{s.event}）" for s in steps if not s.internal)
        name = self.events.get(event, event)
        raise InvalidTransition(
            f"工单处于「{self.label(kind, state)}」，不能「{name}」；现在可以：{'、'.join(possible) or '无须办理'}"
        )
