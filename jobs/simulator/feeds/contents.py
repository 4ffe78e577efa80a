"""What the feeds are about, from contents.yaml."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart

FILE = Path(__file__).parent / "contents.yaml"


class Contents(ContractPart):
    """Topics of hotline orders, violations with their legal ground, subjects of permits, holidays and their notices."""

    topics: tuple[tuple[str, str, str, str], ...]
    violations: tuple[tuple[str, str], ...]
    permits: tuple[tuple[str, str, str], ...]
    holidays: Mapping[str, str]
    holiday_notices: Mapping[int, str]
    season_notice: str


@cache
def contents() -> Contents:
    """The contents; ContractError where the file is wrong."""
    return read_data(FILE, Contents)
