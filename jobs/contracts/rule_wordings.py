"""What departments are told of rules that a contract implies, from rule_wordings.yaml."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart
from jobs.contracts.model import Dimension, FieldType

FILE = Path(__file__).parent / "rule_wordings.yaml"


class RuleWording(ContractPart):
    """Words of a kind of rule, with its dimension and indicator; names in braces are filled in."""

    message: str
    remedy: str
    dimension: Dimension
    indicator: str


class RuleWordings(ContractPart):
    """Words of all kinds, and those that they are put together from."""

    rules: Mapping[str, RuleWording]
    types: Mapping[FieldType, str]
    unlimited: str
    span: str
    label: str
    basis: str
    authority: Mapping[Literal["other", "own", "unknown"], str]


@cache
def wordings() -> RuleWordings:
    """The words; ContractError where the file is wrong."""
    return read_data(FILE, RuleWordings)
