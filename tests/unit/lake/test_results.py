"""Verdicts in the results tables."""

from pathlib import Path

from tests.unit.lake.local_lake import many_results


def test_a_lake_of_many_deliveries_has_a_verdict_for_each(tmp_path: Path) -> None:
    lake, _ = many_results(tmp_path, 12)
    assert [v.seq for v in lake.results().verdicts()] == list(range(1, 13))
