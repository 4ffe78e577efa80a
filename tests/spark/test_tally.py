"""Counts by bits agree with counting each row, whatever the bits, by group and without rows."""

import random

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.lake.bits import BITS, AnyBit
from jobs.quality.counts import count_groups, count_table


def judged(rows: int) -> list[tuple[str, int, int, float | None]]:
    rng = random.Random(rows)
    return [
        (rng.choice(["", "371502", "371521"]), rng.getrandbits(BITS), rng.getrandbits(3), rng.choice([None, 1.5, 2.0]))
        for _ in range(rows)
    ]


@pytest.mark.parametrize("rows", [0, 1, 300])
def test_counts_by_bits_are_those_of_the_rows(spark: SparkSession, rows: int) -> None:
    made = judged(rows)
    table = spark.createDataFrame(made, "place string, _mask0 bigint, _fix0 bigint, value double")
    asked = {"all": AnyBit(), "last": AnyBit("_mask", (BITS - 1,)), "fixed": AnyBit("_fix", (1,))}
    sums = {"n": F.count("value"), "s": F.sum("value")}
    whole, numbers = count_groups(table, "", asked, sums)
    values = [value for *_, value in made if value is not None]
    assert numbers == {"n": len(values), "s": sum(values)}
    by_place, again = count_groups(table, "place", asked, sums)
    assert again == numbers and set(by_place) == {place for place, *_ in made}
    in_memory = table.toArrow()
    assert count_table(in_memory, "", asked) == whole and count_table(in_memory, "place", asked) == by_place
    for found, places in ((whole[""], {"", "371502", "371521"}), *((part, {p}) for p, part in by_place.items())):
        inside = [(mask, fix) for place, mask, fix, _ in made if place in places]
        assert found == {
            "all": len(inside),
            "last": sum(mask >> (BITS - 1) & 1 for mask, _ in inside),
            "fixed": sum(fix >> 1 & 1 for _, fix in inside),
        }


def test_a_column_of_a_dataset_is_no_bit(spark: SparkSession) -> None:
    table = spark.createDataFrame([(n, 1) for n in range(9)], "_masked bigint, _mask0 bigint")
    counts, _ = count_groups(table, "", {"all": AnyBit("_mask", (0,))}, {})
    assert counts == {"": {"all": 9}}
