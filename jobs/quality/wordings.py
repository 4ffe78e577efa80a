"""Chinese wording of delivery checks and of proposed rules, from wordings.yaml."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jobs.contracts import Dimension, Severity
from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart

FILE = Path(__file__).parent / "wordings.yaml"


class CheckWording(ContractPart):
    """Wording of a check of a delivery as a whole, with its dimension and indicator."""

    message: str
    remedy: str
    dimension: Dimension
    indicator: str
    severity: Severity = "warning"


class ProposedWording(ContractPart):
    """Wording of a rule that a profile proposes; `{title}` is the field's Chinese name."""

    dimension: Dimension
    message: str
    remedy: str

    def of(self, title: str) -> dict[str, str]:
        """The wording for a field, with keys in the order of a suite."""
        filled = {"message": self.message.format(title=title), "remedy": self.remedy.format(title=title)}
        return {"dimension": self.dimension, **filled}


class Wordings(ContractPart):
    """All wordings of the file."""

    basis: str
    checks: Mapping[str, CheckWording]
    reasons: Mapping[str, str]
    proposed_basis: str
    proposed: Mapping[str, ProposedWording]


@cache
def wordings() -> Wordings:
    """The wordings; ContractError where the file is invalid."""
    return read_data(FILE, Wordings)
