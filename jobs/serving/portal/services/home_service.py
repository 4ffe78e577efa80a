"""What each role finds first: what waits for it, by dataset or by kind of decision, and what to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from jobs.access.roles import acts_for_department
from jobs.collaboration import TicketPage, TicketQuery, Tickets
from jobs.errors import LakeError
from jobs.model.actor import Actor
from jobs.model.ticket import Ticket
from jobs.serving.access_log import Logged
from jobs.serving.portal.context import Portal
from jobs.serving.portal.services.data_service import DataService
from jobs.serving.portal.services.data_views import Ranked
from jobs.serving.portal.services.ticket_service import TicketService

SIGN, MARK = "sign", "sign-"
MOST, SHOWN = 90, 5
REQUESTS = ("correction", "objection")
DECISIONS: Sequence[tuple[str, str, str]] = (
    ("申诉待裁决", "disputed", ""),
    ("延期待批", "extension_asked", ""),
    ("校核申请待受理", "found", "correction"),
    ("公众异议待受理", "found", "objection"),
    ("争议待裁决", "contested", ""),
    ("整改复核不通过", "reopened", ""),
    ("目录待审核", "authority_review", "catalogue_change"),
)
"""What an officer looks after: title, state and kind of the tickets."""


@dataclass(frozen=True)
class TaskGroup:
    """A dataset's tickets that wait, due soonest first; `signable` are those that can be signed for at once."""

    dataset: str
    tickets: tuple[Ticket, ...]
    signable: frozenset[str]

    def severe(self) -> int:
        """How many of them hold rows back."""
        return sum(ticket.severity == "critical" for ticket in self.tickets)


@dataclass(frozen=True)
class Decision:
    """Tickets in one state that an officer looks after: their number, and the first few."""

    title: str
    state: str
    kind: str
    page: TicketPage


@dataclass(frozen=True)
class Signed:
    """How many tickets were signed for, and why others were not, by ticket."""

    number: int
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HomeService:
    """The first page of an actor."""

    portal: Portal
    actor: Actor

    def groups(self, page: TicketPage) -> tuple[TaskGroup, ...]:
        """The page's tickets by dataset, in the order of their first."""
        by_dataset: dict[str, list[Ticket]] = {}
        for ticket in page.tickets:
            by_dataset.setdefault(ticket.dataset, []).append(ticket)
        return tuple(
            TaskGroup(name, tuple(tickets), frozenset(t.id for t in tickets if self._may_sign(t)))
            for name, tickets in by_dataset.items()
        )

    def sign(self, marked: Mapping[str, str]) -> Signed:
        """Sign for every ticket of a form, whose fields are `sign-TICKET`: the version that was seen."""
        service, refused, number = TicketService(self.portal, self.actor), {}, 0
        for name, seen in marked.items():
            ticket_id = name.removeprefix(MARK)
            if ticket_id == name or not seen.isdecimal() or len(seen) > 9:
                continue
            try:
                service.move(ticket_id, SIGN, int(seen), {})
                number += 1
            except LakeError as error:
                refused[ticket_id] = str(error)
        return Signed(number, refused)

    def decisions(self) -> tuple[Decision, ...]:
        """What an officer looks after, by kind of decision; what is empty is left out."""
        service = TicketService(self.portal, self.actor)
        found = [
            Decision(title, state, kind, service.page(TicketQuery((state,), kind, order="due", size=SHOWN)))
            for title, state, kind in DECISIONS
        ]
        return tuple(decision for decision in found if decision.page.total)

    def to_publish(self) -> TicketPage:
        """What waits for a leader's signature."""
        return TicketService(self.portal, self.actor).page(TicketQuery(is_mine=True, order="due", size=SHOWN))

    def others(self, page: TicketPage, decisions: Sequence[Decision]) -> TicketPage:
        """The page without the tickets that decisions show."""
        shown = {ticket.id for decision in decisions for ticket in decision.page.tickets}
        return replace(page, tickets=tuple(ticket for ticket in page.tickets if ticket.id not in shown))

    def worst(self) -> tuple[Ranked, ...]:
        """The departments that a leader looks at first: with overdue tickets, then with the lowest scores."""
        ranked = DataService(self.portal, self.actor).overview().ranked
        known = [one for one in ranked if one.tally.overdue or one.score is not None]
        return tuple(
            sorted(known, key=lambda one: (-one.tally.overdue, one.score if one.score is not None else 100))[:SHOWN]
        )

    def newest_accesses(self) -> tuple[Logged, ...]:
        """The newest entries of the log of sensitive data, for an auditor."""
        rows, _ = self.portal.access.rows(1, SHOWN)
        return tuple(rows)

    def _may_sign(self, ticket: Ticket) -> bool:
        steps = Tickets.state_machine().steps_from(ticket.kind, ticket.state)
        is_offered = any(step.event == SIGN and self.actor.role in step.roles for step in steps)
        return is_offered and acts_for_department(self.actor) and self.actor.department == ticket.provider
