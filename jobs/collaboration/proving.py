"""A re-check of a redelivery applied to a ticket: it closes on a whole proof, and shrinks by what a partial one shows."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from jobs.collaboration.actors import MACHINE
from jobs.collaboration.chain import lock
from jobs.collaboration.finding import count, evidence
from jobs.collaboration.machine import CLOSED
from jobs.collaboration.moving import Act, take
from jobs.collaboration.policies import Policies
from jobs.collaboration.ticket import Proof
from jobs.collaboration.ticket_tables import EvidenceRow, TicketRow

WAY = ("redeliver", "recheck")
PASS, FALL_SHORT, SHRINK, MEND_PART = "pass", "fall_short", "shrink", "mend_part"


def recheck(session: Session, by: Policies, ticket: TicketRow, proof: Proof, at: datetime) -> str:
    """What the proof did to the ticket, in Chinese. The same proof again, or one of another rule version, does nothing."""
    lock(session)
    if by.machine.states[ticket.state].end:
        return f"工单已是「{by.machine.label(ticket.kind, ticket.state)}」，不再复核"
    if proof.rule_version != ticket.rule_version:
        return (
            f"复核所用的规则版本 {proof.rule_version} 与工单的 {ticket.rule_version} 不同，不能据此关闭；"
            "请用工单的规则版本重新复核"
        )
    covered = [row for row in evidence(session, ticket.id) if proof.of in ("", row.delivery)]
    if proof.of and not covered:
        return f"批次 {proof.of} 不在本工单中，复核证明与本工单无关"
    shown = asdict(proof) | {"fields_changed": list(proof.fields_changed)}
    if covered and all(row.proof == shown for row in covered):
        return "同一份复核证明已处理过，没有变化"
    short = _uncovered(covered, proof)
    if covered:
        _apply(covered, proof, shown, short)
        session.flush()
        count(session, ticket)
    else:  # a request, whose record a person named
        ticket.remaining_rows = proof.unproven()
    message = _words(ticket, proof, short)
    facts = {"delivery": proof.delivery, "proof": shown, "reason": message}
    _take(session, by, ticket, facts, proof.unproven() + short == 0, at)
    return message


def _uncovered(covered: list[EvidenceRow], proof: Proof) -> int:
    """Failed keys, where they were counted, that the proof does not speak of."""
    known = sum(row.failed_keys or 0 for row in covered if row.remaining_rows + row.absent_rows)
    return max(0, known - proof.checked - proof.keyless)


def _apply(covered: list[EvidenceRow], proof: Proof, shown: dict[str, Any], short: int) -> None:
    """What is left stands with the newest of the deliveries that the proof speaks of."""
    for row in covered:
        row.remaining_rows, row.absent_rows, row.proof = 0, 0, shown
    standing = [row for row in covered if not row.replaced_by]
    newest = (standing or covered)[-1]
    newest.absent_rows = proof.missing()
    newest.remaining_rows = proof.remaining + proof.newly_broken + proof.keyless + short


def _take(
    session: Session, by: Policies, ticket: TicketRow, facts: dict[str, Any], is_whole: bool, at: datetime
) -> None:
    """The steps that the proof makes: to the end where nothing is left; not back where only other deliveries are left."""
    is_last = ticket.remaining_rows == 0
    possible = {step.event for step in by.machine.steps_from(ticket.kind, ticket.state)}
    stays = SHRINK if SHRINK in possible else MEND_PART if is_whole else ""
    if stays and not is_last:
        take(session, by, ticket, stays, Act(MACHINE, facts, at))
        return
    for event in WAY:
        take(session, by, ticket, event, Act(MACHINE, {"delivery": facts["delivery"]}, at))
    take(session, by, ticket, PASS if is_last else FALL_SHORT, Act(MACHINE, facts, at))


def _words(ticket: TicketRow, proof: Proof, short: int) -> str:
    """What is proven and what remains, in Chinese."""
    said = [f"批次 {proof.delivery} 复核 {proof.checked} 个主键，已改正 {proof.mended} 个"]
    left = {
        "未改正": proof.remaining,
        "未重新报送": proof.missing(),
        "新出现同类问题": proof.newly_broken,
        "没有主键无法核对": proof.keyless,
        "未被本次复核覆盖": short,
    }
    said += [f"{name} {number} 个" for name, number in left.items() if number]
    if proof.absent and proof.deletion:
        said.append(f"{proof.absent} 个已删除（{proof.deletion}）")
    if proof.fields_changed:
        said.append(f"其他字段也有变化：{'、'.join(proof.fields_changed)}，请核对")
    elsewhere = ticket.remaining_rows - proof.unproven() - short
    if elsewhere > 0:
        said.append(f"其他批次还有 {elsewhere} 处未改正")
    verdict = "全部改正，工单关闭" if ticket.remaining_rows == 0 else f"还有 {ticket.remaining_rows} 处，工单未关闭"
    return f"{'，'.join(said)}；{verdict}"


def is_closed(ticket: TicketRow) -> bool:
    """Whether the ticket closed."""
    return ticket.state == CLOSED
