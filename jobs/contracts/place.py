"""Facts of the city that runs the lake, from place.yaml: another city edits only that file."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart

FILE = Path(__file__).parent / "place.yaml"
Day = str
"""A day as YYYY-MM-DD."""

FACTS = ("name", "short_name", "bureau", "division_code", "postcode", "dialling_code", "adjusted_in")
"""Facts that texts may take in; `county_code` is that of the first county."""


class County(ContractPart):
    """A county-level division; the coordinates are near its seat (CGCS2000)."""

    code: str = Field(pattern=r"^[1-9][0-9]{5}$")
    name: str
    lon: float
    lat: float
    towns: tuple[str, ...] = Field(min_length=1)


class FunctionalZone(ContractPart):
    """A zone that administers a township of some county."""

    name: str
    township: str


class Division(ContractPart):
    """A current or former division code; `successor` is the code that replaced it."""

    code: str = Field(pattern=r"^[1-9][0-9]{5}$")
    name: str
    level: Literal["city", "county", "placeholder"]
    first_day: Day
    last_day: Day | None = None
    successor: str | None = None


class Place(ContractPart):
    """Facts of the city."""

    name: str
    short_name: str
    latin_name: str = Field(pattern=r"^[a-z]+$")
    bureau: str = Field(description="Bureau that runs the lake and issues bulletins.")
    division_code: str = Field(pattern=r"^[1-9][0-9]{3}00$")
    postcode: str = Field(pattern=r"^[0-9]{6}$")
    dialling_code: str = Field(pattern=r"^0[1-9][0-9]{1,2}$")
    adjusted_in: str = Field(description="Years in which division codes of the city changed, in words.")
    counties: tuple[County, ...] = Field(min_length=1)
    roads: tuple[str, ...] = Field(min_length=1)
    zones: tuple[FunctionalZone, ...] = ()
    divisions: tuple[Division, ...] = Field(min_length=1)

    def filled_in(self, text: str) -> str:
        """The text with `{place.…}` replaced by the city's facts; other placeholders stay unchanged."""
        facts = {name: getattr(self, name) for name in FACTS} | {"county_code": self.counties[0].code}
        for name, fact in facts.items():
            text = text.replace(f"{{place.{name}}}", fact)
        return text


@cache
def place() -> Place:
    """The city; ContractError where the file is wrong."""
    return read_data(FILE, Place)
