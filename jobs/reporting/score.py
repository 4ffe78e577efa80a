"""Rule results → scores by the six dimensions of GB/T 36344-2018; untested ones are left out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import yaml
from pydantic import BaseModel, ConfigDict, PositiveFloat

FILE = Path(__file__).parent / "weights.yaml"
OF_A_DELIVERY = "delivery_"
"""Checks of a delivery as a whole count what they checked, though they have no rows of evidence."""
OF_EACH_ROW = re.compile(r"^expect_(column_values?_|column_pair_|compound_|multicolumn_|select_column_)")


class Weights(BaseModel):
    """The project's own numbers in the score; not set by any standard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int
    basis: str
    dimensions: dict[str, PositiveFloat]
    indicators: dict[str, PositiveFloat]
    severities: tuple[str, ...]


class ScoredRule(Protocol):
    """What a score needs of a rule's result."""

    @property
    def type(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def dimension(self) -> str: ...
    @property
    def indicator(self) -> str: ...
    @property
    def success(self) -> bool: ...
    @property
    def element_count(self) -> int: ...
    @property
    def unexpected_count(self) -> int: ...
    @property
    def missing_count(self) -> int: ...


@dataclass(frozen=True)
class IndicatorScore:
    """Mean pass rate (0 to 1) of an indicator's tested rules; None where none was tested."""

    code: str
    rules: int
    tested: int
    value: float | None
    weight: float


@dataclass(frozen=True)
class DimensionScore:
    """Score (0 to 100) of one dimension; None where nothing was tested."""

    name: str
    score: float | None
    weight: float
    indicators: tuple[IndicatorScore, ...]


@dataclass(frozen=True)
class Scores:
    """Scores of one delivery; `total` is None where nothing was tested."""

    total: float | None
    dimensions: tuple[DimensionScore, ...]
    weights_version: int


@lru_cache
def weights(file: Path = FILE) -> Weights:
    """The weights as the file gives them."""
    return Weights.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))


def checked_count(rule: ScoredRule) -> int:
    """Cells or rows that the rule checked."""
    return rule.element_count - rule.missing_count


def is_of_each_row(rule: ScoredRule) -> bool:
    """Whether the rule checks rows one by one rather than the whole table."""
    return bool(OF_EACH_ROW.match(rule.type))


def pass_rate(rule: ScoredRule) -> float | None:
    """X = 1 − failed / checked; a rule about the whole table is 1 or 0; None where nothing was checked."""
    if not is_of_each_row(rule) and not rule.type.startswith(OF_A_DELIVERY):
        return 1.0 if rule.success else 0.0
    checked = checked_count(rule)
    return 1 - rule.unexpected_count / checked if checked > 0 else None


def scores(rules: Iterable[ScoredRule], by: Weights) -> Scores:
    """Scores of one delivery's rule results."""
    counted = [rule for rule in rules if rule.severity in by.severities]
    dimensions = tuple(
        _dimension(name, weight, [r for r in counted if r.dimension == name], by)
        for name, weight in by.dimensions.items()
    )
    total = _mean([(d.score, d.weight) for d in dimensions])
    return Scores(total, dimensions, by.version)


def _dimension(name: str, weight: float, rules: Sequence[ScoredRule], by: Weights) -> DimensionScore:
    grouped: dict[str, list[ScoredRule]] = {}
    for rule in rules:
        grouped.setdefault(rule.indicator, []).append(rule)
    indicators = tuple(_indicator(code, grouped[code], by.indicators) for code in sorted(grouped))
    mean = _mean([(i.value, i.weight) for i in indicators])
    return DimensionScore(name, None if mean is None else 100 * mean, weight, indicators)


def _indicator(code: str, rules: Sequence[ScoredRule], by: Mapping[str, float]) -> IndicatorScore:
    rates = [pass_rate(rule) for rule in rules]
    tested = sum(rate is not None for rate in rates)
    return IndicatorScore(code, len(rules), tested, _mean([(rate, 1.0) for rate in rates]), by.get(code, 1.0))


def _mean(values: Sequence[tuple[float | None, float]]) -> float | None:
    known = [(value, weight) for value, weight in values if value is not None]
    return sum(v * w for v, w in known) / sum(w for _, w in known) if known else None
