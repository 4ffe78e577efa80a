"""The promise of one pass, in exact counts: reads of the delivery and Spark jobs, by the engine's status store."""

from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from pyspark.sql import DataFrame

from jobs.conform import Publication
from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.pipeline import bronze, conform
from jobs.pipeline.ingestion import land, load
from jobs.quality import plan
from jobs.settings import Settings
from tests.contract_texts import STATION_FIELDS, STATION_SUITE, contract
from tests.spark.status import jobs_since, mark, scans_since

ROWS = 1237
JOBS = 13
"""One of them meets the conditions on the groups that the pass over the rows left: it reads no rows."""


def physical_plan(rows: DataFrame) -> str:
    """The engine's physical plan of the rows, as text."""
    with redirect_stdout(StringIO()) as said:
        rows.explain()
    return said.getvalue().partition("== Physical Plan ==")[2].strip()


def test_a_delivery_is_read_once_and_once_more_for_each_uniqueness_group(
    lake: Lake,
    settings: Settings,
    write_contracts: Callable[..., Registry],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    registry = write_contracts(
        {
            "schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS),
            "expectations/sources/heat/station.yaml": STATION_SUITE,
        }
    )
    lines = [f"站{i},2026-01-01 08:00:00,{20 + i % 150},{i % 60}" for i in range(ROWS)]
    file = tmp_path / "a.csv"
    file.write_text("站点,时间,温度,回温\n" + "\n".join(lines), "utf-8")
    deliver(lake.store, [file], "station", "heat", Manifest())
    (landed,) = land(lake, registry)
    load(lake, registry, landed.delivery.id)
    before = mark(settings)
    seen: list[str] = []
    publish = conform.publish

    def looking(on: Lake, what: Publication) -> None:
        seen.append(physical_plan(what.rows))
        publish(on, what)

    monkeypatch.setattr(bronze, "FEW_ROWS", 0)  # as a large delivery
    monkeypatch.setattr(conform, "publish", looking)
    verdict = conform.conform(lake, registry, landed.delivery.id)
    planned = plan(registry.contract("station"), registry.rules["station"])
    assert verdict.failed_rows > 0
    assert planned.table_reads() == 2
    assert seen[0].count("FileScan parquet") == 1, "the key's group found nothing, so nothing is joined"
    assert "InMemoryTableScan" in seen[0], "the writes read the cache"
    assert "StorageLevel(disk, memory, deserialized" in seen[0], "what does not fit into memory goes to disk"
    assert scans_since(settings, before, ROWS) == planned.table_reads(), "one read, and one for the key's group"
    assert jobs_since(settings, before) == JOBS
