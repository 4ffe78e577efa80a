"""What goes into a ticket and what comes out of it, as frozen values."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from jobs.errors import UserError


@dataclass(frozen=True)
class Issue:
    """One rule that a delivery breaks. The failing rows stand in the evidence table, by delivery and rule.

    `known_rows` of the failed ones are rows that the ticket holds already from earlier deliveries; `left_rows` are those
    that now stand in this delivery, all of them where it is None. `is_answer`: the delivery answers tickets.
    `agreed_days` are working days that the contract agrees on for corrections.
    """

    dataset: str
    provider: str
    rule: str
    rule_version: str
    field: str
    error_class: str
    severity: str
    dimension: str
    message: str
    remedy: str
    basis: str
    delivery: str
    failed_rows: int
    checked_rows: int
    core: bool = False
    period: str = ""
    known_rows: int = 0
    left_rows: int | None = None
    is_answer: bool = False
    agreed_days: int | None = None

    def brings_nothing_new(self) -> bool:
        """Whether an answer only shows again what the ticket holds already."""
        return self.is_answer and self.known_rows >= self.failed_rows

    def fingerprint(self) -> str:
        """The same for the same fault in any delivery."""
        return _digest(self.rule, self.dataset, self.field, self.error_class)

    def clock_case(self) -> str:
        """The case in the clock table that the issue falls under."""
        return "feed_down" if self.error_class == "feed_down" else "core_field" if self.core else ""


@dataclass(frozen=True)
class Request:
    """A person's word that a record is wrong: 校核申请 of a department, or a citizen's objection.

    `record` says which one, and is shown to the two parties and the bureau's officer only.
    """

    kind: Literal["correction", "objection"]
    dataset: str
    provider: str
    requester: str
    field: str
    record: str
    message: str
    evidence: str
    needs_assistance: bool = False

    def fingerprint(self) -> str:
        """The same for the same complaint by the same requester."""
        return _digest(self.kind, self.dataset, self.field, self.record, self.requester)


@dataclass(frozen=True)
class Proof:
    """What a redelivery proves of keys that failed: `checked` of them were followed, each is mended, remaining or absent.

    `of` is the delivery whose keys were followed, empty for all of the ticket's. `keyless` rows cannot be followed,
    `newly_broken` keys are mended and break another rule since, `deletion` says why keys may be absent, `fields_changed`
    are other columns that changed on the way. `rows_left` of `of` are still to be mended there, where they were counted.
    `is_directed`: the delivery was sent to mend this ticket; others show by the way what they mend.
    """

    delivery: str
    rule_version: str
    checked: int
    mended: int
    remaining: int
    absent: int
    newly_broken: int
    of: str = ""
    keyless: int = 0
    deletion: str = ""
    fields_changed: tuple[str, ...] = ()
    rows_left: int | None = None
    is_directed: bool = True

    def __post_init__(self) -> None:
        if min(self.checked, self.mended, self.remaining, self.absent, self.newly_broken, self.keyless) < 0:
            raise UserError("复核证明中有负数；请重新复核")
        if self.checked != self.mended + self.remaining + self.absent:
            raise UserError("复核证明的数不相符：检查数应等于已改正、未改正、未报之和；请重新复核")
        if self.checked + self.keyless == 0:
            raise UserError("复核证明没有检查任何主键，不能证明什么；请重新复核")

    def unproven(self) -> int:
        """What stands in the way of closing."""
        return self.remaining + self.newly_broken + self.keyless + self.missing()

    def missing(self) -> int:
        """Keys that are absent without an explanation."""
        return 0 if self.deletion else self.absent


def pooled(proofs: Sequence[Proof]) -> Proof:
    """The proofs of one delivery for one ticket as a single one, over all deliveries that they speak of."""
    first = proofs[0]
    if len(proofs) == 1:
        return first
    numbers = ("checked", "mended", "remaining", "absent", "newly_broken", "keyless")
    sums = {name: sum(getattr(one, name) for one in proofs) for name in numbers}
    left = [one.rows_left for one in proofs if one.rows_left is not None]
    return replace(
        first,
        **sums,
        of="、".join(one.of for one in proofs),
        rows_left=sum(left) if left else None,
        is_directed=any(one.is_directed for one in proofs),
    )


@dataclass(frozen=True)
class ClockView:
    """A ticket's clock as it stands; None where there is nothing to time yet. Moments are UTC."""

    policy: str
    state: str
    started_at: datetime
    due_at: datetime
    is_provisional: bool
    is_overdue: bool
    net: float
    gross: float
    unit: str
    length: int = 0
    """In the clock's unit, with what it was extended by."""

    def left(self) -> float:
        """What is left, in the clock's unit; below 0 where it ran out."""
        return self.length - self.net


@dataclass(frozen=True)
class TicketDelivery:
    """Where failing rows of a ticket stand: a delivery, by the ticket's rule; and what is left of them."""

    delivery: str
    period: str
    failed_rows: int
    checked_rows: int
    remaining_rows: int
    seen_at: datetime
    replaced_by: str | None


@dataclass(frozen=True)
class Ticket:
    """A ticket as an actor may see it; `record` is empty where the actor may not read it.

    `provider` is responsible for it now, `owner` is the department whose data it is by contract.
    """

    id: str
    kind: str
    state: str
    label: str
    version: int
    dataset: str
    provider: str
    owner: str
    requester: str
    rule: str
    rule_version: str
    field: str
    error_class: str
    severity: str
    dimension: str
    message: str
    remedy: str
    basis: str
    record: str
    failed_rows: int
    remaining_rows: int
    reopened: int
    recurred: int
    opened_at: datetime
    closed_at: datetime | None
    follows: str | None
    clock: ClockView | None


@dataclass(frozen=True)
class Event:
    """One link of the chain."""

    seq: int
    ticket: str
    at: datetime
    event: str
    source: str
    target: str
    role: str
    department: str
    name: str
    facts: Mapping[str, Any]
    effects: Mapping[str, Any]


@dataclass(frozen=True)
class OpenRows:
    """Rows of an open ticket in one delivery that are not proven mended."""

    ticket: str
    rule: str
    rule_version: str
    delivery: str
    failed_rows: int
    left_rows: int


@dataclass(frozen=True)
class RecheckOutcome:
    """What a re-check did: the ticket afterwards, and in Chinese what is proven and what remains."""

    ticket: Ticket
    is_closed: bool
    message: str


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
