"""Results → tickets: what a delivery breaks is found, and what it mends of open tickets is proven on the very rows."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.collaboration import Tickets
from jobs.collaboration.ticket_policy import OF_A_DELIVERY, KnownRows, issues, rule_versions
from jobs.contracts import Contract, Registry
from jobs.errors import Unknown
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.model.actor import SYSTEM
from jobs.model.delivery import Delivery, State
from jobs.model.proof import RecheckOutcome
from jobs.model.rule_result import RuleRow
from jobs.model.ticket import OpenRows
from jobs.pipeline.correction_notes import comment_correction_notes
from jobs.pipeline.failed_rows import Rows, failed_rows, write_proofs
from jobs.pipeline.open_rows import requested_rows
from jobs.pipeline.recheck import Recheck, RecheckRequest, Redelivery, can_follow
from jobs.pipeline.recheck_delivery import UNJUDGEABLE, new_delivery, rechecks
from jobs.pipeline.ticket_store import open_tickets
from jobs.pipeline.ticket_table import write_ticket_table
from jobs.reporting.causes import causes

logger = logging.getLogger(__name__)
UNPUBLISHED = (*UNJUDGEABLE, State.REFUSED)
"""States of deliveries whose rows reached no table of good rows, so that they mend nothing."""
NO_MATCH = "数据中没有一行与本工单待改的行对得上；请使用本工单的整改包，不要改动主键列"


@dataclass(frozen=True)
class TicketChanges:
    """Tickets of what the delivery breaks, and what it did to tickets that were open before."""

    delivery: str
    tickets: tuple[str, ...]
    outcomes: tuple[RecheckOutcome, ...]


def govern(lake: Lake, registry: Registry, delivery_id: str) -> TicketChanges:
    """The tickets of one judged delivery; again with the same delivery changes nothing."""
    delivery = lake.ledger.get(delivery_id)
    contract = registry.contract(delivery.dataset)
    results = Results(lake.delta, lake.settings.s3_bucket).rules([("delivery", "=", delivery_id)])
    with open_tickets(lake, registry) as tickets:
        now = datetime.now(UTC)
        open_now = tickets.open_rows(contract.id)
        new = new_delivery(registry, contract, delivery, results, _replaced(lake, delivery))
        earlier = [one for one in open_now if one.delivery != delivery_id]
        asked = requested_rows(lake, contract, new.rules, earlier, but=delivery_id)
        proven = rechecks(lake, registry, new, [one for one in asked if _is_asked(new, one, asked)])
        write_proofs(lake, contract, delivery, proven, now)
        known = _known(failed_rows(lake, contract, delivery_id), new, asked, proven)
        versions = rule_versions(registry.rules[contract.id])
        found = tickets.found(issues(contract, results, versions, known, delivery.is_answer()), now)
        new_tickets = _beside(found, open_now, delivery_id)
        _tell_causes(lake, contract, delivery_id, results, _Commenting(tickets, new_tickets, now))
        outcomes = _applied(tickets, proven, now)
        comment_correction_notes(lake, tickets, delivery, now)
        _tell_returned(tickets, delivery, {one.asked.ticket for one in proven}, now)
        write_ticket_table(lake, contract, tickets, now)
    lake.ledger.governed(delivery_id, now)
    for outcome in outcomes:
        logger.info("%s: ticket %s %s", contract.id, outcome.ticket.id, outcome.ticket.state)
    return TicketChanges(delivery_id, tuple(dict.fromkeys(found)), outcomes)


def _beside(tickets: Sequence[str], open_now: Sequence[OpenRows], delivery: str) -> tuple[str, ...]:
    """Those of the tickets that held nothing of the delivery before."""
    before = {rows.ticket for rows in open_now if rows.delivery == delivery}
    return tuple(ticket for ticket in tickets if ticket not in before)


def _applied(tickets: Tickets, proven: Sequence[Recheck], now: datetime) -> tuple[RecheckOutcome, ...]:
    """What the proofs did to their tickets."""
    return tuple(
        tickets.rechecked(ticket, [recheck.proof for recheck in rechecks_of_it], now)
        for ticket, rechecks_of_it in _by_ticket(proven)
    )


def governed(lake: Lake, registry: Registry, *asked: str) -> list[TicketChanges]:
    """The tickets of the deliveries asked for, in order of arrival."""
    return [govern(lake, registry, one.id) for one in lake.ledger.deliveries() if one.id in asked]


def _replaced(lake: Lake, delivery: Delivery) -> dict[str, int]:
    """Deliveries whose place this one takes, with the rows that they had."""
    found: dict[str, int] = {}
    older = delivery.supersedes
    while older and older not in found:
        one = lake.ledger.get(older)
        found[older] = one.counted_rows or 0
        older = one.supersedes
    return found


def _is_asked(new: Redelivery, one: RecheckRequest, every: Sequence[RecheckRequest]) -> bool:
    """Whether the delivery speaks of these rows: it was sent for them, or holds rows of the same tickets' deliveries,
    or rows are merged by key anyway. What reached no curated table mends no row."""
    if one.rule_version == OF_A_DELIVERY:
        return not new.delivery.is_answer()
    if new.delivery.state in UNPUBLISHED:
        return False
    answered = {other.delivery for other in every if other.ticket in new.delivery.answers}
    return new.contract.write.mode == "merge" or new.is_sent_for(one) or one.delivery in answered


def _known(
    failed: Mapping[str, Rows], new: Redelivery, asked: Sequence[RecheckRequest], proven: Sequence[Recheck]
) -> dict[str, KnownRows]:
    """By rule: failing rows of the delivery that the rule's ticket holds already."""
    held: dict[str, dict[str, int]] = {}
    for one in proven:
        mine = held.setdefault(one.asked.rule, {})
        for key in one.remaining:
            mine[key] = mine.get(key, 0) + one.asked.keys[key]
    found = {}
    for rule, rows in failed.items():
        mine = held.get(rule, {})
        followed = sum(min(number, mine.get(key, 0)) for key, number in rows.items())
        rest = sum(number for key, number in rows.items() if not can_follow(new.contract, new.rules.get(rule), key))
        open_keyless = sum(one.keyless for one in asked if one.rule == rule)
        found[rule] = KnownRows(followed, min(rest, open_keyless) if new.delivery.is_answer() else 0)
    return found


def _by_ticket(proven: Sequence[Recheck]) -> Iterator[tuple[str, list[Recheck]]]:
    grouped: dict[str, list[Recheck]] = {}
    for one in proven:
        grouped.setdefault(one.asked.ticket, []).append(one)
    yield from grouped.items()


def _tell_returned(tickets: Tickets, delivery: Delivery, proven: set[str], now: datetime) -> None:
    """Say on each ticket that was answered in vain why nothing is proven by it."""
    reason = delivery.reason if delivery.state in UNPUBLISHED else NO_MATCH
    for ticket in delivery.answers:
        if ticket in proven:
            continue
        try:
            tickets.answer_returned(ticket, delivery.id, reason or NO_MATCH, now)
        except Unknown:
            logger.warning("%s: delivery %s answers %s, which is no ticket", delivery.dataset, delivery.id, ticket)


@dataclass(frozen=True)
class _Commenting:
    """Tickets that a comment is for, where they are kept, and when it is said."""

    tickets: Tickets
    ids: tuple[str, ...]
    at: datetime


def _tell_causes(
    lake: Lake, contract: Contract, delivery: str, results: Sequence[RuleRow], commenting: _Commenting
) -> None:
    """Hints on common causes, said on the tickets that this delivery opened or added to."""
    tickets, now = commenting.tickets, commenting.at
    rules = {tickets.ticket(ticket, SYSTEM, now).rule: ticket for ticket in commenting.ids}
    fields = {r.rule: [name for name in r.fields.split(",") if name] for r in results if r.rule in rules}
    for rule, hints in causes(lake, contract, delivery, fields).items():
        tickets.commented(rules[rule], SYSTEM, f"批次 {delivery} 可能的共同原因：{'；'.join(hints)}", now)
