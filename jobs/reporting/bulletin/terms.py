"""Ranking, demands and measures of a bulletin: bulletin.yaml as a checked model."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

FILE = Path(__file__).parent / "bulletin.yaml"
Unit = Literal["count", "percent", "score", "number"]
Origin = Literal["ledger", "verdicts", "rules", "events"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SizeClass(_Model):
    """Departments of like size: those with at least so many rows checked a month."""

    name: str
    least_rows: int = Field(ge=0)


class Ranking(_Model):
    """Classes, limits and weights of the ranking."""

    size_classes: tuple[SizeClass, ...] = Field(min_length=1)
    least_rows: int = Field(ge=0)
    least_deliveries: int = Field(ge=0)
    weights: dict[Literal["score", "punctual", "mended_in_time"], PositiveFloat]


class Demands(_Model):
    """Working days after the date of issue, by kind of demand."""

    overdue_days: PositiveInt
    recurred_days: PositiveInt
    low_score: float
    low_score_days: PositiveInt


class Measure(_Model):
    """A number of bulletins: its name, its unit, and its formula and source."""

    name: str
    title: str
    unit: Unit
    of: Origin
    formula: str


class Terms(_Model):
    """The file as a model."""

    version: int
    basis: str
    document_word: str
    addressees: str
    contact: str
    ranking: Ranking
    cases: int = Field(ge=0)
    told: PositiveInt
    listed: PositiveInt
    demands: Demands
    measures: tuple[Measure, ...]

    def measure(self, name: str) -> Measure:
        """The measure of that name; KeyError where there is none."""
        return {measure.name: measure for measure in self.measures}[name]


@lru_cache
def terms(file: Path = FILE) -> Terms:
    """The terms as the file gives them."""
    return Terms.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
