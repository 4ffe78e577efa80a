"""The tickets of the loop: found, moved by people, closed by proof. Every method is one transaction; moments are UTC."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.access.personal_numbers import masked_lines
from jobs.access.policy import Right
from jobs.access.rights import may
from jobs.access.roles import role_label
from jobs.collaboration import audit_log, notices, opening, recheck, snapshots, ticket_clocks
from jobs.collaboration.audit_log import ChainAudit, text_hash
from jobs.collaboration.channels import channels
from jobs.collaboration.metrics import LoopMetrics, Span, loop_metrics
from jobs.collaboration.policies import Owners, Policies, keep_year, policies
from jobs.collaboration.reminders import Channel, Digest, SentDigest, claim, digests, release
from jobs.collaboration.snapshots import Cutoff, Loop
from jobs.collaboration.state_machine import StateMachine, Transition
from jobs.collaboration.state_machine_file import state_machine
from jobs.collaboration.ticket_queries import (
    TicketCounts,
    TicketPage,
    TicketQuery,
    event_of,
    events_until,
    find_events,
    find_open_rows,
    find_tickets,
    overdue,
    ticket_counts,
    ticket_delivery,
    ticket_of,
    was_escalated,
)
from jobs.collaboration.ticket_tables import ClockRow, CommentRow, EventRow, TicketRow, WaiverRow
from jobs.collaboration.transitions import Action, Passage, may_take, open_dispute, open_waiver, record, take
from jobs.collaboration.visibility import may_see, reads_in_full
from jobs.collaboration.working_days import CalendarYear, WorkingDays
from jobs.contracts import load_usable
from jobs.errors import NotAllowed, Overtaken, PolicyRefusal, ServiceUnavailable, Unknown
from jobs.lake.database import Database, utc
from jobs.model.actor import SYSTEM, Actor
from jobs.model.proof import Proof, RecheckOutcome
from jobs.model.ticket import Event, Issue, OpenRows, Request, Ticket, TicketDelivery
from jobs.settings import Settings

logger = logging.getLogger(__name__)
SHANGHAI = ZoneInfo("Asia/Shanghai")
ESCALATE, RETURN = "escalate", "return_answer"
Facts = Mapping[str, Any]


class Tickets:
    """Reads and writes tickets in the state database, which is migrated already.

    `owners` gives the department whose data each dataset is, by contract.
    """

    def __init__(self, database: Database, owners: Owners, zone: ZoneInfo = SHANGHAI) -> None:
        self.database, self._owners, self._zone = database, owners, zone

    @staticmethod
    def state_machine() -> StateMachine:
        """States, events and roles with their Chinese names."""
        return state_machine()

    def found(self, issues: Iterable[Issue], at: datetime, who: Actor = SYSTEM) -> tuple[str, ...]:
        """Ids of the tickets of what a delivery broke, in order; the same delivery again changes nothing."""
        with self._session() as (session, by):
            return tuple(opening.find(session, by, issue, who, utc(at)).id for issue in issues)

    def requested(self, request: Request, who: Actor, at: datetime) -> str:
        """Id of the ticket of a correction request or an objection; its clock starts now."""
        with self._session() as (session, by):
            return opening.request(session, by, request, who, utc(at)).id

    def move(  # noqa: PLR0913 - who, what, why and on what footing: all of it needed
        self,
        ticket_id: str,
        event: str,
        actor: Actor,
        seen_version: int,
        at: datetime,
        reason: str = "",
        facts: Facts | None = None,
    ) -> Ticket:
        """The ticket after a person's step. Overtaken where it is not at `seen_version` any more."""
        stated = {**(facts or {}), **({"reason": reason} if reason else {})}
        with self._session() as (session, by):
            audit_log.lock(session)
            row = _seen(session, by, ticket_id, actor)
            if row.version != seen_version:
                raise Overtaken(_who_was_first(session, by, row, seen_version))
            if any(s.internal for s in by.state_machine.steps if s.event == event):
                raise NotAllowed(f"「{by.state_machine.events[event]}」只由系统在复核后办理，不能人工办理")
            take(session, by, row, event, Action(actor, stated, utc(at)))
            return ticket_of(session, by, row, actor, utc(at))

    def rechecked(self, ticket_id: str, proofs: Sequence[Proof], at: datetime) -> RecheckOutcome:
        """What a redelivery proved, of each delivery that it speaks of. The ticket closes only where nothing is left."""
        with self._session() as (session, by):
            audit_log.lock(session)
            row = _seen(session, by, ticket_id, SYSTEM)
            message = recheck.recheck(session, by, row, proofs, utc(at))
            return RecheckOutcome(ticket_of(session, by, row, SYSTEM, utc(at)), recheck.is_closed(row), message)

    def answer_returned(self, ticket_id: str, delivery: str, reason: str, at: datetime) -> Ticket:
        """The ticket after an answer that could prove nothing: an event that says why, and a notice; once a delivery."""
        with self._session() as (session, by):
            audit_log.lock(session)
            row = _seen(session, by, ticket_id, SYSTEM)
            if by.state_machine.allows(row.kind, row.state, RETURN) and not _was_returned(session, row.id, delivery):
                take(session, by, row, RETURN, Action(SYSTEM, {"delivery": delivery, "reason": reason}, utc(at)))
                notices.answer_returned(session, by, row, reason, utc(at))
            return ticket_of(session, by, row, SYSTEM, utc(at))

    def commented(self, ticket_id: str, actor: Actor, text: str, at: datetime) -> Event:
        """A comment; it changes no state, and no version that somebody else has seen."""
        if not may(actor, Right.COMMENT):
            raise NotAllowed("只有办理人员可以留言")
        if not text.strip():
            raise PolicyRefusal("留言是空的；请写明内容")
        with self._session() as (session, by):
            audit_log.lock(session)
            row = _seen(session, by, ticket_id, actor)
            effects = {"text_sha256": text_hash(text)}
            said = audit_log.EventDraft(row.id, "comment", row.state, row.state, {}, effects)
            link = audit_log.append(session, said, actor, at)
            session.add(CommentRow(event=link.seq, ticket=row.id, text=text))
            return event_of(link)

    def comments(self, ticket_id: str, actor: Actor) -> tuple[tuple[Event, str], ...]:
        """Comments with who said them and when, oldest first; numbers of persons are starred out for outsiders."""
        with self._session() as (session, by):
            is_whole = reads_in_full(by, actor, _seen(session, by, ticket_id, actor))
            query = select(EventRow, CommentRow.text).join(CommentRow, CommentRow.event == EventRow.seq)
            rows = session.execute(query.where(CommentRow.ticket == ticket_id).order_by(EventRow.seq))
            return tuple((event_of(event), text if is_whole else masked_lines(text)) for event, text in rows)

    def waivers_expired(self, at: datetime) -> tuple[str, ...]:
        """Ids of the tickets whose waiver ended before the day of `at`; they are open again."""
        with self._session() as (session, by):
            audit_log.lock(session)
            today = by.keeper.local_day(utc(at))
            over = select(WaiverRow.ticket).where(WaiverRow.ended_at.is_(None), WaiverRow.until < today)
            rows = session.scalars(select(TicketRow).where(TicketRow.id.in_(over)).order_by(TicketRow.seq)).all()
            for row in rows:
                waiver = open_waiver(session, row.id)
                until = str(waiver.until) if waiver else ""
                take(session, by, row, "expire_waiver", Action(SYSTEM, {"until": until}, utc(at)))
            return tuple(row.id for row in rows)

    def overdue_escalated(self, at: datetime) -> tuple[str, ...]:
        """Ids of the tickets that ran out of time since last asked; each is escalated once a clock."""
        with self._session() as (session, by):
            audit_log.lock(session)
            late = select(TicketRow).where(TicketRow.id.in_(overdue(utc(at)))).order_by(TicketRow.seq)
            possible = [row for row in session.scalars(late) if by.state_machine.allows(row.kind, row.state, ESCALATE)]
            new = [row for row in possible if not was_escalated(session, row.id)]
            for row in new:
                take(session, by, row, ESCALATE, Action(SYSTEM, {"reason": "超过办理时限"}, utc(at)))
            return tuple(row.id for row in new)

    def ticket(self, ticket_id: str, actor: Actor, at: datetime) -> Ticket:
        """The ticket as the actor may see it; Unknown where there is none, or none for the actor."""
        with self._session() as (session, by):
            return ticket_of(session, by, _seen(session, by, ticket_id, actor), actor, utc(at))

    def tickets(self, actor: Actor, wanted: TicketQuery, at: datetime) -> TicketPage:
        """A page of the tickets that the actor may see, newest first."""
        with self._session() as (session, by):
            return find_tickets(session, by, actor, wanted, utc(at))

    def open_rows(self, dataset: str) -> tuple[OpenRows, ...]:
        """Where rows of the dataset's open machine-found tickets are left, by ticket and delivery, oldest first."""
        with self._session() as (session, by):
            return find_open_rows(session, by, dataset)

    def events(self, ticket_id: str, actor: Actor) -> tuple[Event, ...]:
        """What happened to a ticket, oldest first."""
        with self._session() as (session, by):
            return find_events(session, by, _seen(session, by, ticket_id, actor), actor)

    def possible(self, ticket_id: str, actor: Actor) -> tuple[Transition, ...]:
        """Steps that the actor may take now, in the order of the state machine."""
        with self._session() as (session, by):
            row = _seen(session, by, ticket_id, actor)
            dispute = open_dispute(session, row.id)
            steps = by.state_machine.steps_from(row.kind, row.state, dispute.ground if dispute else "")
            return tuple(step for step in steps if not step.internal and may_take(by.state_machine, step, actor, row))

    def ticket_deliveries(self, ticket_id: str, actor: Actor) -> tuple[TicketDelivery, ...]:
        """Deliveries in which the ticket's rows stand, oldest first."""
        with self._session() as (session, by):
            _seen(session, by, ticket_id, actor)
            return tuple(ticket_delivery(row) for row in opening.evidence(session, ticket_id))

    def ticket_counts(self, actor: Actor, at: datetime) -> Mapping[str, TicketCounts]:
        """How many of the tickets in the actor's numbers are open, overdue and closed, by provider."""
        with self._session() as (session, by):
            return ticket_counts(session, by, actor, utc(at))

    def metrics(self, actor: Actor, since: datetime, until: datetime, provider: str = "") -> LoopMetrics:
        """How the loop did in (since, until], as of `until`, by the events of tickets in the actor's numbers."""
        with self._session() as (session, by):
            events = events_until(session, actor, utc(until))
            days = by.keeper.table.recurrence_days
            return loop_metrics(events, by.state_machine, Span(utc(since), utc(until)), days, provider)

    def loop(self, cut: Cutoff) -> Loop:
        """The loop of two periods by department, from the events up to the one that `cut` names, for a bulletin."""
        with self._session() as (session, by):
            return snapshots.loop(session, by, cut)

    def audit_verify(self, noted: tuple[int, str] | None = None) -> ChainAudit:
        """Walk the chain of events; `noted` is a number and hash that were written down elsewhere before."""
        with self._session() as (session, _):
            return audit_log.verify(session, noted)

    def calendar_loaded(self, year: CalendarYear, who: Actor, at: datetime) -> int:
        """Remember a year's holidays; how many running clocks got another end by it."""
        with self._session() as (session, _):
            audit_log.lock(session)
            keep_year(session, year, who, utc(at))
            session.flush()
            by = policies(session, self._zone, self._owners)
            rows = session.scalars(select(ClockRow).where(ClockRow.stopped_at.is_(None))).all()
            changed = [row.ticket for row in rows if ticket_clocks.recompute(row, by.keeper, utc(at))]
            for row in session.scalars(select(TicketRow).where(TicketRow.id.in_(changed)).order_by(TicketRow.seq)):
                record(session, by, row, Passage("retime", row.state), Action(who, {"reason": year.source}, utc(at)))
            return len(changed)

    def reminders(self, at: datetime, channel: str) -> tuple[Digest, ...]:
        """What a channel has to tell departments now, and has not told yet; nothing is marked as told."""
        with self._session() as (session, by):
            return digests(session, by, channel, utc(at))

    def remind(self, channels: Iterable[Channel], at: datetime) -> tuple[SentDigest, ...]:
        """Tell each department once in each channel what is due; what a channel could not take is tried again next time."""
        done = []
        for channel in channels:
            for digest in self.reminders(at, channel.name):
                if channel.reaches(digest.department):
                    done.append(self._send(channel, digest, at))
        return tuple(done)

    def _send(self, channel: Channel, digest: Digest, at: datetime) -> SentDigest:
        """Claimed before it is sent, so that two who send at once do not both; given back where it was not taken."""
        with self._session() as (session, _):
            mine = claim(session, digest, channel.name, utc(at))
        if mine is None:
            return SentDigest(digest.department, channel.name, 0, "")
        try:
            channel.send(mine)
        except ServiceUnavailable as error:
            with self._session() as (session, _):
                release(session, mine, channel.name)
            logger.warning("%s to %s: %s", channel.name, digest.department, error)
            return SentDigest(digest.department, channel.name, 0, str(error))
        return SentDigest(digest.department, channel.name, len(mine.lines), "")

    def calendar(self) -> WorkingDays:
        """The calendar that due days are counted by."""
        with self._session() as (_, by):
            return by.keeper.days

    @contextmanager
    def _session(self) -> Iterator[tuple[Session, Policies]]:
        with self.database.session() as session:
            yield session, policies(session, self._zone, self._owners)


@contextmanager
def opened(settings: Settings, owners: Owners | None = None) -> Iterator[Tickets]:
    """The tickets of the state database, brought to the newest schema; closed at the end.

    Owners come from the contracts that the settings name, read when first needed, where none are given.
    """
    database = Database(settings.state_url())
    database.migrate()
    read = lru_cache(lambda: load_usable(settings.schemas, settings.expectations).providers())
    try:
        yield Tickets(database, owners or read, ZoneInfo(settings.timezone))
    finally:
        database.close()


def remind(settings: Settings, at: datetime) -> tuple[SentDigest, ...]:
    """Tell departments what is due, on every channel that the settings name; what has run out is acted on before."""
    with opened(settings) as store:
        store.waivers_expired(at)
        store.overdue_escalated(at)
        return store.remind(channels(settings, store.database, at), at)


def _seen(session: Session, by: Policies, ticket_id: str, actor: Actor) -> TicketRow:
    row = session.get(TicketRow, ticket_id, populate_existing=True)
    if row is None or not may_see(session, by, actor, row):
        raise Unknown(f"没有工单 {ticket_id}，或不属于您的部门；`lake tickets list` 列出可见的工单")
    return row


def _was_returned(session: Session, ticket: str, delivery: str) -> bool:
    found = session.scalars(select(EventRow.facts).where(EventRow.ticket == ticket, EventRow.event == RETURN))
    return any(facts.get("delivery") == delivery for facts in found)


def _who_was_first(session: Session, by: Policies, row: TicketRow, seen: int) -> str:
    moved = (
        select(EventRow)
        .where(EventRow.ticket == row.id, EventRow.event != "comment")
        .order_by(EventRow.seq.desc())
        .limit(1)
    )
    last = session.scalars(moved).one()
    who = f"{last.name}（{last.department}，{role_label(last.role)}）"
    when = utc(last.at).astimezone(by.keeper.zone)
    return (
        f"工单 {row.id} 已由{who}于 {when:%Y-%m-%d %H:%M} 办理「{by.state_machine.event_label(last.event)}」，"
        f"现为「{by.state_machine.label(row.kind, row.state)}」（版本 {row.version}，您看到的是版本 {seen}）；请刷新后再办理"
    )
