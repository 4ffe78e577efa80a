"""Dimensions and indicators of the standard by which quality is measured, from quality_standard.yaml."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart

FILE = Path(__file__).parent / "quality_standard.yaml"
IndicatorNumber = Annotated[str, Field(pattern=r"^0[1-9]0[1-9]$")]


class QualityStandard(ContractPart):
    """Number, year and title of the standard; indicators by dimension and number, in its order."""

    number: str = Field(min_length=2)
    year: int
    title: str = Field(min_length=2)
    dimensions: Mapping[str, Mapping[IndicatorNumber, str]] = Field(min_length=1)

    def indicators(self) -> Mapping[str, str]:
        """Names of the indicators by number."""
        return {number: name for indicators in self.dimensions.values() for number, name in indicators.items()}

    def filled_in(self, text: str) -> str:
        """The text with `{quality_standard}` replaced by the standard's number."""
        return text.replace("{quality_standard}", self.number)


@cache
def quality_standard() -> QualityStandard:
    """The standard; ContractError where the file is wrong."""
    return read_data(FILE, QualityStandard)


def known_dimension(name: str) -> str:
    """The dimension's name; a validation error where the standard has no such dimension."""
    names = tuple(quality_standard().dimensions)
    if name not in names:
        *others, last = (f"'{known}'" for known in names)
        raise ValueError(f"Input should be {', '.join(others)} or {last}")
    return name


Dimension = Annotated[str, AfterValidator(known_dimension)]
