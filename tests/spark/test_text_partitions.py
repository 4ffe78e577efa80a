"""Silver partitioned by texts as people write them: every file is found again, by every reader, after every way of writing."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.database import Database
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.pipeline import bronze
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land
from jobs.serving.sql.service import SqlService
from tests.contract_texts import STATION_FIELDS, contract

COUNTIES = ("东昌府区", "a/b", "50%", "x=y", "空 格", "%E4%B8%9C", "it's")
ANALYST = Actor("analyst", "bureau", "周分析")


@pytest.fixture(params=("small", "large"))
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of a delivery through the engine."""
    if request.param == "large":
        monkeypatch.setattr(bronze, "FEW_ROWS", -1)
    return str(request.param)


def sent(lake: Lake, registry: Registry, path: Path, temp: float) -> None:
    """A delivery with a row of each county."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["站点", "时间", "温度", "回温"])
        writer.writerows([name, "2026-03-01 08:00:00", temp, 40] for name in COUNTIES)
    deliver(lake.store, [path], "station", "heat", Manifest())
    (landed,) = land(lake, registry)
    conform(lake, registry, landed.delivery.id)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("mode", ["merge", "append"])
def test_rows_of_every_partition_are_read_by_every_reader(
    lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path, mode: str
) -> None:
    write = f"  - {{property: write, value: {{mode: {mode}, partition_by: [station]}}}}\n"
    registry = write_contracts(
        {
            "schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS, write),
            "expectations/sources/heat/station.yaml": "name: station\nexpectations: []\n",
        }
    )
    sent(lake, registry, tmp_path / "1.csv", 60)
    sent(lake, registry, tmp_path / "2.csv", 61)
    path = lake.path(Zone.SILVER, "station")
    expected = sorted((name, 61.0 if mode == "merge" else 60.0) for name in COUNTIES)
    by_spark = [(row["station"], row["temp_c"]) for row in lake.tables.read(path).collect()]
    assert sorted(by_spark) == expected
    table = lake.delta.open(path)
    assert table is not None
    by_delta = table.to_pyarrow_table(columns=["station", "temp_c"]).to_pylist()
    assert sorted((row["station"], row["temp_c"]) for row in by_delta) == expected
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    database.migrate()
    service = SqlService(lake, database, lambda: registry)
    by_sql = service.ask(ANALYST, "SELECT station, temp_c FROM silver.station", "test").table.to_pylist()
    assert sorted((row["station"], row["temp_c"]) for row in by_sql) == expected
    service.close()
    database.close()
