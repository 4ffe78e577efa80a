"""Results → tickets: a delivery opens tickets for the rules it fails, and closes tickets whose rows it proves corrected."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.collaboration import Tickets
from jobs.collaboration.ticket_policy import OF_A_DELIVERY, KnownRows, issues, rule_versions, without_alarms
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
from jobs.pipeline.failed_rows import Rows, broken_by_malformed_rows_alone, failed_rows, write_proofs
from jobs.pipeline.open_rows import requested_rows
from jobs.pipeline.recheck import Recheck, RecheckRequest, Redelivery, can_follow
from jobs.pipeline.recheck_delivery import UNJUDGEABLE, new_delivery, rechecks
from jobs.pipeline.ticket_store import open_tickets
from jobs.pipeline.ticket_table import write_ticket_table
from jobs.reporting.causes import causes

logger = logging.getLogger(__name__)
UNPUBLISHED = (*UNJUDGEABLE, State.REFUSED)
"""States of deliveries without rows in silver, which correct nothing."""
NO_MATCH = "数据中没有一行与本工单待改的行对得上；请使用本工单的整改包，不要改动主键列"
STILL_FAILING = "报回的数据仍有 {rows} 行不符合本工单的规则，没有一行改正；请改正后重新上传整改包"


@dataclass(frozen=True)
class TicketChanges:
    """Tickets of the rules that the delivery fails, and its outcomes for tickets that were open before."""

    delivery: str
    tickets: tuple[str, ...]
    outcomes: tuple[RecheckOutcome, ...]


def govern(lake: Lake, registry: Registry, delivery_id: str) -> TicketChanges:
    """The ticket changes of one evaluated delivery; idempotent."""
    delivery = lake.ledger.get(delivery_id)
    contract = registry.contract(delivery.dataset)
    results = Results(lake.delta, lake.settings.s3_bucket).rules([("delivery", "=", delivery_id)])
    with open_tickets(lake, registry) as tickets:
        now = datetime.now(UTC)
        open_rows = tickets.open_rows(contract.id)
        new = new_delivery(registry, contract, delivery, results, _replaced(lake, delivery))
        earlier = [rows for rows in open_rows if rows.delivery != delivery_id]
        requests = requested_rows(lake, contract, new.rules, earlier, except_by=delivery_id)
        proven = rechecks(lake, registry, new, [request for request in requests if _concerns(new, request, requests)])
        write_proofs(lake, contract, delivery, proven, now)
        known_rows = _known(failed_rows(lake, contract, delivery_id), new, requests, proven)
        rules = registry.rules[contract.id]
        consequences = broken_by_malformed_rows_alone(lake, contract, delivery_id, results)
        faults = [result for result in without_alarms(results, rules) if result.rule not in consequences]
        found = issues(contract, faults, rule_versions(rules), known_rows, delivery.is_answer())
        ticket_ids = tickets.found(found, now)
        new_tickets = _newly_affected(ticket_ids, open_rows, delivery_id)
        _comment_causes(lake, contract, delivery_id, results, _Commenting(tickets, new_tickets, now))
        outcomes = _applied(tickets, proven, now)
        comment_correction_notes(lake, tickets, delivery, now)
        _comment_returned(tickets, new, {recheck.request.ticket for recheck in proven}, now)
        write_ticket_table(lake, contract, tickets, now)
    lake.ledger.governed(delivery_id, now)
    for outcome in outcomes:
        logger.info("%s: ticket %s %s", contract.id, outcome.ticket.id, outcome.ticket.state)
    return TicketChanges(delivery_id, tuple(dict.fromkeys(ticket_ids)), outcomes)


def _newly_affected(tickets: Sequence[str], open_rows: Sequence[OpenRows], delivery: str) -> tuple[str, ...]:
    """Those of the tickets that had no rows of the delivery before."""
    before = {rows.ticket for rows in open_rows if rows.delivery == delivery}
    return tuple(ticket for ticket in tickets if ticket not in before)


def _applied(tickets: Tickets, proven: Sequence[Recheck], now: datetime) -> tuple[RecheckOutcome, ...]:
    """The outcomes of the proofs for their tickets."""
    return tuple(
        tickets.rechecked(ticket, [recheck.proof for recheck in rechecks_of_it], now)
        for ticket, rechecks_of_it in _by_ticket(proven)
    )


def governed(lake: Lake, registry: Registry, *requested: str) -> list[TicketChanges]:
    """The ticket changes of the requested deliveries, in order of arrival."""
    return [govern(lake, registry, delivery.id) for delivery in lake.ledger.deliveries() if delivery.id in requested]


def _replaced(lake: Lake, delivery: Delivery) -> dict[str, int]:
    """Deliveries that this one replaces, with their row counts."""
    counted_rows: dict[str, int] = {}
    older = delivery.supersedes
    while older and older not in counted_rows:
        replaced = lake.ledger.get(older)
        counted_rows[older] = replaced.counted_rows or 0
        older = replaced.supersedes
    return counted_rows


def _concerns(new: Redelivery, request: RecheckRequest, requests: Sequence[RecheckRequest]) -> bool:
    """Whether the delivery may correct these rows: it was sent for them, or answers a ticket of the same delivery, or rows
    are merged by key. An unpublished delivery corrects nothing."""
    if request.rule_version == OF_A_DELIVERY:
        return not new.delivery.is_answer()
    if new.delivery.state in UNPUBLISHED:
        return False
    answered = {other.delivery for other in requests if other.ticket in new.delivery.answers}
    return new.contract.write.mode == "merge" or new.is_sent_for(request) or request.delivery in answered


def _known(
    failed: Mapping[str, Rows], new: Redelivery, requests: Sequence[RecheckRequest], proven: Sequence[Recheck]
) -> dict[str, KnownRows]:
    """By rule: failing rows of the delivery that its ticket already has."""
    remaining: dict[str, dict[str, int]] = {}
    for recheck in proven:
        by_key = remaining.setdefault(recheck.request.rule, {})
        for key in recheck.remaining:
            by_key[key] = by_key.get(key, 0) + recheck.request.keys[key]
    known = {}
    for rule, rows in failed.items():
        by_key = remaining.get(rule, {})
        followed = sum(min(number, by_key.get(key, 0)) for key, number in rows.items())
        rest = sum(number for key, number in rows.items() if not can_follow(new.contract, new.rules.get(rule), key))
        open_keyless = sum(request.keyless for request in requests if request.rule == rule)
        known[rule] = KnownRows(followed, min(rest, open_keyless) if new.delivery.is_answer() else 0)
    return known


def _by_ticket(proven: Sequence[Recheck]) -> Iterator[tuple[str, list[Recheck]]]:
    grouped: dict[str, list[Recheck]] = {}
    for recheck in proven:
        grouped.setdefault(recheck.request.ticket, []).append(recheck)
    yield from grouped.items()


def _comment_returned(tickets: Tickets, new: Redelivery, proven: set[str], now: datetime) -> None:
    """Comment on each ticket that the delivery answers without proof, with the reason."""
    delivery = new.delivery
    for ticket in delivery.answers:
        if ticket in proven:
            continue
        try:
            reason = _why_returned(new, tickets.ticket(ticket, SYSTEM, now).rule)
            tickets.answer_returned(ticket, delivery.id, reason, now)
        except Unknown:
            logger.warning("%s: delivery %s answers %s, which is not a ticket", delivery.dataset, delivery.id, ticket)


def _why_returned(new: Redelivery, rule: str) -> str:
    """Why an answer proves nothing of a ticket on the rule: it was not accepted, fails the rule still, or has none of its rows."""
    if new.delivery.state in UNPUBLISHED and new.delivery.reason:
        return new.delivery.reason
    result = new.results.get(rule)
    return STILL_FAILING.format(rows=result.unexpected_count) if result and result.unexpected_count else NO_MATCH


@dataclass(frozen=True)
class _Commenting:
    """The tickets to comment on, their store, and the time of the comment."""

    tickets: Tickets
    ids: tuple[str, ...]
    at: datetime


def _comment_causes(
    lake: Lake, contract: Contract, delivery: str, results: Sequence[RuleRow], commenting: _Commenting
) -> None:
    """Comment hints on common causes on the tickets that this delivery opened or added to."""
    tickets, now = commenting.tickets, commenting.at
    rules = {tickets.ticket(ticket, SYSTEM, now).rule: ticket for ticket in commenting.ids}
    fields = {r.rule: [name for name in r.fields.split(",") if name] for r in results if r.rule in rules}
    for rule, hints in causes(lake, contract, delivery, fields).items():
        tickets.commented(rules[rule], SYSTEM, f"批次 {delivery} 可能的共同原因：{'；'.join(hints)}", now)
