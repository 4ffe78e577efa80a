"""Fully equal rows are dropped whatever other groups of unique values a contract has; small and large alike."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.pipeline import bronze
from tests.contract_texts import contract
from tests.spark.test_proof import push

FIELDS = """
      - {name: meter, logicalType: string, required: true, primaryKey: true}
      - {name: seal, logicalType: string}
      - {name: reading, logicalType: integer}
"""
SUITE = """name: meters
expectations:
  - id: one_meter_a_seal
    type: expect_column_values_to_be_unique
    kwargs: {column: seal}
    severity: warning
    meta: {dimension: 准确性, message: 封签重复, remedy: 请核对, basis: 约定}
"""


@pytest.mark.parametrize("few_rows", [50_000, -1], ids=["small", "large"])
def test_copies_are_dropped_where_another_unique_field_has_no_repeated_value(
    lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_rows: int
):
    monkeypatch.setattr(bronze, "FEW_ROWS", few_rows)
    files = {"schemas/sources/water/meters.yaml": contract("meters", FIELDS)}
    registry = write_contracts(files | {"expectations/sources/water/meters.yaml": SUITE})
    rows = "meter,seal,reading\n1,,5\n1,,5\n2,S2,6\n3,S3,7\n3,S4,8\n"
    delivery = push(lake, registry, tmp_path / "m.csv", rows, "meters")
    verdict = Results(lake.delta, lake.settings.s3_bucket).verdict(delivery)
    assert verdict is not None and (verdict.copies, verdict.rows, verdict.failed_rows) == (1, 4, 2)
