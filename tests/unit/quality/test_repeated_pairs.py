"""Pairs of hashes that occur more than once, against counting them in Python."""

from collections import Counter

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from jobs.quality.joins import repeated_pairs

NAMES = ("long", "short")
SCHEMA = pa.schema([("long", pa.int64()), ("short", pa.int32())])
FEW = st.one_of(st.integers(-3, 3), st.sampled_from([2**63 - 1, -(2**63)]))


@given(st.lists(st.tuples(FEW, st.integers(-2, 2)), max_size=40))
def test_pairs_are_those_that_occur_more_than_once(pairs: list[tuple[int, int]]) -> None:
    table = pa.Table.from_pylist([dict(zip(NAMES, pair, strict=True)) for pair in pairs], schema=SCHEMA)
    found = repeated_pairs(table, NAMES)
    assert found.schema.names == list(NAMES)
    got = list(zip(*(column.to_pylist() for column in found.columns), strict=True))
    assert sorted(got) == sorted(pair for pair, number in Counter(pairs).items() if number > 1)
