"""What departments are told of checks of a delivery and of proposed rules, from wordings.yaml."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jobs.contracts import Dimension, Severity
from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart

FILE = Path(__file__).parent / "wordings.yaml"


class CheckWording(ContractPart):
    """Words of a check of a delivery as a whole, with its dimension and indicator."""

    message: str
    remedy: str
    dimension: Dimension
    indicator: str
    severity: Severity = "warning"


class ProposedWording(ContractPart):
    """Words of a rule that a profile proposes; `{title}` is the field's Chinese name."""

    dimension: Dimension
    message: str
    remedy: str

    def of(self, title: str) -> dict[str, str]:
        """The words for a field, in the order of a suite."""
        filled = {"message": self.message.format(title=title), "remedy": self.remedy.format(title=title)}
        return {"dimension": self.dimension, **filled}


class Wordings(ContractPart):
    """All of them."""

    basis: str
    checks: Mapping[str, CheckWording]
    reasons: Mapping[str, str]
    proposed_basis: str
    proposed: Mapping[str, ProposedWording]


@cache
def wordings() -> Wordings:
    """The words; ContractError where the file is wrong."""
    return read_data(FILE, Wordings)
