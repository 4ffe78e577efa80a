"""S3 or Spark away for a short while: a step waits for it, and goes on when it is back at the same address."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from jobs import embedded
from jobs.contracts import Registry
from jobs.embedded import process
from jobs.embedded.endpoints import HOST, endpoints_file, free_port
from jobs.errors import ServiceUnavailable
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.model.delivery import State
from jobs.pipeline import steps
from jobs.pipeline.step import Step
from jobs.settings import Settings, load
from tests.contract_texts import STATION_FIELDS, contract

SERVICES = ("s3", "spark")
PATIENCE_S = 300
TEXT = "站点,时间,温度,回温\n甲,2026-01-12 08:00:00,60,40\n"


@pytest.fixture
def own(tmp_path: Path, write_contracts: Callable[..., Registry]) -> Iterator[Settings]:
    """Settings of a small lake whose services belong to this test."""
    write_contracts({"schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS)})
    folder, home = tmp_path / "contracts", tmp_path / "home"
    with pytest.MonkeyPatch.context() as patch:
        for key in [key for key in os.environ if key.startswith("LAKE_") and key != "LAKE_CACHE"]:
            patch.delenv(key)
        patch.setenv("LAKE_SPARK_MEMORY", "1g")
        patch.setenv("LAKE_SCHEMAS", str(folder / "schemas"))
        patch.setenv("LAKE_EXPECTATIONS", str(folder / "expectations"))
        load.cache_clear()
        keep_to_free_ports(home)
        try:
            embedded.up(load(home), SERVICES)
            load.cache_clear()
            yield load(home)
        finally:
            embedded.down(load(home))
            load.cache_clear()
    load.cache_clear()
    assert process.members(home) == []


def keep_to_free_ports(home: Path) -> None:
    """Addresses that no other lake of this machine wants while the service is away."""
    home.mkdir()
    addresses = {"LAKE_S3_ENDPOINT": "http", "LAKE_SPARK_REMOTE": "sc"}
    lines = [f"{key}={scheme}://{HOST}:{free_port([])}\n" for key, scheme in addresses.items()]
    endpoints_file(home).write_text("".join(lines), "utf-8")


def kill(settings: Settings, service: str) -> None:
    """End a service without a word."""
    (pid,) = (one.pid for one in embedded.status(settings) if one.name == service)
    assert pid
    for member in {pid, *process.members(settings.home, service)}:
        os.kill(member, signal.SIGKILL)


def until(what: str, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        time.sleep(0.1)


@pytest.fixture
def through_an_absence(own: Settings, caplog: pytest.LogCaptureFixture) -> Callable[..., Any]:
    """The outcome of a step that found a service away; it came back afterwards."""

    def go(service: str, step: Step[..., Any], *arguments: str) -> Any:
        kill(own, service)
        caplog.clear()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(step, own, *arguments)
            until(
                "the step finds it away", lambda: "service unavailable, trying again" in caplog.text or waiting.done()
            )
            assert not waiting.done(), waiting.exception()
            embedded.up(own, SERVICES)
            assert waiting.result(PATIENCE_S) is not None
            return waiting.result()

    return go


@pytest.mark.timeout(1200)  # a machine that others share
def test_steps_wait_for_what_is_away_and_go_on(
    own: Settings, through_an_absence: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(TEXT, "utf-8")
    lake = Lake(own)
    deliver(lake.store, [file], "station", "heat", Manifest())
    (landed,) = through_an_absence("s3", steps.land)
    steps.load(own, landed.delivery.id)
    verdict = through_an_absence("spark", steps.conform, landed.delivery.id)
    assert (verdict.state, verdict.good_rows) == (State.ACCEPTED, 1)
    assert lake.ledger.get(landed.delivery.id).state == State.ACCEPTED
    load.cache_clear()
    assert (load(own.home).s3_endpoint, load(own.home).spark_remote) == (own.s3_endpoint, own.spark_remote)
    lake.close()


def test_a_service_that_nobody_started_is_said_to_be_away(lake: Lake) -> None:
    nowhere = lake.settings.model_copy(update={"s3_endpoint": "", "wait_s": 0})
    with pytest.raises(ServiceUnavailable, match="lake up"):
        steps.land(nowhere)
