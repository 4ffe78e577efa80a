"""Small files become few, and what broke off half-way does not lie in the store for ever."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.spark_tables import SparkTables
from jobs.lake.zones import Zone
from jobs.pipeline import maintenance
from jobs.pipeline.maintenance import upkeep
from tests.contract_texts import contract
from tests.spark.test_proof import push

PART = b"x" * (5 << 20)


def unfinished(lake: Lake) -> list[str]:
    found = lake.store._s3.list_multipart_uploads(Bucket=lake.store.bucket)
    return sorted(one["Key"] for one in found.get("Uploads", []))


def test_uploads_that_broke_off_are_forgotten_and_those_under_way_go_on(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, going = lake.store.begin("landing/a/broken.csv"), lake.store.begin("landing/a/going.csv")
    for one in (broken, going):
        one.put(PART)
    upkeep(lake, Registry({}, {}))
    assert unfinished(lake) == ["landing/a/broken.csv", "landing/a/going.csv"], "both are young"
    going.put(b"end")
    going.complete()
    monkeypatch.setattr(maintenance, "UNFINISHED", timedelta(hours=-1))
    upkeep(lake, Registry({}, {}))
    assert unfinished(lake) == []
    assert lake.store.head("landing/a/broken.csv") is None
    assert lake.store.get_bytes("landing/a/going.csv") == PART + b"end"
    assert lake.store.abort_uploads(datetime.now(UTC) + timedelta(days=1)) == 0


@pytest.mark.parametrize(("most", "by_engine"), [(1_000_000, 0), (-1, 1)], ids=["client", "engine"])
def test_small_files_of_a_curated_table_become_one(
    lake: Lake,
    write_contracts: Callable[..., Registry],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    by_engine: int,
) -> None:
    compacted: list[object] = []
    real = SparkTables.compact
    monkeypatch.setattr(SparkTables, "compact", lambda self, *args: compacted.append(args) or real(self, *args))
    monkeypatch.setattr(maintenance, "MOST_ROWS", most)
    fields = "\n      - {name: station, logicalType: string, required: true, primaryKey: true}\n"
    registry = write_contracts({"schemas/sources/heat/station.yaml": contract("station", fields)})
    for number in range(3):
        push(lake, registry, tmp_path / f"{number}.csv", f"station\n甲{number}\n")
    path = lake.path(Zone.SILVER, "station")
    before = lake.delta.open(path)
    assert before is not None and len(before.file_uris()) == 3
    assert upkeep(lake, registry) == [str(path)]
    after = lake.delta.open(path)
    assert after is not None and len(after.file_uris()) == 1 and len(compacted) == by_engine
    rows = lake.tables.read(path).collect()
    assert sorted(row.station for row in rows) == ["甲0", "甲1", "甲2"]
    assert lake.tables.read(path, before.version()).count() == 3, "earlier versions stay readable"
