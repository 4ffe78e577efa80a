"""Which products are built again when some datasets have changed."""

from typing import Any

import pytest

from jobs.contracts import load_usable
from jobs.pipeline import products
from jobs.settings import PROJECT

REGISTRY = load_usable(PROJECT / "schemas", PROJECT / "expectations")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The products that were to be built; the first one fails."""
    found: list[str] = []

    def build(lake: Any, registry: Any, product: str) -> str:
        found.append(product)
        if len(found) == 1:
            raise ValueError("no such column")
        return product

    monkeypatch.setattr(products, "build", build)
    return found


def test_products_with_a_changed_input_are_built_and_a_failure_stops_no_other(asked: list[str]) -> None:
    built = products.build_of(None, REGISTRY, {"water_plant_minutes", "devices"})  # type: ignore[arg-type]
    with_devices = {"air_quality_day", "telemetry_summary", "utility_day_by_county"}
    assert set(asked) == {*with_devices, "supply_sales_month", "utility_balance_day", "water_zone_day"}
    assert built == asked[1:]


def test_none_is_built_without_a_changed_input(asked: list[str]) -> None:
    assert products.build_of(None, REGISTRY, set()) == []  # type: ignore[arg-type]
    assert asked == []
