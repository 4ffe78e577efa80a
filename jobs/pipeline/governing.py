"""Results → tickets: what a delivery breaks is found, and what it mends of open tickets is proven on the very keys."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.collaboration import MACHINE, Issue, Outcome, Proof, Tickets
from jobs.collaboration.issuing import issues, rule_versions
from jobs.collaboration.ticket import OpenRows
from jobs.contracts import Catalogue, Contract
from jobs.lake.delivery import Delivery
from jobs.lake.lake import Lake
from jobs.lake.results import Results, RuleRow
from jobs.pipeline.desk import desk
from jobs.pipeline.proving import Judgement, proofs, rows_by_rule
from jobs.pipeline.standing import keep_standing
from jobs.reporting.causes import causes

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Governed:
    """Tickets of what the delivery breaks, and what it did to tickets that were open before."""

    delivery: str
    tickets: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


def govern(lake: Lake, catalogue: Catalogue, delivery_id: str) -> Governed:
    """The tickets of one judged delivery; again with the same delivery changes nothing."""
    delivery = lake.ledger.get(delivery_id)
    contract = catalogue.contract(delivery.dataset)
    results = Results(lake.arrow, lake.settings.s3_bucket).rules([("delivery", "=", delivery_id)])
    with desk(lake, catalogue) as tickets:
        now = datetime.now(UTC)
        standing = tickets.open_rows(contract.id)
        before = tuple(one for one in standing if one.delivery != delivery_id)
        proven = proofs(lake, catalogue, Judgement(contract, delivery, tuple(results)), before)
        found = tickets.found(_issues(lake, catalogue, contract, delivery, results, proven, before), now)
        known = {one.ticket for one in standing if one.delivery == delivery_id}
        _tell_causes(lake, contract, delivery_id, results, [t for t in found if t not in known], tickets, now)
        outcomes = tuple(tickets.rechecked(ticket, proof, now) for ticket, proof in proven)
        keep_standing(lake, contract, tickets, now)
    lake.ledger.governed(delivery_id, now)
    for outcome in outcomes:
        logger.info("%s: ticket %s %s", contract.id, outcome.ticket.id, outcome.ticket.state)
    return Governed(delivery_id, tuple(dict.fromkeys(found)), outcomes)


def governed(lake: Lake, catalogue: Catalogue, *asked: str) -> list[Governed]:
    """The tickets of the deliveries asked for, in order of arrival."""
    return [govern(lake, catalogue, one.id) for one in lake.ledger.deliveries() if one.id in asked]


def _tell_causes(  # noqa: PLR0913 - one call, all of it known there
    lake: Lake,
    contract: Contract,
    delivery: str,
    results: Sequence[RuleRow],
    new: Sequence[str],
    tickets: Tickets,
    now: datetime,
) -> None:
    """Hints on common causes, said on the tickets that this delivery opened or added to."""
    rules = {tickets.ticket(one, MACHINE, now).rule: one for one in new}
    fields = {r.rule: [name for name in r.fields.split(",") if name] for r in results if r.rule in rules}
    for rule, hints in causes(lake, contract, delivery, fields).items():
        tickets.commented(rules[rule], MACHINE, f"批次 {delivery} 可能的共同原因：{'；'.join(hints)}", now)


def _issues(  # noqa: PLR0913 - one call, all of it known there
    lake: Lake,
    catalogue: Catalogue,
    contract: Contract,
    delivery: Delivery,
    results: Sequence[RuleRow],
    proven: Sequence[tuple[str, Proof]],
    before: Sequence[OpenRows],
) -> list[Issue]:
    keys = {rule: len(found) for rule, found in rows_by_rule(lake, contract, delivery.id).items()}
    return issues(contract, results, rule_versions(catalogue.rules[contract.id]), keys, _replaced(proven, before))


def _replaced(proven: Sequence[tuple[str, Proof]], before: Sequence[OpenRows]) -> Mapping[str, str]:
    """Rule → the delivery whose failed keys came again now: its evidence gives way to that of this delivery."""
    rules = {one.ticket: one.rule for one in before}
    return {rules[ticket]: proof.of for ticket, proof in proven if proof.of}
