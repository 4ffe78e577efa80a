"""Read access to tickets for an actor; every method is one transaction, moments are UTC."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.access.personal_numbers import masked_lines
from jobs.collaboration import audit_log, opening, snapshots
from jobs.collaboration.audit_log import ChainAudit
from jobs.collaboration.documents import find_published
from jobs.collaboration.metrics import LoopMetrics, Span, loop_metrics
from jobs.collaboration.policies import Checks, Owners, Policies, policies
from jobs.collaboration.reminders import Digest, digests
from jobs.collaboration.snapshots import Cutoff, Loop
from jobs.collaboration.state_machine import StateMachine, Transition
from jobs.collaboration.state_machine_file import state_machine
from jobs.collaboration.ticket_events import event_of, events_until, find_events
from jobs.collaboration.ticket_queries import (
    TicketCounts,
    TicketPage,
    TicketQuery,
    count_tickets,
    find_open_rows,
    find_tickets,
    ticket_counts,
    ticket_delivery,
    ticket_of,
)
from jobs.collaboration.ticket_tables import CommentRow, EventRow
from jobs.collaboration.transitions import may_take, open_dispute
from jobs.collaboration.visibility import reads_in_full, visible_ticket
from jobs.collaboration.working_days import WorkingDays
from jobs.lake.database import Database, utc
from jobs.model.actor import Actor
from jobs.model.ticket import Event, OpenRows, Published, Ticket, TicketDelivery

SHANGHAI = ZoneInfo("Asia/Shanghai")


class TicketReader:
    """Tickets, events and metrics in the state database, which is migrated already.

    `owners` returns the owning department of each dataset, by contract. `checks`: those of documents, by name; a step
    that names another one cannot be taken.
    """

    def __init__(
        self, database: Database, owners: Owners, zone: ZoneInfo = SHANGHAI, checks: Checks | None = None
    ) -> None:
        self.database, self._owners, self._zone, self._checks = database, owners, zone, checks or {}

    @staticmethod
    def state_machine() -> StateMachine:
        """States, events and roles with their Chinese names."""
        return state_machine()

    def ticket(self, ticket_id: str, actor: Actor, at: datetime) -> Ticket:
        """The ticket as the actor may see it; Unknown where it does not exist or is not visible to the actor."""
        with self._session() as (session, by):
            return ticket_of(session, by, visible_ticket(session, by, ticket_id, actor), actor, utc(at))

    def tickets(self, actor: Actor, query: TicketQuery, at: datetime) -> TicketPage:
        """A page of the tickets that the actor may see, newest first."""
        with self._session() as (session, by):
            return find_tickets(session, by, actor, query, utc(at))

    def count(self, actor: Actor, query: TicketQuery, at: datetime) -> int:
        """How many tickets match of those that the actor may see."""
        with self._session() as (session, by):
            return count_tickets(session, by, actor, query, utc(at))

    def events(self, ticket_id: str, actor: Actor) -> tuple[Event, ...]:
        """Events of a ticket, oldest first."""
        with self._session() as (session, by):
            return find_events(session, by, visible_ticket(session, by, ticket_id, actor), actor)

    def comments(self, ticket_id: str, actor: Actor) -> tuple[tuple[Event, str], ...]:
        """Comments with their events (author, time), oldest first; personal numbers are masked for outsiders."""
        with self._session() as (session, by):
            in_full = reads_in_full(by, actor, visible_ticket(session, by, ticket_id, actor))
            query = select(EventRow, CommentRow.text).join(CommentRow, CommentRow.event == EventRow.seq)
            rows = session.execute(query.where(CommentRow.ticket == ticket_id).order_by(EventRow.seq))
            return tuple((event_of(event), text if in_full else masked_lines(text)) for event, text in rows)

    def possible(self, ticket_id: str, actor: Actor) -> tuple[Transition, ...]:
        """Steps that the actor may take now, in the order of the state machine."""
        with self._session() as (session, by):
            row = visible_ticket(session, by, ticket_id, actor)
            dispute = open_dispute(session, row.id)
            steps = by.state_machine.steps_from(row.kind, row.state, dispute.ground if dispute else "")
            return tuple(step for step in steps if not step.internal and may_take(by.state_machine, step, actor, row))

    def ticket_deliveries(self, ticket_id: str, actor: Actor) -> tuple[TicketDelivery, ...]:
        """Deliveries with the ticket's rows, oldest first."""
        with self._session() as (session, by):
            visible_ticket(session, by, ticket_id, actor)
            return tuple(ticket_delivery(row) for row in opening.evidence(session, ticket_id))

    def open_rows(self, dataset: str) -> tuple[OpenRows, ...]:
        """Remaining rows of the dataset's open machine-found tickets, by ticket and delivery, oldest first."""
        with self._session() as (session, by):
            return find_open_rows(session, by, dataset)

    def published(self, kind: str, subject: str = "") -> tuple[Published, ...]:
        """Published documents of a kind, oldest first, of all subjects or of one."""
        with self._session() as (session, _):
            return find_published(session, kind, subject)

    def ticket_counts(self, actor: Actor, at: datetime) -> Mapping[str, TicketCounts]:
        """Numbers of open, overdue and closed tickets that count for the actor, by provider."""
        with self._session() as (session, by):
            return ticket_counts(session, by, actor, utc(at))

    def metrics(self, actor: Actor, since: datetime, until: datetime, provider: str = "") -> LoopMetrics:
        """Metrics of (since, until], as of `until`, from events of the tickets that count for the actor."""
        with self._session() as (session, by):
            events = events_until(session, actor, utc(until))
            days = by.keeper.table.recurrence_days
            return loop_metrics(events, by.state_machine, Span(utc(since), utc(until)), days, provider)

    def loop(self, cut: Cutoff) -> Loop:
        """Metrics of two periods by department for a bulletin, from the events up to the one in `cut`."""
        with self._session() as (session, by):
            return snapshots.loop(session, by, cut)

    def audit_verify(self, noted: tuple[int, str] | None = None) -> ChainAudit:
        """The audit of the event chain; `noted` is a seq and hash from an earlier audit."""
        with self._session() as (session, _):
            return audit_log.verify(session, noted)

    def reminders(self, at: datetime, channel: str) -> tuple[Digest, ...]:
        """Digests that are due on a channel and not sent yet; marks nothing as sent."""
        with self._session() as (session, by):
            return digests(session, by, channel, utc(at))

    def calendar(self) -> WorkingDays:
        """The calendar that due days are counted by."""
        with self._session() as (_, by):
            return by.keeper.days

    @contextmanager
    def _session(self) -> Iterator[tuple[Session, Policies]]:
        with self.database.session() as session:
            yield session, policies(session, self._zone, self._owners, self._checks)
