"""A reference to a row that its own department still has to correct is a finding of its own, not a fault of who refers to it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.model.delivery import State
from jobs.pipeline import bronze
from jobs.pipeline.verification import verify
from tests.contract_texts import contract
from tests.spark.test_proof import push

READING_FIELDS = """
      - {name: reading, logicalType: string, required: true, primaryKey: true}
      - name: station
        logicalType: string
        required: true
        relationships: [{type: foreignKey, to: known.station}]
        customProperties: [{property: held_back, value: CHOICE}]
"""
KNOWN_FIELDS = """
      - {name: station, logicalType: string, required: true, primaryKey: true}
      - {name: homes, logicalType: integer, required: true}
"""
LIMIT = "  - {property: acceptance, value: {max_failed_rows_pct: 70}}\n"
KNOWN = "station,homes\n甲,12\n乙,很多\n丙,\n"
READINGS = "reading,station\n1,甲\n2,乙\n3,丁\n4,丙\n5,乙\n"


def registry(write_contracts: Callable[..., Registry], choice: str = "info") -> Registry:
    return write_contracts(
        {
            "schemas/sources/heat/known.yaml": contract("known", KNOWN_FIELDS, LIMIT),
            "schemas/sources/heat/reading.yaml": contract("reading", READING_FIELDS.replace("CHOICE", choice)),
        }
    )


def failed(lake: Lake, delivery: str) -> dict[str, int]:
    rules = Results(lake.delta, lake.settings.s3_bucket).rules([("delivery", "=", delivery)])
    return {rule.rule: rule.unexpected_count for rule in rules if rule.rule.startswith("station_")}


@pytest.mark.parametrize("few_rows", [50_000, -1], ids=["small", "large"])
def test_a_row_held_back_at_its_own_department_is_not_unknown(
    lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_rows: int
):
    monkeypatch.setattr(bronze, "FEW_ROWS", few_rows)
    both = registry(write_contracts)
    first = push(lake, both, tmp_path / "k.csv", KNOWN, "known")
    readings = push(lake, both, tmp_path / "r.csv", READINGS, "reading")
    assert failed(lake, readings) == {"station_required": 0, "station_reference": 1, "station_held_back": 3}
    verdict = Results(lake.delta, lake.settings.s3_bucket).verdict(readings)
    assert verdict is not None and (verdict.failed_rows, verdict.warned_rows) == (1, 0)

    push(lake, both, tmp_path / "k2.csv", "station,homes\n甲,12\n乙,30\n", "known", supersedes=first)
    again = push(lake, both, tmp_path / "r2.csv", READINGS + "6,丙\n", "reading", supersedes=readings)
    assert failed(lake, again) == {"station_required": 0, "station_reference": 3, "station_held_back": 0}
    assert verify(lake, both, readings).differing() == []


def test_the_contract_may_count_it_as_unknown(lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path):
    both = registry(write_contracts, "unknown")
    push(lake, both, tmp_path / "k.csv", KNOWN, "known")
    readings = push(lake, both, tmp_path / "r.csv", READINGS, "reading")
    assert failed(lake, readings) == {"station_required": 0, "station_reference": 4}


@pytest.mark.parametrize("few_rows", [50_000, -1], ids=["small", "large"])
def test_all_rows_of_a_refused_delivery_are_held_back_until_it_is_replaced(
    lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_rows: int
):
    monkeypatch.setattr(bronze, "FEW_ROWS", few_rows)
    both = registry(write_contracts)
    push(lake, both, tmp_path / "k0.csv", "station,homes\n己,5\n", "known")
    refused = push(lake, both, tmp_path / "k.csv", "station,homes\n 甲 ,多\n乙,很多\n丙,\n丁,9\n", "known")
    assert lake.ledger.get(refused).state is State.REFUSED
    readings = push(lake, both, tmp_path / "r.csv", READINGS + "6,戊\n", "reading")
    assert failed(lake, readings) == {"station_required": 0, "station_reference": 1, "station_held_back": 5}

    push(lake, both, tmp_path / "k2.csv", "station,homes\n甲,12\n乙,30\n", "known", supersedes=refused)
    again = push(lake, both, tmp_path / "r2.csv", READINGS + "7,甲\n", "reading", supersedes=readings)
    assert failed(lake, again) == {"station_required": 0, "station_reference": 2, "station_held_back": 0}
    assert verify(lake, both, readings).differing() == []
