"""Open tickets beside a new delivery: which of their failed keys came again, and what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.collaboration import Proof
from jobs.collaboration.issuing import OF_A_DELIVERY, rule_versions
from jobs.collaboration.ticket import OpenRows
from jobs.contracts import Catalogue, Contract
from jobs.lake.delivery import Delivery
from jobs.lake.lake import Lake
from jobs.lake.results import RuleRow
from jobs.lake.zones import Zone
from jobs.pipeline.rechecking import UNJUDGEABLE, verdicts_on
from jobs.pipeline.trying import newest, testable

NO_KEY = (None, "{}")
Keys = Mapping[str, set[str]]
"""Rule → keys."""


@dataclass(frozen=True)
class Judgement:
    """A judged delivery with its results."""

    contract: Contract
    delivery: Delivery
    results: tuple[RuleRow, ...]

    def result(self, rule: str) -> RuleRow | None:
        """The rule's result, where it ran."""
        return next((one for one in self.results if one.rule == rule), None)


@dataclass(frozen=True)
class _Seen:
    """What the new delivery shows of followed keys: which came, and which fail each rule that ran."""

    came: set[str]
    fails: Keys
    severe: frozenset[str]


def proofs(lake: Lake, catalogue: Catalogue, this: Judgement, standing: Sequence[OpenRows]) -> list[tuple[str, Proof]]:
    """(ticket, proof) of each open ticket that the delivery has something to say of.

    A delivery speaks for another that it replaces, for a ticket that it answers, and, where rows are merged by key,
    for keys that it holds. All keys of all tickets are judged in one pass over the delivery.
    """
    spoken = [one for one in standing if _speaks_for(lake, this, one)]
    of_rows = [one for one in spoken if one.rule_version != OF_A_DELIVERY]
    failed = {old: rows_by_rule(lake, this.contract, old) for old in {one.delivery for one in of_rows}}
    seen = _seen(lake, catalogue, this, failed)
    versions = rule_versions(catalogue.rules[this.contract.id])
    found = []
    for one in spoken:
        proof = _of_delivery(this, one) if one not in of_rows else _of_rows(lake, this, one, failed, seen, versions)
        if proof is not None:
            found.append((one.ticket, proof))
    return found


def rows_by_rule(lake: Lake, contract: Contract, delivery: str) -> dict[str, set[str]]:
    """Each rule's failed keys in a delivery, from its evidence; rows without a key are counted as keys of their own."""
    table = lake.arrow.open(lake.path(Zone.EVIDENCE, contract.id))
    if table is None:
        return {}
    found: dict[str, set[str]] = {}
    rows = table.to_pyarrow_table(columns=["rule", "key", "_file", "_row"], filters=[("_delivery", "=", delivery)])
    for batch in rows.to_batches():
        for rule, key, file, row in zip(*(batch[name].to_pylist() for name in batch.schema.names), strict=True):
            found.setdefault(rule, set()).add(f"{NO_KEY[0]}:{file}:{row}" if key in NO_KEY else key)
    return found


def _speaks_for(lake: Lake, this: Judgement, one: OpenRows) -> bool:
    if _replaces(lake, this.delivery, one) or this.contract.write.mode == "merge":
        return this.delivery.state not in UNJUDGEABLE or one.rule_version == OF_A_DELIVERY
    return one.rule_version == OF_A_DELIVERY


def _replaces(lake: Lake, delivery: Delivery, one: OpenRows) -> bool:
    """Whether the delivery is meant to mend this: it answers the ticket, or takes the other's place."""
    if one.ticket in delivery.answers:
        return True
    older = delivery.supersedes
    while older:
        if older == one.delivery:
            return True
        older = lake.ledger.get(older).supersedes
    return False


def _of_delivery(this: Judgement, one: OpenRows) -> Proof | None:
    """A check of a delivery as a whole is proven by the next one that passes it."""
    result = this.result(one.rule)
    if result is None or not result.success:
        return None
    return Proof(this.delivery.id, one.rule_version, 1, 1, 0, 0, 0, of=one.delivery)


def _seen(lake: Lake, catalogue: Catalogue, this: Judgement, failed: Mapping[str, Keys]) -> _Seen:
    contract = this.contract
    keys = sorted({key for by_rule in failed.values() for found in by_rule.values() for key in found if _is_key(key)})
    if not keys or not contract.key():
        return _Seen(set(), {}, frozenset())
    rules = testable(lake, catalogue.rules[contract.id], newest(lake))
    judged = verdicts_on(lake, contract, this.delivery, rules, keys)
    came = next((came for _, came, _ in judged.values()), set())
    severe = frozenset(rule.id for rule in rules if rule.severity != "info")
    return _Seen(came, {rule: fails for rule, (_, _, fails) in judged.items()}, severe)


def _of_rows(
    lake: Lake, this: Judgement, one: OpenRows, failed: Mapping[str, Keys], seen: _Seen, versions: Mapping[str, str]
) -> Proof | None:
    before = failed[one.delivery]
    mine = before.get(one.rule, set())
    if not mine:
        return _of_delivery(this, one) if _replaces(lake, this.delivery, one) else None
    keys = {key for key in mine if _can_follow(this, one.rule, key)}
    came, lost = keys & seen.came, len(mine) - len(keys)
    is_whole = _replaces(lake, this.delivery, one) and _passes_whole(this, one, len(mine))
    if not came and not (is_whole and lost):
        return None
    fails = seen.fails.get(one.rule, keys)
    return Proof(
        delivery=this.delivery.id,
        rule_version=versions.get(one.rule, ""),
        checked=len(keys) + (lost if is_whole else 0),
        mended=len(came - fails) + (lost if is_whole else 0),
        remaining=len(came & fails),
        absent=len(keys - came),
        newly_broken=len(_damaged(one.rule, keys, before, seen)),
        of=one.delivery,
        keyless=0 if is_whole else lost,
    )


def _can_follow(this: Judgement, rule: str, key: str) -> bool:
    """Whether a mended row still has this key: it is whole, and the rule is not about the key itself."""
    names = this.contract.key()
    result = this.result(rule)
    about = set(result.fields.split(",")) if result else set()
    return _is_key(key) and not about & set(names) and all(f'"{name}":' in key for name in names)


def _passes_whole(this: Judgement, one: OpenRows, failed: int) -> bool:
    """Whether rows that cannot be followed are proven too: enough rows came, and none of them breaks the rule."""
    result = this.result(one.rule)
    return result is not None and result.unexpected_count == 0 and result.element_count >= failed


def _damaged(rule: str, keys: set[str], before: Keys, seen: _Seen) -> set[str]:
    """Keys that broke on the way: the ticket's own that fail another rule now, and followed ones that fail this one."""
    followed = {key for found in before.values() for key in found}
    damaged = (followed & seen.fails.get(rule, set())) - before.get(rule, set())
    for other, fails in seen.fails.items():
        if other != rule and other in seen.severe:
            damaged |= (keys & fails) - before.get(other, set())
    return damaged


def _is_key(key: str) -> bool:
    return key.startswith("{")
