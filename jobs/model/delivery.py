"""A delivery by a provider, and the findings from reading it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from jobs.contracts.telemetry import SUFFIX


class State(StrEnum):
    """Processing state of a delivery (handbook states: 已接收 … 合格入库 / 部分隔离 / 整批拒收)."""

    OPEN = "open"
    LANDED = "landed"
    UNREADABLE = "unreadable"
    LOADED = "loaded"
    ACCEPTED = "accepted"
    PARTLY_QUARANTINED = "partly_quarantined"
    REFUSED = "refused"


STATE_WORDS: Mapping[State, str] = {
    State.OPEN: "接收中",
    State.LANDED: "已接收",
    State.UNREADABLE: "解析失败（退回）",
    State.LOADED: "已入贴源层",
    State.ACCEPTED: "合格入库",
    State.PARTLY_QUARANTINED: "部分隔离",
    State.REFUSED: "整批拒收",
}


JUDGED = (State.ACCEPTED, State.PARTLY_QUARANTINED, State.REFUSED, State.UNREADABLE)
"""States with a verdict."""
ACCEPTED = (State.ACCEPTED, State.PARTLY_QUARANTINED)
"""States of a delivery with rows in silver."""


@dataclass(frozen=True)
class Finding:
    """A fact about the file that the sender should know; never about a single row, never a personal value.

    `kind` is a stable code (encoding_detected, column_missing, column_extra, member_ignored, rows_malformed, …),
    `message` is Chinese, `detail` has the numbers.
    """

    kind: str
    message: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """One entry of the ledger. Times are UTC; `objects` are keys in the bucket, in reading order."""

    id: str
    seq: int
    dataset: str
    provider: str
    state: State
    sha256: str
    size_bytes: int
    objects: tuple[str, ...]
    received_at: datetime
    etag: str = ""
    sender: str = ""
    declared_rows: int | None = None
    counted_rows: int | None = None
    supersedes: str | None = None
    superseded_by: str | None = None
    sent_on: date | None = None
    answers: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    layout_digest: str = ""
    """Digest of the layout by which its rows were read; empty where it is unknown."""

    def sent_date(self, zone: ZoneInfo) -> date:
        """The day in the covering letter, at latest the day of receipt."""
        received_on = self.received_at.astimezone(zone).date()
        return min(self.sent_on or received_on, received_on)

    def received_date(self) -> date:
        """The UTC day of receipt; the lake's own tables are partitioned by it."""
        return self.received_at.astimezone(UTC).date()

    def is_answer(self) -> bool:
        """Whether it only answers tickets: some corrected rows, no regular delivery of the dataset."""
        return bool(self.answers) and not self.supersedes

    def is_regular(self) -> bool:
        """Whether it is a regular delivery of the dataset, neither a correction nor an answer."""
        return not (self.supersedes or self.answers)

    def is_sealed_hour(self) -> bool:
        """Whether it is an hour of readings that came one by one."""
        return len(self.objects) == 1 and self.objects[0].endswith(SUFFIX)

    def names(self) -> tuple[str, ...]:
        """The names of the delivered files, without their folders."""
        return tuple(key.rsplit("/", 1)[-1] for key in self.objects)
