"""A new delivery asked about rows that failed before: which came again, which pass now, what the correction damaged. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from jobs.collaboration.ticket_policy import OF_A_DELIVERY
from jobs.contracts import Contract, Rule
from jobs.model.delivery import Delivery
from jobs.model.proof import Proof
from jobs.model.rule_result import RuleRow

UNIQUE = ("expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique")
Keys = Mapping[str, set[str]]
"""Rule → keys."""
Damage = Callable[[str, Keys], Keys]
"""Of keys that fail rules now: those that would fail them in the earlier delivery too, were it judged today."""


@dataclass(frozen=True)
class RecheckRequest:
    """Rows of one delivery that a ticket waits for: by key, with how many rows have it; `keyless` ones cannot be followed."""

    ticket: str
    rule: str
    rule_version: str
    delivery: str
    keys: Mapping[str, int] = field(default_factory=dict)
    keyless: int = 0

    def names_rows(self) -> bool:
        """Whether it is about rows, rather than a delivery or a table as a whole."""
        return self.rule_version != OF_A_DELIVERY and bool(self.keys or self.keyless)

    def rows_beside(self, settled: Collection[str]) -> int:
        """Rows with keys other than these."""
        return sum(rows for key, rows in self.keys.items() if key not in settled)


@dataclass(frozen=True)
class KeyVerdicts:
    """What the new delivery shows of followed keys: which came, and which of them fail each rule that ran."""

    came: set[str] = field(default_factory=set)
    fails: Keys = field(default_factory=dict)


@dataclass(frozen=True)
class Redelivery:
    """The new delivery with its results by rule, the dataset's rules of today, and what it is a correction of."""

    delivery: Delivery
    contract: Contract
    results: Mapping[str, RuleRow]
    rules: Mapping[str, Rule]
    versions: Mapping[str, str]
    replaces: Mapping[str, int]
    """Deliveries whose place it takes, with the rows that they had."""

    def is_sent_for(self, asked: RecheckRequest) -> bool:
        """Whether it was sent to mend these rows: it answers the ticket, or takes the other delivery's place."""
        return asked.ticket in self.delivery.answers or asked.delivery in self.replaces


@dataclass(frozen=True)
class Recheck:
    """What became of the rows that were asked for; `mended` and `remaining` are keys that came again."""

    asked: RecheckRequest
    proof: Proof
    mended: frozenset[str] = frozenset()
    remaining: frozenset[str] = frozenset()


def can_follow(contract: Contract, rule: Rule | None, key: str) -> bool:
    """Whether a mended row still has this key: it is whole, and mending does not change it."""
    names = contract.key()
    about_key = bool(rule and set(rule.fields) & set(names) and rule.type not in UNIQUE)
    return bool(names) and not about_key and key.startswith("{") and all(f'"{name}":' in key for name in names)


def recheck(asked: RecheckRequest, new: Redelivery, seen: KeyVerdicts, damage: Damage) -> Recheck | None:
    """What the delivery proves of the rows asked for; None where it has nothing to say of them."""
    if not asked.names_rows():
        return _as_a_whole(asked, new)
    is_sent = new.is_sent_for(asked)
    keys = set(asked.keys)
    came = keys & seen.came
    proven_whole = asked.keyless if is_sent and _passes_whole(asked, new) else 0
    if not came and not proven_whole:
        return None
    failing = came & seen.fails.get(asked.rule, keys)
    is_same_rule = new.versions.get(asked.rule, "") == asked.rule_version
    damaged = _damaged(asked, came - failing, seen, damage) if is_same_rule else came - failing
    mended = came - failing - damaged
    absent = keys - came if is_sent else set()
    proof = Proof(
        delivery=new.delivery.id,
        rule_version=new.versions.get(asked.rule, ""),
        checked=len(came) + len(absent) + proven_whole,
        mended=len(came - failing) + proven_whole,
        remaining=len(failing),
        absent=len(absent),
        newly_broken=len(damaged),
        of=asked.delivery,
        keyless=asked.keyless - proven_whole if is_sent else 0,
        rows_left=asked.rows_beside(mended | failing) + asked.keyless - proven_whole,
        is_directed=is_sent,
    )
    return Recheck(asked, proof, frozenset(mended), frozenset(failing))


def _as_a_whole(asked: RecheckRequest, new: Redelivery) -> Recheck | None:
    """A check of a delivery as a whole, or of a table, is proven by a delivery that passes it."""
    result = new.results.get(asked.rule)
    is_meant = asked.rule_version == OF_A_DELIVERY or new.is_sent_for(asked)
    if result is None or not result.success or not is_meant:
        return None
    version = OF_A_DELIVERY if asked.rule_version == OF_A_DELIVERY else new.versions.get(asked.rule, "")
    proof = Proof(new.delivery.id, version, 1, 1, 0, 0, 0, of=asked.delivery, rows_left=0, is_directed=True)
    return Recheck(asked, proof)


def _passes_whole(asked: RecheckRequest, new: Redelivery) -> bool:
    """Whether rows that cannot be followed are proven too: none was left out, and none breaks the rule.

    What takes a delivery's place must have as many rows as it had, an answer as many as it was asked for.
    """
    result = new.results.get(asked.rule)
    rows = new.replaces.get(asked.delivery, sum(asked.keys.values()) + asked.keyless)
    return result is not None and result.unexpected_count == 0 and result.element_count >= rows


def _damaged(asked: RecheckRequest, passing: set[str], seen: KeyVerdicts, damage: Damage) -> set[str]:
    """Keys that pass the ticket's rule and break another now, though the row as it was would not."""
    others = {rule: passing & fails for rule, fails in seen.fails.items() if rule != asked.rule and passing & fails}
    if not others:
        return set()
    before = damage(asked.delivery, others)
    return {key for rule, keys in others.items() for key in keys - before.get(rule, set())}
