"""The 500 contracts that the benchmark checks."""

from pathlib import Path

from jobs import contracts
from jobs.settings import PROJECT
from tests.bench.contracts import variants


def test_variants_are_valid_contracts_with_the_rules_of_their_originals(tmp_path: Path) -> None:
    shipped = contracts.load(PROJECT / "schemas", PROJECT / "expectations")
    count = 2 * len(shipped.contracts)
    named = variants(tmp_path, count)
    found = contracts.load(Path(named["LAKE_SCHEMAS"]), Path(named["LAKE_EXPECTATIONS"]))
    assert len(found.contracts) == count
    assert sum(map(len, found.rules.values())) == 2 * sum(map(len, shipped.rules.values()))
