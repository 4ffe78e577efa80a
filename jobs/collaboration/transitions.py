"""One step of a ticket: who may take it, which facts it requires, and its effects on ticket, clock and side tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.access.roles import acts_for_department, role_label
from jobs.collaboration import ticket_clocks
from jobs.collaboration.audit_log import EventDraft, append
from jobs.collaboration.notices import notify
from jobs.collaboration.policies import Policies
from jobs.collaboration.state_machine import CLOSED, PREVIOUS, SAME, StateMachine, Transition
from jobs.collaboration.ticket_tables import DisputeRow, EventRow, TicketRow, WaiverRow
from jobs.collaboration.visibility import note_party
from jobs.errors import NotAllowed, PolicyRefusal
from jobs.model.actor import Actor


@dataclass(frozen=True)
class Action:
    """Actor, stated facts and time (UTC) of a step; `effects` are recorded in addition to the usual ones."""

    actor: Actor
    facts: Mapping[str, Any]
    at: datetime
    effects: Mapping[str, Any] = field(default_factory=dict)


def take(session: Session, by: Policies, ticket: TicketRow, event: str, act: Action) -> EventRow:
    """The event of the step, taken; NotAllowed, InvalidTransition or PolicyRefusal where role, state or facts do not allow it."""
    dispute = open_dispute(session, ticket.id)
    # The target of an upheld dispute depends on its ground, which was stated when it was opened.
    step = by.state_machine.step(ticket.kind, ticket.state, event, dispute.ground if dispute else "")
    check_role(by.state_machine, step, act.actor, ticket)
    _check_facts(by, step, act, ticket)
    _check_document(by, step, ticket)
    before, target = ticket.state, _target(step, ticket)
    _leave(session, ticket, step, target, act)
    _enter(session, by, ticket, step, act)
    if target != before:
        ticket.previous_state, ticket.state = before, target
        ticket.closed_at = act.at if by.state_machine.states[target].end else None
        ticket.recurred += before == CLOSED
        # A proof that does not close is a redelivery that fell short.
        ticket.reopened += "proof" in step.requires and target != CLOSED
    ticket_clocks.update_clocks(session, by, ticket, step.clock == "restart", act.at)
    if dispute is not None and dispute.outcome:
        act = replace(act, effects={"dispute": dispute.outcome, "ground": dispute.ground})
    notify(session, by, ticket, event, act.at)
    return record(session, by, ticket, Passage(event, before), act)


@dataclass(frozen=True)
class Passage:
    """An event, and the state that the ticket had before it."""

    event: str
    before: str


def record(session: Session, by: Policies, ticket: TicketRow, passage: Passage, act: Action) -> EventRow:
    """The event in the chain, with its effects; increments the ticket's version."""
    ticket.version += 1
    # The event holds everything that metrics count, so that they are computed from the chain alone (ADR 0007).
    effects = {
        "kind": ticket.kind,
        "provider": ticket.provider,
        "version": ticket.version,
        "failed_rows": ticket.failed_rows,
        "remaining_rows": ticket.remaining_rows,
        "reopened": ticket.reopened,
        "recurred": ticket.recurred,
    }
    effects |= ticket_clocks.effects(session, by.keeper, ticket.id, act.at) | dict(act.effects)
    return append(
        session,
        EventDraft(ticket.id, passage.event, passage.before, ticket.state, dict(act.facts), effects),
        act.actor,
        act.at,
    )


def open_dispute(session: Session, ticket: str) -> DisputeRow | None:
    """The ticket's undecided dispute."""
    return session.scalar(select(DisputeRow).where(DisputeRow.ticket == ticket, DisputeRow.decided_at.is_(None)))


def open_waiver(session: Session, ticket: str) -> WaiverRow | None:
    """The ticket's waiver in force."""
    return session.scalar(select(WaiverRow).where(WaiverRow.ticket == ticket, WaiverRow.ended_at.is_(None)))


def may_take(state_machine: StateMachine, step: Transition, actor: Actor, ticket: TicketRow) -> bool:
    """Whether the actor's role, and department, may take the step."""
    try:
        check_role(state_machine, step, actor, ticket)
    except NotAllowed:
        return False
    return True


def check_role(state_machine: StateMachine, step: Transition, actor: Actor, ticket: TicketRow) -> None:
    """NotAllowed where the actor's role, or department, may not take the step."""
    name = state_machine.events[step.event]
    if actor.role not in step.roles:
        allowed = "、".join(role_label(role) for role in step.roles)
        raise NotAllowed(f"「{role_label(actor.role)}」不能「{name}」；须由{allowed}办理")
    # A reply is accepted or contested, a request cancelled, by the requester; every other step is for the responsible department.
    party = ticket.provider if step.party == "provider" else ticket.requester
    if acts_for_department(actor) and actor.department != party:
        raise NotAllowed(f"「{name}」须由 {party} 办理，您所在的部门是 {actor.department}")


def _target(step: Transition, ticket: TicketRow) -> str:
    return {SAME: ticket.state, PREVIOUS: ticket.previous_state}.get(step.to, step.to)


def _check_stated(state_machine: StateMachine, step: Transition, facts: Mapping[str, Any]) -> None:
    """PolicyRefusal where a required fact is missing or a fact is unknown."""
    name = state_machine.events[step.event]
    missing = [state_machine.facts[fact] for fact in step.requires if not facts.get(fact)]
    if missing:
        raise PolicyRefusal(f"「{name}」须写明{'、'.join(missing)}；请补充后再办理")
    unknown = [fact for fact in facts if fact not in state_machine.facts]
    if unknown:
        raise PolicyRefusal(f"不认识的事项 {'、'.join(unknown)}；可以写：{'、'.join(state_machine.facts)}")


def _check_facts(by: Policies, step: Transition, act: Action, ticket: TicketRow) -> None:
    facts = act.facts
    _check_stated(by.state_machine, step, facts)
    # Only facts that people enter need a check of their form.
    if step.internal:
        return
    if "until" in step.requires:
        _check_until(facts["until"], by.keeper.local_day(act.at), by.keeper.table.waiver_days)
    if "days" in step.requires and (not isinstance(facts["days"], int) or facts["days"] < 1):
        raise PolicyRefusal("延长数量须是正整数")
    if "provider" in step.requires:
        _check_provider(by, ticket, facts["provider"])
    if "ground" in step.requires:
        _check_ground(by.state_machine, ticket, facts["ground"])


def _check_document(by: Policies, step: Transition, ticket: TicketRow) -> None:
    """PolicyRefusal where the document lacks what the step's check asks for, all at once."""
    missing = by.check(step.check)(ticket.dataset, ticket.record) if step.check else ()
    if missing:
        raise PolicyRefusal(f"还不能「{by.state_machine.events[step.event]}」：{'；'.join(missing)}")


def _check_provider(by: Policies, ticket: TicketRow, provider: object) -> None:
    if provider == ticket.provider:
        raise PolicyRefusal(f"{ticket.provider} 已是责任单位；请写明改派到哪个单位")
    known = sorted(set(by.owners().values()))
    if provider not in known:
        raise PolicyRefusal(f"没有单位 {provider}，不能改派；可以是：{'、'.join(known)}")


def _check_until(until: object, today: date, most_days: int) -> None:
    try:
        last = date.fromisoformat(str(until))
    except ValueError as error:
        raise PolicyRefusal(f"豁免截止日 {until} 不是日期；请按 2026-06-30 的格式填写") from error
    if last < today:
        raise PolicyRefusal(f"豁免截止日 {last} 已过；请填写今天（{today}）或以后的日期")
    latest = today + timedelta(days=most_days)
    if last > latest:
        raise PolicyRefusal(f"豁免最长 {most_days} 天；截止日请填写 {latest} 或以前的日期，到期后可再次申请")


def _check_ground(state_machine: StateMachine, ticket: TicketRow, ground: str) -> None:
    decided = [s for s in state_machine.steps if s.ground and s.is_of(ticket.kind)]
    allowed = list(dict.fromkeys(s.ground for s in decided))
    if ground not in allowed:
        words = "、".join(f"{name}（{state_machine.grounds[name]}）" for name in allowed)
        raise PolicyRefusal(f"申诉类型 {ground} 不适用于{state_machine.kinds[ticket.kind]}；可以是：{words}")


def _leave(session: Session, ticket: TicketRow, step: Transition, target: str, act: Action) -> None:
    """End what belonged to the old state: a dispute, now decided or dropped, or a waiver."""
    if target == ticket.state:
        return
    dispute, waiver = open_dispute(session, ticket.id), open_waiver(session, ticket.id)
    if dispute is not None:
        decided = "dismissed" if "decision" in step.requires else "dropped"
        dispute.outcome = "upheld" if step.ground else decided
        dispute.decided_at, dispute.decided_by = act.at, act.actor.name
        dispute.decision = act.facts.get("decision")
    if waiver is not None:
        waiver.ended_at = act.at


def _enter(session: Session, by: Policies, ticket: TicketRow, step: Transition, act: Action) -> None:
    """Start what the step's required facts call for: a dispute, a waiver, another provider, an extension."""
    if step.internal:
        return
    facts, at = act.facts, act.at
    if "ground" in step.requires:
        session.add(
            DisputeRow(
                ticket=ticket.id,
                ground=facts["ground"],
                reason=facts["reason"],
                evidence=facts["evidence"],
                rule_version=ticket.rule_version,
                opened_at=at,
                opened_by=act.actor.name,
            )
        )
    if "until" in step.requires:
        until, approver = date.fromisoformat(facts["until"]), facts["approver"]
        waiver = WaiverRow(ticket=ticket.id, reason=facts["reason"], approver=approver, until=until, granted_at=at)
        session.add(waiver)
    if "provider" in step.requires:
        ticket.provider = facts["provider"]
        note_party(session, ticket)
    if "content" in step.requires:
        ticket.record = facts["content"]
    if step.clock == "extend":
        ticket_clocks.extend(session, by, ticket, facts["days"], at)
    if step.clock == "ask_extension":
        ticket_clocks.check_extension(session, by, ticket, facts["days"], at)
