"""Moments as the SQL service shows them, by whichever engine and in whichever format a file was written."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.contracts import Registry
from jobs.lake.database import Database
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.serving.sql.service import SqlService
from tests.contract_texts import STATION_FIELDS, contract

ANALYST = Actor("analyst", "bureau", "周分析")
START = datetime(2026, 1, 11, 15, 30, tzinfo=UTC)
FORMAT = "spark.sql.parquet.outputTimestampType"


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    suite = "name: station\nexpectations: []\n"
    files = {"schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS)}
    return write_contracts(files | {"expectations/sources/heat/station.yaml": suite})


@contextmanager
def written_as(lake: Lake, kind: str) -> Iterator[None]:
    """Spark writes moments in this format."""
    before = lake.spark.conf.get(FORMAT)
    lake.spark.conf.set(FORMAT, kind)
    try:
        yield
    finally:
        lake.spark.conf.set(FORMAT, before)


def readings(number: int) -> pa.Table:
    moments = [START + timedelta(hours=number), START + timedelta(hours=number, minutes=1)]
    return pa.table(
        {
            "station": [f"站 {number}/%2F"] * 2,
            "read_at": pa.array(moments, pa.timestamp("us", "UTC")),
            "temp_c": [1.0, None],
        }
    )


def append(lake: Lake, table: pa.Table, *partition: str) -> None:
    frame = lake.spark.createDataFrame(table).coalesce(1)
    path = lake.path(Zone.SILVER, "station")
    frame.write.format("delta").mode("append").partitionBy(*partition).save(path.spark_url)


def test_no_file_that_spark_writes_has_the_old_format(lake: Lake) -> None:
    append(lake, readings(0))
    table = lake.delta.open(lake.path(Zone.SILVER, "station"))
    assert table is not None
    (fragment,) = table.to_pyarrow_dataset().get_fragments()
    column = fragment.metadata.schema.to_arrow_schema().field("read_at")
    assert column.type == pa.timestamp("us", "UTC")  # INT96 would be nanoseconds without a zone


@pytest.mark.parametrize("partition", [(), ("station",)])
def test_files_of_both_formats_show_the_same_moments(
    lake: Lake, registry: Registry, tmp_path: Path, partition: tuple[str, ...]
) -> None:
    for number, kind in enumerate(("INT96", "TIMESTAMP_MICROS")):
        with written_as(lake, kind):
            append(lake, readings(number), *partition)
    assert lake.delta.append(lake.path(Zone.SILVER, "station"), readings(2))
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    database.migrate()
    service = SqlService(lake, database, lambda: registry)
    query = (
        "SELECT station, read_at, read_at >= TIMESTAMPTZ '2026-01-12 00:00:00' AS late FROM silver.station ORDER BY 2"
    )
    shown = service.ask(ANALYST, query, "test").table.to_pylist()
    expected = [START + timedelta(hours=n, minutes=m) for n in range(3) for m in (0, 1)]
    assert [row["read_at"] for row in shown] == expected
    assert [row["late"] for row in shown] == [False, False, True, True, True, True]
    assert {row["station"] for row in shown} == {f"站 {n}/%2F" for n in range(3)}
    service.close()
    database.close()
