"""Input and output values of tickets."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True)
class Issue:
    """One rule that a delivery fails. The failing rows are in the evidence table, by delivery and rule.

    `known_rows` of the failed ones are known to the ticket from earlier deliveries; `left_rows` are those now counted
    for this delivery, all where it is None. `is_answer`: the delivery answers tickets. `agreed_days` are the working
    days for corrections in the contract.
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
        """Whether it is from an answer that only repeats rows known to the ticket."""
        return self.is_answer and self.known_rows >= self.failed_rows

    def fingerprint(self) -> str:
        """Hash that is equal for the same fault in any delivery."""
        return _digest(self.rule, self.dataset, self.field, self.error_class)

    def clock_case(self) -> str:
        """The issue's case in the clock table."""
        return "feed_down" if self.error_class == "feed_down" else "core_field" if self.core else ""


@dataclass(frozen=True)
class Request:
    """A claim that a record is wrong: 校核申请 of a department, or a citizen's objection.

    `record` names it, and is visible to the two parties and the bureau's officer only.
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
        """Hash that is equal for the same complaint by the same requester."""
        return _digest(self.kind, self.dataset, self.field, self.record, self.requester)


@dataclass(frozen=True)
class Draft:
    """A document to be approved and published: an entry of the catalogue, a version of a list, or an item of a register.

    `subject` is the dataset, the name of the list, or the item's id; `content` is its JSON, `message` says in Chinese what it is.
    """

    kind: Literal["catalogue_change", "list_release", "register_item"]
    subject: str
    provider: str
    message: str
    content: str

    def fingerprint(self) -> str:
        """Hash that is equal for all drafts of one document."""
        return _digest(self.kind, self.subject)


@dataclass(frozen=True)
class CatalogueFault:
    """A difference between an entry of the catalogue and the lake, found by a check. Texts are Chinese."""

    check: str
    dataset: str
    provider: str
    message: str
    remedy: str

    def fingerprint(self) -> str:
        """Hash that is equal for the same fault at each check."""
        return _digest("catalogue_fault", self.check, self.dataset)


@dataclass(frozen=True)
class Published:
    """A published document. `version` counts from 1 for each subject; `facts` are those of the publishing step."""

    ticket: str
    subject: str
    version: int
    content: str
    at: datetime
    by: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class ClockView:
    """The current state of a ticket's clock. Moments are UTC."""

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
    """In the clock's unit, extensions included."""

    def left(self) -> float:
        """Remaining time in the clock's unit; negative when overdue."""
        return self.length - self.net


@dataclass(frozen=True)
class TicketDelivery:
    """A delivery with failing rows of a ticket, and how many remain."""

    delivery: str
    period: str
    failed_rows: int
    checked_rows: int
    remaining_rows: int
    seen_at: datetime
    replaced_by: str | None


@dataclass(frozen=True)
class Ticket:
    """A ticket as visible to an actor; `record` is empty where the actor may not read it.

    `provider` is responsible for it now, `owner` is the department that owns the data by contract.
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
    """One event of the hash chain."""

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
    """Rows of an open ticket in one delivery that are not proven corrected."""

    ticket: str
    rule: str
    rule_version: str
    delivery: str
    failed_rows: int
    left_rows: int


@dataclass(frozen=True)
class TicketSummary:
    """A ticket as visible to all: no record, no names. Counts and state are those at the cut-off.

    `is_found`: the lake detected it; otherwise a person requested it.
    """

    id: str
    is_found: bool
    provider: str
    dataset: str
    rule: str
    field: str
    severity: str
    dimension: str
    message: str
    label: str
    deliveries: tuple[str, ...]
    failed_rows: int
    remaining_rows: int
    due_at: datetime | None
    is_open: bool
    is_overdue: bool
    recurred: bool
    upheld: bool


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
