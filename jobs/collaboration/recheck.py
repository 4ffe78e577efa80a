"""A re-check of a redelivery applied to a ticket: a complete proof closes it, a partial one reduces its remaining rows."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from jobs.collaboration.audit_log import lock
from jobs.collaboration.opening import count_rows, evidence
from jobs.collaboration.policies import Policies
from jobs.collaboration.state_machine import CLOSED
from jobs.collaboration.ticket_policy import OF_A_DELIVERY
from jobs.collaboration.ticket_tables import EvidenceRow, TicketRow
from jobs.collaboration.transitions import Action, take
from jobs.model.actor import SYSTEM
from jobs.model.proof import Proof, pooled

PASS, FALL_SHORT, SHRINK, MEND_PART = "pass", "fall_short", "shrink", "mend_part"


def recheck(session: Session, by: Policies, ticket: TicketRow, proofs: Sequence[Proof], at: datetime) -> str:
    """The effect of one delivery's proofs on the ticket, in Chinese; they are one event.

    The same proofs again, or ones of another rule version, do nothing.
    """
    lock(session)
    if by.state_machine.states[ticket.state].end:
        return f"工单已是「{by.state_machine.label(ticket.kind, ticket.state)}」，不再复核"
    proof = pooled(proofs)
    if proof.rule_version != ticket.rule_version:
        return (
            f"复核所用的规则版本 {proof.rule_version} 与工单的 {ticket.rule_version} 不同，不能据此关闭；"
            "请用工单的规则版本重新复核"
        )
    rows = evidence(session, ticket.id)
    covered = [(part, [row for row in rows if part.of in ("", row.delivery)]) for part in proofs]
    if refusal := _no_effect(rows, covered):
        return refusal
    short = sum(_apply(mine, part) for part, mine in covered)
    is_whole = proof.unproven() + short == 0
    session.flush()
    if rows:
        count_rows(session, ticket)
    else:  # a request, whose record was named by a person
        ticket.remaining_rows = proof.unproven()
    message = _words(ticket, proof, short)
    event = _event(by, ticket, proof, is_whole)
    if event:
        take(session, by, ticket, event, Action(SYSTEM, _facts(proof, message), at))
    return message


def _no_effect(rows: Sequence[EvidenceRow], covered: Sequence[tuple[Proof, list[EvidenceRow]]]) -> str:
    """Why the proofs change nothing, in Chinese; empty where they do."""
    for proof, mine in covered:
        if proof.of and not mine:
            return f"批次 {proof.of} 不在本工单中，复核证明与本工单无关"
    if rows and all(row.proof == _proof_json(proof) for proof, mine in covered for row in mine):
        return "同一份复核证明已处理过，没有变化"
    return ""


def _facts(proof: Proof, message: str) -> dict[str, Any]:
    return {"delivery": proof.delivery, "proof": _proof_json(proof), "reason": message}


def _proof_json(proof: Proof) -> dict[str, Any]:
    return asdict(proof) | {"fields_changed": list(proof.fields_changed)}


def _apply(covered: Sequence[EvidenceRow], proof: Proof) -> int:
    """How many remaining rows the proof does not cover; the rest is recorded on the newest of the rows that it covers."""
    if not covered:
        return 0
    known = sum(row.remaining_rows for row in covered)
    short = 0 if proof.rows_left is not None else max(0, known - proof.checked - proof.keyless)
    for row in covered:
        row.remaining_rows, row.proof = 0, _proof_json(proof)
    newest = covered[-1]
    newest.remaining_rows = proof.unproven() + short if proof.rows_left is None else proof.rows_left
    for row in covered:
        if not row.remaining_rows and row.delivery != proof.delivery:
            row.replaced_by = proof.delivery
    return short


def _event(by: Policies, ticket: TicketRow, proof: Proof, is_whole: bool) -> str:
    """The step that follows: closing where nothing is left; falling short only where the delivery was sent for the ticket.

    Empty for a delivery that was not sent for the ticket and corrects none of its rows.
    """
    possible = {step.event for step in by.state_machine.steps_from(ticket.kind, ticket.state)}
    part = SHRINK if SHRINK in possible else MEND_PART
    if ticket.remaining_rows == 0:
        return PASS
    if proof.is_directed and not is_whole and FALL_SHORT in possible:
        return FALL_SHORT
    return part if proof.is_directed or proof.mended else ""


def _words(ticket: TicketRow, proof: Proof, short: int) -> str:
    """What is proved and what remains, in Chinese."""
    parts = [f"批次 {proof.delivery} 复核 {proof.checked} 个主键，已改正 {proof.mended} 个"]
    if proof.rule_version == OF_A_DELIVERY:
        parts = [f"批次 {proof.delivery} 已通过这项检查，{proof.mended} 批的问题由此改正"]
    left = {
        "未改正": proof.remaining,
        "未重新报送": proof.missing(),
        "改正时又违反其他规则": proof.newly_broken,
        "没有主键无法核对": proof.keyless,
        "未被本次复核覆盖": short,
    }
    parts += [f"{name} {number} 个" for name, number in left.items() if number]
    if proof.absent and proof.deletion:
        parts.append(f"{proof.absent} 个已删除（{proof.deletion}）")
    if proof.fields_changed:
        parts.append(f"其他字段也有变化：{'、'.join(proof.fields_changed)}，请核对")
    if ticket.remaining_rows and not proof.unproven() + short:
        parts.append(f"其他批次还有 {ticket.remaining_rows} 处未改正")
    verdict = "全部改正，工单关闭" if ticket.remaining_rows == 0 else f"还有 {ticket.remaining_rows} 处，工单未关闭"
    return f"{'，'.join(parts)}；{verdict}"


def is_closed(ticket: TicketRow) -> bool:
    """Whether the ticket is closed."""
    return ticket.state == CLOSED
