"""The real S3 and Spark servers in a home of their own: up, used, killed, up again, down."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import boto3
import httpx
import psutil
import pytest
from pydantic import SecretStr

from jobs import embedded
from jobs.embedded import process, spark
from jobs.embedded.endpoints import read_env
from jobs.errors import SetupError
from jobs.lake.session import connect, remote_of
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
    table = f"s3a://{settings(home).s3_bucket}/table"
    session = connect(settings(home))
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


@pytest.mark.parametrize("token", ["", "another"], ids=["without", "wrong"])
def test_a_client_without_the_token_is_refused(home: Path, token: str) -> None:
    other = settings(home).model_copy(update={"spark_token": SecretStr(token)})
    with pytest.raises(SetupError, match="LAKE_SPARK_TOKEN"):
        connect(other)
    with pytest.raises(Exception, match="UNAUTHENTICATED"):
        spark.probe(other)
    spark.probe(settings(home))


def test_a_client_of_pyspark_itself_is_let_in_with_the_token_alone(home: Path) -> None:
    """By a process of its own: pyspark keeps the session of the one before."""
    ask = "import sys; from pyspark.sql import SparkSession as S; S.builder.remote(sys.stdin.read()).create().sql('SELECT 1').collect()"
    for remote, is_let_in in ((settings(home).spark_remote, False), (remote_of(settings(home)), True)):
        done = subprocess.run([sys.executable, "-c", ask], input=remote, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is is_let_in, done.stderr[-2000:]


def test_status_says_that_a_server_that_does_not_know_our_token_is_unhealthy(home: Path) -> None:
    other = settings(home).model_copy(update={"spark_token": SecretStr("another")})
    assert {found.name: found.state for found in embedded.status(other)}["spark"] == "unhealthy"
    assert {found.name: found.state for found in embedded.status(settings(home))}["spark"] == "running"


def test_no_secret_stands_on_a_command_line_and_files_that_hold_one_are_the_owners_alone(home: Path) -> None:
    secrets = [value for key, value in read_env(home / "secrets.env").items() if "ACCESS_KEY" not in key]
    assert settings(home).spark_token.get_secret_value() in secrets
    words = [word for pid in process.members(home) for word in psutil.Process(pid).cmdline()]
    lines = "\n".join(words)
    assert "SparkConnectServer" in lines and not any(secret in lines for secret in secrets)
    for file in [f for f in home.rglob("*") if f.is_file() and not f.is_relative_to(home / "s3")]:
        text = file.read_bytes()
        if any(secret.encode() in text for secret in secrets):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_the_server_has_no_page_and_nothing_that_listens_to_other_machines(home: Path) -> None:
    open_ = [one for pid in process.members(home) for one in psutil.Process(pid).net_connections("tcp")]
    listening = {one.laddr for one in open_ if one.status == psutil.CONN_LISTEN}
    assert len(listening) > 2 and all(ip_address(one.ip.removeprefix("::ffff:")).is_loopback for one in listening)
    for one in listening:
        with httpx.Client(trust_env=False, timeout=5) as client, contextlib.suppress(httpx.HTTPError):
            assert "sparkUser" not in client.get(f"http://127.0.0.1:{one.port}/api/v1/applications").text
    assert "spark.authenticate true\n" in (home / "run" / "spark.conf").read_text(), "the driver's own ports ask too"


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
    with pytest.raises(Exception, match=r"spark exited during startup.*(?s:.)*logs/spark\.log"):
        embedded.up(settings(tmp_path), SERVICES)
    assert process.members(tmp_path) == []


def test_down_leaves_no_process_and_forgets_the_endpoints(home: Path) -> None:
    embedded.down(settings(home))
    assert process.members(home) == []
    assert not (home / "endpoints.env").exists()
    assert settings(home).s3_endpoint == ""
