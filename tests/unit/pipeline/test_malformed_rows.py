"""Which rules none but malformed rows break: these have no ticket of their own, as the shape of rows has one."""

from pathlib import Path

from jobs.pipeline.failed_rows import broken_by_malformed_rows_alone
from tests.unit.lake.local_lake import DATASET, full_lake, row


def test_a_rule_that_other_rows_break_too_keeps_its_ticket(tmp_path: Path) -> None:
    lake, cat = full_lake(tmp_path)
    contract, last = cat.contract(DATASET), lake.ledger.entries[-1]
    results = lake.results().rules([("delivery", "=", last.id)])
    places = (("row_shape", 7), ("uscc_pattern", 7), ("uscc_pattern", 90), ("name_required", 7))
    lake.put_evidence(DATASET, [row(last, number, rule, "", None) for rule, number in places])
    found = broken_by_malformed_rows_alone(lake, contract, last.id, results)  # type: ignore[arg-type]
    assert found == {"name_required"}


def test_without_malformed_rows_every_rule_keeps_its_ticket(tmp_path: Path) -> None:
    lake, cat = full_lake(tmp_path)
    contract, last = cat.contract(DATASET), lake.ledger.entries[-1]
    results = [r for r in lake.results().rules([("delivery", "=", last.id)]) if r.rule != "row_shape"]
    assert broken_by_malformed_rows_alone(lake, contract, last.id, results) == frozenset()  # type: ignore[arg-type]
