"""Failed rows compared with a new delivery: redelivered, passing now, damaged by the correction. Pure."""

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
Damage = Callable[[str], Keys]
"""Of the suspected keys of an earlier delivery: those that fail today's rules there too."""


@dataclass(frozen=True)
class RecheckRequest:
    """Open rows of a ticket in one delivery: number of rows by key; `keyless` ones cannot be followed."""

    ticket: str
    rule: str
    rule_version: str
    delivery: str
    keys: Mapping[str, int] = field(default_factory=dict)
    keyless: int = 0

    def names_rows(self) -> bool:
        """Whether it is about rows, rather than a delivery or a table as a whole."""
        return self.rule_version != OF_A_DELIVERY and bool(self.keys or self.keyless)

    def rows_without(self, settled: Collection[str]) -> int:
        """Number of rows with other keys than these."""
        return sum(rows for key, rows in self.keys.items() if key not in settled)


@dataclass(frozen=True)
class KeyVerdicts:
    """Followed keys in the new delivery: those it contains, and which of them fail each rule that ran."""

    delivered: set[str] = field(default_factory=set)
    fails: Keys = field(default_factory=dict)


@dataclass(frozen=True)
class Redelivery:
    """The new delivery with its results by rule, the dataset's current rules, and the deliveries it corrects."""

    delivery: Delivery
    contract: Contract
    results: Mapping[str, RuleRow]
    rules: Mapping[str, Rule]
    versions: Mapping[str, str]
    replaces: Mapping[str, int]
    """Deliveries that it replaces, with their row counts."""

    def is_sent_for(self, request: RecheckRequest) -> bool:
        """Whether it was sent to correct these rows: it answers the ticket, or replaces the other delivery."""
        return request.ticket in self.delivery.answers or request.delivery in self.replaces


@dataclass(frozen=True)
class Recheck:
    """The outcome for the requested rows; `mended` (corrected) and `remaining` are redelivered keys."""

    request: RecheckRequest
    proof: Proof
    mended: frozenset[str] = frozenset()
    remaining: frozenset[str] = frozenset()


def can_follow(contract: Contract, rule: Rule | None, key: str) -> bool:
    """Whether a corrected row still has this key: it is complete, and the rule is not about key fields."""
    names = contract.key()
    about_key = bool(rule and set(rule.fields) & set(names) and rule.type not in UNIQUE)
    return bool(names) and not about_key and key.startswith("{") and all(f'"{name}":' in key for name in names)


def recheck(request: RecheckRequest, new: Redelivery, verdicts: KeyVerdicts, damage: Damage) -> Recheck | None:
    """What the delivery proves of the requested rows; None where it contains none of them."""
    if not request.names_rows():
        return _as_a_whole(request, new)
    is_sent = new.is_sent_for(request)
    keys = set(request.keys)
    delivered = keys & verdicts.delivered
    proven_whole = request.keyless if is_sent and _passes_whole(request, new) else 0
    if not delivered and not proven_whole:
        return None
    failing = delivered & verdicts.fails.get(request.rule, keys)
    is_same_rule = new.versions.get(request.rule, "") == request.rule_version
    damaged = _damaged(request, verdicts, damage) if is_same_rule else delivered - failing
    mended = delivered - failing - damaged
    absent = keys - delivered if is_sent else set()
    proof = Proof(
        delivery=new.delivery.id,
        rule_version=new.versions.get(request.rule, ""),
        checked=len(delivered) + len(absent) + proven_whole,
        mended=len(delivered - failing) + proven_whole,
        remaining=len(failing),
        absent=len(absent),
        newly_broken=len(damaged),
        of=request.delivery,
        keyless=request.keyless - proven_whole if is_sent else 0,
        rows_left=request.rows_without(mended | failing) + request.keyless - proven_whole,
        is_directed=is_sent,
    )
    return Recheck(request, proof, frozenset(mended), frozenset(failing))


def _as_a_whole(request: RecheckRequest, new: Redelivery) -> Recheck | None:
    """The outcome of a check on a delivery or a table; a delivery that passes it is the proof."""
    result = new.results.get(request.rule)
    is_meant = request.rule_version == OF_A_DELIVERY or new.is_sent_for(request)
    if result is None or not result.success or not is_meant:
        return None
    version = OF_A_DELIVERY if request.rule_version == OF_A_DELIVERY else new.versions.get(request.rule, "")
    proof = Proof(new.delivery.id, version, 1, 1, 0, 0, 0, of=request.delivery, rows_left=0, is_directed=True)
    return Recheck(request, proof)


def _passes_whole(request: RecheckRequest, new: Redelivery) -> bool:
    """Whether rows that cannot be followed are proven too: none is missing, and none fails the rule.

    A replacement needs as many rows as the delivery it replaces, an answer as many as were requested.
    """
    result = new.results.get(request.rule)
    rows = new.replaces.get(request.delivery, sum(request.keys.values()) + request.keyless)
    return result is not None and result.unexpected_count == 0 and result.element_count >= rows


def suspected(request: RecheckRequest, verdicts: KeyVerdicts) -> Keys:
    """Keys that pass the ticket's rule but now fail others, by these: damage, unless the original row failed them too."""
    keys = set(request.keys)
    passing = (keys & verdicts.delivered) - verdicts.fails.get(request.rule, keys)
    return {rule: passing & fails for rule, fails in verdicts.fails.items() if rule != request.rule and passing & fails}


def _damaged(request: RecheckRequest, verdicts: KeyVerdicts, damage: Damage) -> set[str]:
    """Keys that pass the ticket's rule but now fail another, which the original row passes."""
    others = suspected(request, verdicts)
    if not others:
        return set()
    before = damage(request.delivery)
    return {key for rule, keys in others.items() for key in keys - before.get(rule, set())}
