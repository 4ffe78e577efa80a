"""Dimensions and indicators are declared once, and everything that names one names a declared one."""

import pytest
from pydantic import TypeAdapter, ValidationError

from jobs.contracts import Dimension
from jobs.contracts.codes import codes
from jobs.contracts.quality_standard import quality_standard
from jobs.contracts.rule_wordings import wordings
from jobs.reporting.score import weights


def test_the_standard_has_six_dimensions_and_twenty_indicators() -> None:
    standard = quality_standard()
    assert len(standard.dimensions) == 6 and len(standard.indicators()) == 20
    for number, indicators in enumerate(standard.dimensions.values(), 1):
        assert [code[:2] for code in indicators] == [f"{number:02d}"] * len(indicators)


def test_weights_name_the_dimensions_in_their_order() -> None:
    assert tuple(weights().dimensions) == tuple(quality_standard().dimensions)


def test_codes_and_derived_rules_name_declared_indicators() -> None:
    named = {code.indicator for code in codes().values()} | {text.indicator for text in wordings().rules.values()}
    assert named <= set(quality_standard().indicators())


def test_an_unknown_dimension_is_rejected_with_the_known_ones() -> None:
    adapter = TypeAdapter(Dimension)
    assert adapter.validate_python("时效性") == "时效性"
    with pytest.raises(ValidationError, match=r"Input should be '规范性', .* or '可访问性'"):
        adapter.validate_python("美观性")
