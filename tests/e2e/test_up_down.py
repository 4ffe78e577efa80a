"""The real S3 and Spark servers in a home of their own: up, used, killed, up again, down."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from jobs import embedded
from jobs.embedded import process
from jobs.settings import Settings, load

SERVICES = ("s3", "spark")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose services are up; the environment of the caller must not lead us to other servers."""
    kept = {key: os.environ.pop(key) for key in list(os.environ) if key.startswith("LAKE_") and key != "LAKE_CACHE"}
    folder = tmp_path_factory.mktemp("lake") / "home"
    os.environ["LAKE_SPARK_MEMORY"] = "1g"
    load.cache_clear()
    try:
        embedded.up(load(folder), SERVICES)
        yield folder
    finally:
        embedded.down(load(folder))
        del os.environ["LAKE_SPARK_MEMORY"]
        os.environ.update(kept)
        load.cache_clear()


def settings(home: Path) -> Settings:
    load.cache_clear()
    return load(home)


def pids(home: Path) -> dict[str, int | None]:
    return {found.name: found.pid for found in embedded.status(settings(home)) if found.name in SERVICES}


def round_trip(found: Settings, body: bytes) -> bytes:
    """Put an object and get it back."""
    client = boto3.client(
        "s3",
        endpoint_url=found.s3_endpoint,
        aws_access_key_id=found.s3_access_key,
        aws_secret_access_key=found.s3_secret_key.get_secret_value(),
        region_name=found.s3_region,
    )
    try:
        client.put_object(Bucket=found.s3_bucket, Key="数据/a b.txt", Body=body)
        return bytes(client.get_object(Bucket=found.s3_bucket, Key="数据/a b.txt")["Body"].read())
    finally:
        client.close()


def test_services_run_and_say_so(home: Path) -> None:
    states = {found.name: found.state for found in embedded.status(settings(home))}
    assert states["s3"] == states["spark"] == "running"
    assert states["airflow-scheduler"] == "stopped"


def test_object_comes_back_as_it_was_put(home: Path) -> None:
    assert round_trip(settings(home), b"\x00\xff") == b"\x00\xff"


def test_delta_table_on_the_object_store_can_be_written_merged_and_read(home: Path) -> None:
    from pyspark.sql import SparkSession

    table = f"s3a://{settings(home).s3_bucket}/table"
    session = SparkSession.builder.remote(settings(home).spark_remote).create()
    try:
        session.range(3).write.format("delta").save(table)
        session.sql(
            f"MERGE INTO delta.`{table}` t USING (SELECT explode(array(2L, 3L)) AS id) u ON t.id = u.id"
            " WHEN NOT MATCHED THEN INSERT *"
        ).collect()
        assert session.read.format("delta").load(table).count() == 4
        assert session.sql("SELECT current_timezone()").first()[0] == "UTC"
    finally:
        session.stop()


def test_second_up_leaves_the_processes_alone(home: Path) -> None:
    before = pids(home)
    embedded.up(settings(home), SERVICES)
    assert pids(home) == before


def test_up_recovers_a_killed_server_and_its_data(home: Path) -> None:
    before = pids(home)
    assert before["s3"]
    os.kill(before["s3"], signal.SIGKILL)
    embedded.up(settings(home), SERVICES)
    after = pids(home)
    assert after["s3"] != before["s3"] and after["spark"] == before["spark"]
    assert round_trip(settings(home), b"again") == b"again"


def test_up_restarts_a_server_whose_settings_changed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = pids(home)
    monkeypatch.setenv("LAKE_SPARK_MEMORY", "1100m")
    embedded.up(settings(home), SERVICES)
    after = pids(home)
    assert after["s3"] == before["s3"] and after["spark"] != before["spark"]


def test_failed_up_leaves_nothing_that_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_SPARK_MEMORY", "much")
    with pytest.raises(Exception, match=r"spark ended.*(?s:.)*logs/spark\.log"):
        embedded.up(settings(tmp_path), SERVICES)
    assert process.members(tmp_path) == []


def test_down_leaves_no_process_and_forgets_the_endpoints(home: Path) -> None:
    embedded.down(settings(home))
    assert process.members(home) == []
    assert not (home / "endpoints.env").exists()
    assert settings(home).s3_endpoint == ""
