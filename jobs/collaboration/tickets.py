"""The tickets of the lake: opened by issues, moved by people, closed by proof. Every method is one transaction; moments are UTC."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.access.policy import Right
from jobs.access.rights import may
from jobs.access.roles import role_label
from jobs.collaboration import audit_log, documents, notices, opening, recheck, ticket_clocks
from jobs.collaboration.audit_log import text_hash
from jobs.collaboration.channels import channels
from jobs.collaboration.policies import Checks, Owners, Policies, keep_year, policies
from jobs.collaboration.reminders import Channel, Digest, SentDigest, claim, release
from jobs.collaboration.ticket_events import event_of
from jobs.collaboration.ticket_queries import overdue, ticket_of, was_escalated
from jobs.collaboration.ticket_reader import TicketReader
from jobs.collaboration.ticket_tables import ClockRow, CommentRow, EventRow, TicketRow, WaiverRow
from jobs.collaboration.transitions import Action, Passage, open_waiver, record, take
from jobs.collaboration.visibility import visible_ticket
from jobs.collaboration.working_days import CalendarYear
from jobs.contracts import load_usable
from jobs.errors import NotAllowed, Overtaken, PolicyRefusal, ServiceUnavailable
from jobs.lake.database import Database, utc
from jobs.model.actor import SYSTEM, Actor
from jobs.model.proof import Proof, RecheckOutcome
from jobs.model.ticket import CatalogueFault, Draft, Event, Issue, Request, Ticket
from jobs.settings import Settings

logger = logging.getLogger(__name__)
ESCALATE, RETURN, REVISE = "escalate", "return_answer", "revise"
Facts = Mapping[str, Any]


class Tickets(TicketReader):
    """Reads and writes tickets."""

    def found(self, issues: Iterable[Issue], at: datetime, who: Actor = SYSTEM) -> tuple[str, ...]:
        """Ids of the tickets of a delivery's issues, in order; the same delivery again changes nothing."""
        with self._session() as (session, by):
            return tuple(opening.find(session, by, issue, who, utc(at)).id for issue in issues)

    def requested(self, request: Request, who: Actor, at: datetime) -> str:
        """Id of the ticket of a correction request or an objection; its clock starts now."""
        with self._session() as (session, by):
            return opening.request(session, by, request, who, utc(at)).id

    def drafted(self, document: Draft, who: Actor, at: datetime) -> str:
        """Id of the ticket of a document's draft."""
        with self._session() as (session, by):
            return documents.draft(session, by, document, who, utc(at)).id

    def catalogue_compared(
        self, faults: Iterable[CatalogueFault], check: str, at: datetime
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Ids of the tickets that a check of the catalogue opened, and of those that it closed; `check` names it."""
        with self._session() as (session, by):
            return documents.compare(session, by, faults, check, utc(at))

    def move(  # noqa: PLR0913 - actor, event, version, time and facts are all needed
        self,
        ticket_id: str,
        event: str,
        actor: Actor,
        seen_version: int,
        at: datetime,
        reason: str = "",
        facts: Facts | None = None,
    ) -> Ticket:
        """The ticket after a person's step; Overtaken where it is no longer at `seen_version`."""
        stated = {**(facts or {}), **({"reason": reason} if reason else {})}
        with self._session() as (session, by):
            audit_log.lock(session)
            row = visible_ticket(session, by, ticket_id, actor)
            if row.version != seen_version:
                raise Overtaken(_overtaken_by(session, by, row, seen_version))
            if any(s.internal for s in by.state_machine.steps if s.event == event):
                raise NotAllowed(f"「{by.state_machine.events[event]}」只由系统在复核后办理，不能人工办理")
            if "content" in stated:
                raise PolicyRefusal("内容只能在目录或清单页面修改，在那里列出还缺少什么")
            take(session, by, row, event, Action(actor, stated, utc(at)))
            return ticket_of(session, by, row, actor, utc(at))

    def revised(self, document: Ticket, content: str, actor: Actor, at: datetime) -> Ticket:
        """The ticket of a draft with another content, complete or not; Overtaken as in `move`."""
        with self._session() as (session, by):
            audit_log.lock(session)
            row = visible_ticket(session, by, document.id, actor)
            if row.version != document.version:
                raise Overtaken(_overtaken_by(session, by, row, document.version))
            take(session, by, row, REVISE, Action(actor, {"content": content}, utc(at)))
            return ticket_of(session, by, row, actor, utc(at))

    def rechecked(self, ticket_id: str, proofs: Sequence[Proof], at: datetime) -> RecheckOutcome:
        """The outcome of a redelivery's proofs, one for each earlier delivery; the ticket closes only where no row remains."""
        with self._session() as (session, by):
            audit_log.lock(session)
            row = visible_ticket(session, by, ticket_id, SYSTEM)
            message = recheck.recheck(session, by, row, proofs, utc(at))
            return RecheckOutcome(ticket_of(session, by, row, SYSTEM, utc(at)), recheck.is_closed(row), message)

    def answer_returned(self, ticket_id: str, delivery: str, reason: str, at: datetime) -> Ticket:
        """The ticket after an answer that proves nothing: records the reason and a notice, once for each delivery."""
        with self._session() as (session, by):
            audit_log.lock(session)
            row = visible_ticket(session, by, ticket_id, SYSTEM)
            if by.state_machine.allows(row.kind, row.state, RETURN) and not _was_returned(session, row.id, delivery):
                take(session, by, row, RETURN, Action(SYSTEM, {"delivery": delivery, "reason": reason}, utc(at)))
                notices.answer_returned(session, by, row, reason, utc(at))
            return ticket_of(session, by, row, SYSTEM, utc(at))

    def commented(self, ticket_id: str, actor: Actor, text: str, at: datetime) -> Event:
        """The event of a comment; it changes neither state nor version."""
        if not may(actor, Right.COMMENT):
            raise NotAllowed("只有办理人员可以留言")
        if not text.strip():
            raise PolicyRefusal("留言是空的；请写明内容")
        with self._session() as (session, by):
            audit_log.lock(session)
            row = visible_ticket(session, by, ticket_id, actor)
            effects = {"text_sha256": text_hash(text)}
            draft = audit_log.EventDraft(row.id, "comment", row.state, row.state, {}, effects)
            event = audit_log.append(session, draft, actor, at)
            session.add(CommentRow(event=event.seq, ticket=row.id, text=text))
            return event_of(event)

    def waivers_expired(self, at: datetime) -> tuple[str, ...]:
        """Ids of the tickets whose waiver ended before the day of `at`; they are open again."""
        with self._session() as (session, by):
            audit_log.lock(session)
            today = by.keeper.local_day(utc(at))
            expired = select(WaiverRow.ticket).where(WaiverRow.ended_at.is_(None), WaiverRow.until < today)
            rows = session.scalars(select(TicketRow).where(TicketRow.id.in_(expired)).order_by(TicketRow.seq)).all()
            for row in rows:
                waiver = open_waiver(session, row.id)
                until = str(waiver.until) if waiver else ""
                take(session, by, row, "expire_waiver", Action(SYSTEM, {"until": until}, utc(at)))
            return tuple(row.id for row in rows)

    def overdue_escalated(self, at: datetime) -> tuple[str, ...]:
        """Ids of the tickets that are newly overdue; each is escalated once for each clock."""
        with self._session() as (session, by):
            audit_log.lock(session)
            late = select(TicketRow).where(TicketRow.id.in_(overdue(utc(at)))).order_by(TicketRow.seq)
            possible = [row for row in session.scalars(late) if by.state_machine.allows(row.kind, row.state, ESCALATE)]
            new = [row for row in possible if not was_escalated(session, row.id)]
            for row in new:
                take(session, by, row, ESCALATE, Action(SYSTEM, {"reason": "超过办理时限"}, utc(at)))
            return tuple(row.id for row in new)

    def calendar_loaded(self, year: CalendarYear, who: Actor, at: datetime) -> int:
        """Store a year's holidays; the number of running clocks whose end changed."""
        with self._session() as (session, _):
            audit_log.lock(session)
            keep_year(session, year, who, utc(at))
            session.flush()
            by = policies(session, self._zone, self._owners, self._checks)
            rows = session.scalars(select(ClockRow).where(ClockRow.stopped_at.is_(None))).all()
            changed = [row.ticket for row in rows if ticket_clocks.recompute(row, by.keeper, utc(at))]
            for row in session.scalars(select(TicketRow).where(TicketRow.id.in_(changed)).order_by(TicketRow.seq)):
                record(session, by, row, Passage("retime", row.state), Action(who, {"reason": year.source}, utc(at)))
            return len(changed)

    def remind(self, channels: Iterable[Channel], at: datetime) -> tuple[SentDigest, ...]:
        """Send each department its digest once on each channel; a failed one is retried next time."""
        outcomes = []
        for channel in channels:
            for digest in self.reminders(at, channel.name):
                if channel.reaches(digest.department):
                    outcomes.append(self._send(channel, digest, at))
        return tuple(outcomes)

    def _send(self, channel: Channel, digest: Digest, at: datetime) -> SentDigest:
        """The outcome; claims the digest first, so that concurrent senders do not both send it, and releases it on failure."""
        with self._session() as (session, _):
            claimed = claim(session, digest, channel.name, utc(at))
        if claimed is None:
            return SentDigest(digest.department, channel.name, 0, "")
        try:
            channel.send(claimed)
        except ServiceUnavailable as error:
            with self._session() as (session, _):
                release(session, claimed, channel.name)
            logger.warning("%s to %s: %s", channel.name, digest.department, error)
            return SentDigest(digest.department, channel.name, 0, str(error))
        return SentDigest(digest.department, channel.name, len(claimed.lines), "")


@contextmanager
def opened(settings: Settings, owners: Owners | None = None, checks: Checks | None = None) -> Iterator[Tickets]:
    """The tickets of the state database, migrated to the newest schema; closed at the end.

    Without `owners`, they are read from the settings' contracts when first needed. Without `checks`, no step is taken
    that a document must be complete for.
    """
    database = Database(settings.state_url())
    database.migrate()
    read = lru_cache(lambda: load_usable(settings.schemas, settings.expectations).providers())
    try:
        yield Tickets(database, owners or read, ZoneInfo(settings.timezone), checks)
    finally:
        database.close()


def remind(settings: Settings, at: datetime) -> tuple[SentDigest, ...]:
    """Send due reminders on every configured channel, after expiring waivers and escalating overdue tickets."""
    with opened(settings) as store:
        store.waivers_expired(at)
        store.overdue_escalated(at)
        return store.remind(channels(settings, store.database, at), at)


def _was_returned(session: Session, ticket: str, delivery: str) -> bool:
    all_facts = session.scalars(select(EventRow.facts).where(EventRow.ticket == ticket, EventRow.event == RETURN))
    return any(facts.get("delivery") == delivery for facts in all_facts)


def _overtaken_by(session: Session, by: Policies, row: TicketRow, seen_version: int) -> str:
    newest = (
        select(EventRow)
        .where(EventRow.ticket == row.id, EventRow.event != "comment")
        .order_by(EventRow.seq.desc())
        .limit(1)
    )
    last = session.scalars(newest).one()
    actor = f"{last.name}（{last.department}，{role_label(last.role)}）"
    when = utc(last.at).astimezone(by.keeper.zone)
    return (
        f"工单 {row.id} 已由{actor}于 {when:%Y-%m-%d %H:%M} 办理「{by.state_machine.event_label(last.event)}」，"
        f"现为「{by.state_machine.label(row.kind, row.state)}」（版本 {row.version}，您看到的是版本 {seen_version}）；请刷新后再办理"
    )
