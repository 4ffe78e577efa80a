"""Rule results: of one delivery, of a county's rows in it, or of several deliveries together."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class RuleRow:
    """One rule's result for one delivery, with the messages for the department and GX's own result."""

    delivery: str
    seq: int
    dataset: str
    provider: str
    rule: str
    type: str
    severity: str
    dimension: str
    indicator: str
    success: bool
    element_count: int
    unexpected_count: int
    missing_count: int
    fields: str
    message: str
    remedy: str
    basis: str
    suite_hash: str
    silver_version: int
    judged_at: datetime
    gx: str = field(repr=False, default="")


@dataclass(frozen=True)
class CountyRow:
    """One rule's counts over the rows of one county in one delivery."""

    delivery: str
    seq: int
    dataset: str
    provider: str
    county: str
    rule: str
    type: str
    severity: str
    dimension: str
    indicator: str
    success: bool
    element_count: int
    unexpected_count: int
    missing_count: int


@dataclass(frozen=True)
class RuleCounts:
    """A rule's counts for a score, of one delivery or summed over several.

    Messages for the department are set for one delivery only.
    """

    dataset: str
    rule: str
    type: str
    severity: str
    dimension: str
    indicator: str
    success: bool
    element_count: int
    unexpected_count: int
    missing_count: int
    message: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Readings:
    """Readings that a delivery's points should have at their intervals, and those that they have."""

    expected: int
    received: int
