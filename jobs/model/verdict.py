"""What the lake decided about a delivery."""

from dataclasses import dataclass
from datetime import datetime

from jobs.model.delivery import State


@dataclass(frozen=True)
class RepairCount:
    """How often a declared change happened in a field."""

    field: str
    kind: str
    rows: int


@dataclass(frozen=True)
class Verdict:
    """What the lake decided about a delivery, with the versions it is based on."""

    delivery: str
    seq: int
    dataset: str
    provider: str
    state: State
    rows: int
    good_rows: int
    failed_rows: int
    warned_rows: int
    copies: int
    repairs: tuple[RepairCount, ...]
    suite_hash: str
    contract_version: str
    silver_version: int
    judged_at: datetime
    reason: str = ""
