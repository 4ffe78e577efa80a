"""Texts for departments about rules derived from a contract, from rule_wordings.yaml."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart
from jobs.contracts.model import FieldType
from jobs.contracts.quality_standard import Dimension

FILE = Path(__file__).parent / "rule_wordings.yaml"


class RuleWording(ContractPart):
    """Texts of a kind of rule, with its dimension and indicator; `{names}` are filled in."""

    message: str
    remedy: str
    dimension: Dimension
    indicator: str


class RuleWordings(ContractPart):
    """Texts of all kinds of rules, and the parts that are filled into them."""

    rules: Mapping[str, RuleWording]
    types: Mapping[FieldType, str]
    of_zone: str
    zone_remedy: str
    unlimited: str
    span: str
    label: str
    basis: str
    authority: Mapping[Literal["other", "own", "unknown"], str]


@cache
def wordings() -> RuleWordings:
    """The texts; ContractError where the file is wrong."""
    return read_data(FILE, RuleWordings)
