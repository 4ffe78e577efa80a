"""Codes of Chinese public data, one entry each in code_entries/; `code` of a field names one.

An entry holds the condition, the texts for the department, the standard with its clause, and examples. What no pattern can
express, such as check digits, it names: those checks, and the functions that suggest corrections, are in jobs/quality.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import Field, model_validator

from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart, Regex
from jobs.contracts.model import Severity
from jobs.contracts.place import place
from jobs.contracts.quality_standard import Dimension

FOLDER = Path(__file__).parent / "code_entries"


class Code(ContractPart):
    """A condition that a value must meet, and the texts for a value that does not."""

    title: str = Field(min_length=2, description="Chinese name.")
    about: str = Field(min_length=2, description="Line in the documentation.")
    standard: str = Field(min_length=2, description="Standard with its clause.")
    message: str = Field(min_length=2, description="What is wrong; `{title}` is the field's Chinese name.")
    remedy: str = Field(min_length=2, description="What the department should do.")
    severity: Severity = "critical"
    dimension: Dimension
    indicator: str = "0105"

    pattern: tuple[Regex, ...] = Field(
        (), description="The value must match one of these; same meaning in Java and Python."
    )
    forbidden: tuple[Regex, ...] = Field((), description="The value must match none of these.")
    values: tuple[str, ...] = Field((), description="Allowed values.")
    check: str = Field("", description="Check that no pattern can express, by name in jobs/quality/codes.py.")

    half_width: bool = Field(False, description="The code never contains full-width characters.")
    candidates: tuple[str, ...] = Field(
        (), description="Functions that suggest the intended value, by name in jobs/quality/suggest.py."
    )
    meant: Mapping[str, str] = Field({}, description="Word, in upper case → the value that it stands for.")
    also: tuple[str, ...] = Field((), description="Further conditions for a field with the code.")
    right: tuple[str, ...] = Field(min_length=1, description="Valid examples.")
    wrong: tuple[str, ...] = Field(min_length=1, description="Invalid examples.")

    @model_validator(mode="after")
    def _has_condition(self) -> "Code":
        if not (self.pattern or self.forbidden or self.values or self.check):
            raise ValueError("needs one of pattern, forbidden, values, check")
        return self


class CodeGroup(ContractPart):
    """A name for several conditions, none of which is the code itself."""

    title: str = Field(min_length=2)
    about: str = Field(min_length=2)
    of: tuple[str, ...] = Field(min_length=2)


@cache
def entries() -> Mapping[str, Code | CodeGroup]:
    """All entries by name, in the order of the files; ContractError where one is wrong."""
    merged: dict[str, Code | CodeGroup] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        merged.update(read_data(file, dict[str, Code | CodeGroup]))
    return {name: _of_place(entry) for name, entry in merged.items()}


def _of_place(entry: Code | CodeGroup) -> Code | CodeGroup:
    """The entry with the city's facts filled into its texts."""
    if isinstance(entry, CodeGroup):
        return entry
    texts = {key: place().filled_in(getattr(entry, key)) for key in ("message", "remedy", "standard")}
    return entry.model_copy(update=texts)


@cache
def codes() -> Mapping[str, Code]:
    """The conditions by name; the expectation is `expect_column_values_to_be_<name>`."""
    return {name: entry for name, entry in entries().items() if isinstance(entry, Code)}


def conditions_of(code: str) -> tuple[str, ...]:
    """Names of the conditions for a field with the code; none for an empty code."""
    if not code:
        return ()
    entry = entries()[code]
    return entry.of if isinstance(entry, CodeGroup) else (code, *entry.also)


def is_half_width(code: str) -> bool:
    """Whether the code never contains full-width characters."""
    entry = entries()[code]
    return isinstance(entry, Code) and entry.half_width


def known_codes() -> tuple[str, ...]:
    """Allowed values of a field's `code`, sorted."""
    return tuple(sorted(entries()))
