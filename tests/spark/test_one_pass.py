"""The promise of one pass, in exact counts: reads of the delivery and Spark jobs, by the engine's status store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline import bronze, conform
from jobs.pipeline.ingestion import land, load
from jobs.quality import plan
from jobs.settings import Settings
from tests.contract_texts import STATION_FIELDS, STATION_SUITE, contract
from tests.spark.status import jobs_since, mark, scans_since

ROWS = 1237
JOBS = 3


def delivered(lake: Lake, registry: Registry, file: Path, hours: range) -> str:
    """Id of a loaded delivery with one reading for each hour of a station."""
    lines = [f"一站,2026-01-{1 + h // 24:02d} {h % 24:02d}:00:00,{60 + h % 7 + len(hours) / 100},20" for h in hours]
    file.write_text("站点,时间,温度,回温\n" + "\n".join(lines), "utf-8")
    deliver(lake.store, [file], "station", "heat", Manifest())
    (landed,) = land(lake, registry)
    load(lake, registry, landed.delivery.id)
    return landed.delivery.id


def test_later_keys_are_added_as_files_and_known_ones_merged(
    lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = write_contracts({"schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS)})
    monkeypatch.setattr(bronze, "FEW_ROWS", 0)  # as large deliveries
    merges: list[str] = []
    merge = lake.tables.merge
    monkeypatch.setattr(lake.tables, "merge", lambda *how: merges.append("merge") or merge(*how))
    first = delivered(lake, registry, tmp_path / "1.csv", range(30))
    later = delivered(lake, registry, tmp_path / "2.csv", range(30, 50))
    again = delivered(lake, registry, tmp_path / "3.csv", range(25, 60))
    for delivery in (first, later):
        conform.conform(lake, registry, delivery)
    assert not merges, "no key of silver is within the range of the new ones"
    conform.conform(lake, registry, again)
    assert merges == ["merge"]
    silver = lake.delta.open(lake.path(Zone.SILVER, "station"))
    assert silver is not None
    rows = silver.to_pyarrow_table(columns=["read_at", "_delivery"]).sort_by("read_at").to_pylist()
    assert [row["_delivery"] for row in rows] == [first] * 25 + [again] * 35


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
    before = mark(settings, lake.spark)
    monkeypatch.setattr(bronze, "FEW_ROWS", 0)  # as a large delivery
    verdict = conform.conform(lake, registry, landed.delivery.id)
    planned = plan(registry.contract("station"), registry.rules["station"])
    assert verdict.failed_rows > 0
    assert planned.table_reads() == 2
    assert scans_since(settings, before, ROWS) == planned.table_reads(), "one read, and one for the key's group"
    assert jobs_since(settings, before) == JOBS
    silver = lake.delta.open(lake.path(Zone.SILVER, "station"))
    assert silver is not None and silver.count() == ROWS - verdict.failed_rows
    files = {uri.partition("/silver/station/")[2] for uri in silver.file_uris()}
    assert files and all(name.startswith("staged-") for name in files), (
        "the evaluated rows' own files, not written again"
    )
    left = {found.key.partition("silver/station/")[2] for found in lake.store.list("silver/station/staged-")}
    assert left == files, "what was held back, and the staged log, are removed"
