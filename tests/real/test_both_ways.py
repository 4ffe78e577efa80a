"""Every real delivery that may take either way has one outcome: judged in memory by one query, or staged in files.

Those of more than twice the rows that go in memory are staged always; tests/real/test_whole_way.py has them.
"""

from typing import Any

import pyarrow as pa
import pytest

from jobs.lake import spark_tables
from jobs.lake.bits import BIT_COLUMNS
from jobs.pipeline import bronze
from jobs.pipeline.evaluation import evaluate_delivery, runnable_rules
from jobs.pipeline.versions import latest_versions
from tests.real.whole_way import SENT, Way

EITHER_WAY = [name for name, sent in SENT.items() if sent.rows <= 2 * bronze.FEW_ROWS]


@pytest.fixture(params=EITHER_WAY)
def name(request: pytest.FixtureRequest) -> str:
    """A delivery's name in SOURCES.md."""
    return str(request.param)


def test_in_memory_and_in_files_have_one_outcome(way: Way, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    way.outcome(name)
    outcomes = []
    for few_rows in (10**9, -1):
        monkeypatch.setattr(bronze, "FEW_ROWS", few_rows)
        monkeypatch.setattr(
            spark_tables, "FEW_ROWS", min(few_rows, spark_tables.FEW_ROWS)
        )  # compiled, as large ones are
        outcomes.append(_outcome(way, name))
    in_memory, in_files = outcomes
    assert in_memory["rows"].equals(in_files.pop("rows")), name
    del in_memory["rows"]
    assert in_memory == in_files


def _outcome(way: Way, name: str) -> dict[str, Any]:
    """Counts, results, repairs, distribution, and the verdict bits of each row."""
    lake, registry = way.lake, way.registry
    delivery, contract = way.outcome(name).delivery, registry.contract(SENT[name].dataset)
    versions = latest_versions(lake)
    evaluation = evaluate_delivery(
        lake, contract, delivery, runnable_rules(lake, registry.rules[contract.id], versions), versions
    )
    evaluated = evaluation.outcome
    try:
        bits = sorted(column for column in evaluated.columns() if BIT_COLUMNS.fullmatch(column))
        rows = pa.Table.from_batches(evaluated.batches(["_file", "_row", *bits]))
        return {
            "rows": rows.cast(pa.schema([(n, pa.string() if n == "_file" else pa.int64()) for n in rows.column_names]))
            .sort_by([("_file", "ascending"), ("_row", "ascending")])
            .combine_chunks(),
            "counted": dict(evaluated.counted),
            "results": [
                (r.rule.id, r.success, r.element_count, r.unexpected_count, r.missing_count, r.gx)
                for r in evaluated.results
            ],
            "counties": {county: [r.unexpected_count for r in found] for county, found in evaluated.counties.items()},
            "distribution": {field: pytest.approx(number) for field, number in evaluated.shape.items()},
            "repairs": evaluation.repair_counts(),
            "readings": evaluated.readings,
        }
    finally:
        evaluated.release()
