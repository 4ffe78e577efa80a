"""Time limits by law or by the bureau's policy: clocks.yaml, and the row that applies to a case."""

from collections.abc import Mapping
from datetime import time
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Literal

from pydantic import Field

from jobs.contracts.policy_file import PolicyPart, mistake, read_policy
from jobs.contracts.yaml_source import Document
from jobs.errors import PolicyError

FILE = Path(__file__).parent / "clocks.yaml"
REMEDY = "请参照 jobs/collaboration/clocks.yaml 中的写法"
GOVERNMENT = "government"
Unit = Literal["working_days", "calendar_days", "hours"]
UNITS: Mapping[Unit, str] = {"working_days": "个工作日", "calendar_days": "日", "hours": "小时"}


class Extension(PolicyPart):
    """The longest extension of a clock, and who must approve it."""

    id: str
    length: int = Field(gt=0)
    approver: str = Field(min_length=1)
    citation: str = Field(min_length=2)


class TermsCondition(PolicyPart):
    """When a row applies; an empty condition matches everything."""

    share_type: str = ""
    provider_class: str = ""
    provider: str = ""
    case: str = ""

    def named(self) -> dict[str, str]:
        """The conditions that are not empty."""
        return {name: value for name, value in self.model_dump().items() if value}


class Terms(PolicyPart):
    """One row: a time limit with its legal or policy source."""

    id: str = Field(pattern=r"^C[0-9]+$")
    kind: str = Field(pattern=r"^[a-z_]+$")
    when: TermsCondition = TermsCondition()
    title: str = Field(min_length=2)
    unit: Unit
    length: int = Field(gt=0)
    extension: Extension | None = None
    citation: str = Field(min_length=2)
    confidence: Literal["S", "L", "U", "D"]

    def words(self) -> str:
        """The length in Chinese."""
        return f"{self.length} {UNITS[self.unit]}"


class ClockTable(PolicyPart):
    """All rows, and how days are counted."""

    version: int = Field(gt=0)
    receipt_day: Literal[0, 1]
    day_ends: time
    reminders_pct: tuple[int, ...] = Field(min_length=1)
    recurrence_days: int = Field(gt=0)
    waiver_days: int = Field(gt=0)
    provider_classes: Mapping[str, tuple[str, ...]]
    clocks: tuple[Terms, ...] = Field(min_length=1)

    def class_of(self, provider: str) -> str:
        """The class of a provider: as the table lists it, else government."""
        return next((name for name, members in self.provider_classes.items() if provider in members), GOVERNMENT)

    def terms(self, kind: str, provider: str, share_type: str = "", case: str = "") -> Terms:
        """The most specific row that applies; PolicyError where none does."""
        facts = {
            "share_type": share_type,
            "provider_class": self.class_of(provider),
            "provider": provider,
            "case": case,
        }
        applicable = [t for t in self.clocks if t.kind == kind and t.when.named().items() <= facts.items()]
        if not applicable:
            raise PolicyError(f"时限表没有适用于 {kind}（{provider}）的行；请在 clocks.yaml 中补充")
        return max(applicable, key=lambda t: len(t.when.named()))


@lru_cache
def clock_table(file: Path = FILE) -> ClockTable:
    """The table in the file; PolicyError names file, line and remedy."""
    table, document = read_policy(file, ClockTable, REMEDY)
    for first, second in combinations(range(len(table.clocks)), 2):
        _check_pair(table, document, first, second)
    return table


def _check_pair(table: ClockTable, document: Document, first_index: int, second_index: int) -> None:
    """PolicyError where two rows may apply at once and neither they nor a third row with all their conditions takes precedence."""
    first, second = table.clocks[first_index], table.clocks[second_index]
    a, b = first.when.named(), second.when.named()
    if first.kind != second.kind or any(a[name] != b[name] for name in a.keys() & b.keys()):
        return
    if a == b:
        raise mistake(document, ("clocks", second_index), f"与第 {first_index + 1} 行条件完全相同", "请只保留一行")
    if a.items() <= b.items() or b.items() <= a.items():
        return
    if not any(t.kind == first.kind and t.when.named() == a | b for t in table.clocks):
        raise mistake(
            document,
            ("clocks", second_index),
            f"与第 {first_index + 1} 行可能同时适用，分不出先后",
            "请补充一行写明两者全部条件",
        )
