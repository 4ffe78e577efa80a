"""What the feeds are about, from contents.yaml."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path

from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart

FILE = Path(__file__).parent / "contents.yaml"


class Tier(ContractPart):
    """Price of a cubic metre, in 元, up to a volume of the month; without one: of all the rest."""

    price_cny: Decimal
    up_to_m3: int | None = None


class Contents(ContractPart):
    """Topics of hotline orders, violations with their legal ground, subjects of permits, holidays and their notices, prices."""

    topics: tuple[tuple[str, str, str, str], ...]
    violations: tuple[tuple[str, str], ...]
    permits: tuple[tuple[str, str, str], ...]
    holidays: Mapping[str, str]
    holiday_notices: Mapping[int, str]
    season_notice: str
    tariffs: Mapping[str, Mapping[str, tuple[Tier, ...]]]


@cache
def contents() -> Contents:
    """The contents; ContractError where the file is wrong."""
    return read_data(FILE, Contents)
