"""Redeliveries evaluated on exactly the rows that failed: for open tickets, and on demand for any delivery."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from jobs.collaboration.ticket_policy import rule_versions, ticket_policy
from jobs.contracts import Contract, Registry, Rule
from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.model.delivery import Delivery, State
from jobs.model.proof import Proof
from jobs.model.rule_result import RuleRow
from jobs.pipeline.failed_rows import failed_rows
from jobs.pipeline.key_verdicts import key_verdicts
from jobs.pipeline.open_rows import request_for
from jobs.pipeline.recheck import Keys, KeyVerdicts, Recheck, RecheckRequest, Redelivery, suspected
from jobs.pipeline.recheck import recheck as recheck_rows

UNJUDGEABLE = (State.OPEN, State.LANDED, State.UNREADABLE)


def recheck(lake: Lake, registry: Registry, delivery_id: str, against: str = "") -> list[Recheck]:
    """What `against`, or the delivery that replaced this one, proves of each rule's failed rows; nothing is written.

    The same proof closes tickets: rules whose severity opens tickets, current versions, damage included.
    """
    before = lake.ledger.get(delivery_id)
    after = _redelivery(lake, before, against)
    contract = registry.contract(before.dataset)
    if not contract.key():
        raise UserError(f"{contract.id} has no primary key, so its rows cannot be followed from delivery to delivery")
    results = Results(lake.delta, lake.settings.s3_bucket).rules([("delivery", "=", after.id)])
    severities = {row.rule: row.severity for row in results}
    severities |= {rule.id: rule.severity for rule in registry.rules[contract.id]}
    requests = [
        request
        for request in _requests(lake, registry, contract, before.id)
        if severities.get(request.rule, "critical") in ticket_policy().severities
    ]
    new = new_delivery(registry, contract, after, results, {before.id: before.counted_rows or 0})
    rechecked = {recheck.request.rule: recheck for recheck in rechecks(lake, registry, new, requests)}
    return [rechecked.get(request.rule) or _not_redelivered(request, new) for request in requests]


def _requests(lake: Lake, registry: Registry, contract: Contract, delivery: str) -> Iterator[RecheckRequest]:
    """The failed rows of a delivery, rule by rule."""
    rules = {rule.id: rule for rule in registry.rules[contract.id]}
    versions = rule_versions(registry.rules[contract.id])
    for rule, rows in sorted(failed_rows(lake, contract, delivery).items()):
        yield request_for(contract, rules.get(rule), RecheckRequest("", rule, versions.get(rule, ""), delivery), rows)


def _not_redelivered(request: RecheckRequest, new: Redelivery) -> Recheck:
    absent = len(request.keys)
    version = new.versions.get(request.rule, "")
    return Recheck(
        request, Proof(new.delivery.id, version, absent, 0, 0, absent, 0, of=request.delivery, keyless=request.keyless)
    )


def new_delivery(
    registry: Registry,
    contract: Contract,
    delivery: Delivery,
    results: Sequence[RuleRow],
    replaces: Mapping[str, int],
) -> Redelivery:
    """The delivery with what re-checks need."""
    rules = registry.rules[contract.id]
    by_rule = {row.rule: row for row in results}
    return Redelivery(delivery, contract, by_rule, {rule.id: rule for rule in rules}, rule_versions(rules), replaces)


def rechecks(lake: Lake, registry: Registry, new: Redelivery, requests: Sequence[RecheckRequest]) -> list[Recheck]:
    """What the delivery proves of each request; all keys of all requests are evaluated in one pass.

    A rule that no longer runs proves nothing: its rows remain.
    """
    severe = [rule for rule in registry.rules[new.contract.id] if rule.severity in ticket_policy().severities]
    keys = sorted({key for request in requests for key in request.keys})
    verdicts = key_verdicts(lake, new.contract, new.delivery, severe, keys)

    @cache
    def damage(delivery: str) -> Keys:
        """A row that failed before already was not damaged by its correction; one evaluation for all requests."""
        broken = [suspected(request, verdicts) for request in requests if request.delivery == delivery]
        named = [rule for rule in severe if any(rule.id in rules for rules in broken)]
        broken_keys = sorted({key for rules in broken for keys in rules.values() for key in keys})
        return _verdicts_before(lake, new.contract, lake.ledger.get(delivery), named, broken_keys).fails

    outcomes = (recheck_rows(request, new, verdicts, damage) for request in requests)
    return [outcome for outcome in outcomes if outcome is not None]


def _verdicts_before(
    lake: Lake, contract: Contract, delivery: Delivery, rules: Sequence[Rule], keys: Sequence[str]
) -> KeyVerdicts:
    return KeyVerdicts() if delivery.state in UNJUDGEABLE else key_verdicts(lake, contract, delivery, rules, keys)


def _redelivery(lake: Lake, before: Delivery, against: str) -> Delivery:
    name = against or before.superseded_by
    if not name:
        raise UserError(f"{before.id} was not replaced; name the redelivery with --against")
    after = lake.ledger.get(name)
    if after.dataset != before.dataset:
        raise UserError(f"{after.id} is of {after.dataset}, {before.id} of {before.dataset}")
    if after.state in UNJUDGEABLE:
        raise UserError(f"{after.id} is not in bronze (state {after.state}); load it first")
    return after
