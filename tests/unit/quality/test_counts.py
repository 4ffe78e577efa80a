"""Counts by bits agree with counting each row, whatever the bits, by group, over batches and without rows."""

import random
from collections.abc import Callable

import pyarrow as pa
import pytest

from jobs.contracts import Contract, Registry
from jobs.lake.bits import BITS, AnyBit
from jobs.quality.counts import count, counted_columns
from tests.contract_texts import STATION_FIELDS, contract

ASKED = {"all": AnyBit(), "last": AnyBit("_mask", (BITS - 1,)), "fixed": AnyBit("_fix", (1,))}


@pytest.fixture
def station(write_contracts: Callable[..., Registry]) -> Contract:
    return write_contracts({"schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS)}).contract(
        "station"
    )


def evaluated(rows: int) -> pa.Table:
    rng = random.Random(rows)
    return pa.table(
        {
            "place": pa.array([rng.choice(["", "371502", "371521"]) for _ in range(rows)], pa.string()),
            "_mask0": pa.array([rng.getrandbits(BITS) for _ in range(rows)], pa.int64()),
            "_fix0": pa.array([rng.getrandbits(3) for _ in range(rows)], pa.int64()),
            "temp_c": pa.array([rng.choice([None, 1.5, 2.0, 999.0]) for _ in range(rows)], pa.float64()),
        }
    )


@pytest.mark.parametrize("rows", [0, 1, 300])
def test_counts_by_bits_are_those_of_the_rows(station: Contract, rows: int) -> None:
    table = evaluated(rows)
    made = table.to_pylist()
    batches = table.to_batches(max_chunksize=7)
    whole, numbers = count(batches, "", ASKED, station)
    inside = [row["temp_c"] for row in made if row["temp_c"] is not None and row["temp_c"] <= 150]
    assert numbers.get("n:temp_c", 0) == len(inside) and numbers.get("s:temp_c", 0) == sum(inside)
    by_place, again = count(batches, "place", ASKED, station)
    assert again == numbers and set(by_place) - {""} == {row["place"] for row in made} - {""}
    for found, places in ((whole[""], {"", "371502", "371521"}), *((part, {p}) for p, part in by_place.items())):
        counted = [row for row in made if row["place"] in places]
        assert found == {
            "all": len(counted),
            "last": sum(row["_mask0"] >> (BITS - 1) & 1 for row in counted),
            "fixed": sum(row["_fix0"] >> 1 & 1 for row in counted),
        }


def test_a_column_of_a_dataset_is_no_bit(station: Contract) -> None:
    batch = pa.RecordBatch.from_pydict({"_masked": list(range(9)), "_mask0": [1] * 9})
    counts, _ = count([batch], "", {"all": AnyBit("_mask", (0,))}, station)
    assert counts == {"": {"all": 9}}
    names = ["_masked", "_mask0", "place", "temp_c", "_raw", "_seen1"]
    assert counted_columns(names, "place", station) == ["_mask0", "place", "temp_c", "_seen1"]
