"""Chinese labels for the lake's stable English names."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart
from jobs.contracts.quality_standard import quality_standard
from jobs.model.delivery import State

FILE = Path(__file__).parent / "labels.yaml"

COPIES = "完全相同的重复行去重（保留一行）"
SEVERITIES: Mapping[str, str] = {"critical": "严重", "warning": "警告", "info": "提示"}
EFFECTS: Mapping[str, str] = {
    "critical": "该行不入库，进入隔离区",
    "warning": "入库并作标记",
    "info": "仅提醒，不影响入库",
}
SEVERITY_ORDER: Mapping[str, int] = {"critical": 0, "warning": 1, "info": 2}
MARKS: Mapping[State, str] = {
    State.OPEN: "○",
    State.LANDED: "○",
    State.UNREADABLE: "✕",
    State.LOADED: "○",
    State.ACCEPTED: "✓",
    State.PARTLY_QUARANTINED: "△",
    State.REFUSED: "✕",
}
TONES: Mapping[State, str] = {
    State.OPEN: "wait",
    State.LANDED: "wait",
    State.UNREADABLE: "bad",
    State.LOADED: "wait",
    State.ACCEPTED: "good",
    State.PARTLY_QUARANTINED: "part",
    State.REFUSED: "bad",
}


class Labels(ContractPart):
    """Names of repairs, findings and units of periods."""

    repairs: Mapping[str, str]
    findings: Mapping[str, str]
    periods: Mapping[str, str]
    other_finding: str
    no_indicator: str


@cache
def names() -> Labels:
    """The names; ContractError where the file is invalid."""
    return read_data(FILE, Labels)


def repair(kind: str) -> str:
    """The Chinese name of a declared repair."""
    return names().repairs.get(kind, kind)


def finding(kind: str) -> str:
    """The Chinese name of a finding about a file."""
    return names().findings.get(kind, names().other_finding)


def indicator(code: str) -> str:
    """The indicator of GB/T 36344-2018 with its number."""
    known = quality_standard().indicators()
    return f"{code} {known[code]}" if code in known else (code or names().no_indicator)
