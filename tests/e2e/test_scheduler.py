"""The real scheduler: files in the landing zone wake their DAGs, whose results wake the product and the reports."""

import shutil
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from jobs import embedded
from jobs.embedded import process
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, State
from jobs.settings import PROJECT, Settings, load
from jobs.simulator.city import SentFile, send
from tests.dags.programs import lake_environ

DATASETS = ("divisions", "devices", "hotline_orders")
REFERRED = ("townships", "facility_points")
"""What the devices refer to; nothing of it comes."""
PRODUCT, REPORTS = "hotline_day", "results_to_departments"
PATIENCE_S = 420
POLL_S = 0.5


def contracts_of(folder: Path) -> dict[str, str]:
    """The shipped contracts of these datasets and the product alone: every other DAG would cost time."""
    for name in ("schemas", "expectations"):
        shutil.copytree(PROJECT / name, folder / name)
        for file in (folder / name).glob("[sp]*/**/*.yaml"):
            if file.stem not in (*DATASETS, *REFERRED, PRODUCT) and "system" not in file.parts:
                file.unlink()
    return {"LAKE_SCHEMAS": str(folder / "schemas"), "LAKE_EXPECTATIONS": str(folder / "expectations")}


@pytest.fixture
def airflow(lake: Lake, tmp_path: Path) -> Iterator[Settings]:
    """Airflow in a home of its own, on the lake of the test."""
    home = tmp_path / "home"
    with pytest.MonkeyPatch.context() as patch:
        for key, value in lake_environ(lake.settings).items():
            patch.setenv(key, value)
        for key, value in (contracts_of(tmp_path) | {"LAKE_HOME": str(home)}).items():
            patch.setenv(key, value)
        load.cache_clear()
        try:
            embedded.up(load(), ("airflow",))
            load.cache_clear()
            yield load()
        finally:
            embedded.down(load())
    load.cache_clear()
    assert process.members(home) == []


@pytest.fixture
def runs(airflow: Settings) -> Iterator[Callable[[str], list[str]]]:
    """States of a DAG's runs, in order; a failed run ends the test."""
    bearer = {"Authorization": f"Bearer {embedded.airflow_token(airflow)}"}
    with httpx.Client(base_url=airflow.airflow_url, headers=bearer, timeout=30, trust_env=False) as client:

        def ask(dag: str) -> list[str]:
            answer = client.get(f"/api/v2/dags/{dag}/dagRuns", params={"order_by": "run_after"})
            answer.raise_for_status()
            found = answer.json()["dag_runs"]
            assert all(run["state"] != "failed" for run in found), (dag, found)
            assert all(run["run_type"] == "asset_triggered" for run in found), (dag, found)
            return [run["state"] for run in found]

        yield ask


def until(what: str, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        time.sleep(POLL_S)


def hand_over(lake: Lake, one: SentFile) -> None:
    deliver(lake.store, [one.path], one.dataset, one.provider, Manifest(sender=one.sender, rows=one.declared_rows))


def report_of(one: Delivery) -> str:
    return f"{Zone.REPORTS}/{one.provider}/{one.dataset}/{one.id}.html"


def is_told(lake: Lake, count: int) -> bool:
    """Whether that many deliveries are judged and have a report."""
    found = lake.ledger.deliveries()
    return len(found) == count and all(lake.store.head(report_of(one)) for one in found)


@pytest.mark.timeout(1200)  # a machine that others share
def test_files_go_to_silver_gold_and_reports_by_themselves_and_only_once(
    lake: Lake, airflow: Settings, runs: Callable[[str], list[str]], tmp_path: Path
) -> None:
    sent = {one.dataset: one for one in send(date(2026, 1, 12), 7, tmp_path, 0.05, DATASETS)}
    for one in sent.values():
        hand_over(lake, one)
    until("three datasets judged and reported", lambda: is_told(lake, len(DATASETS)))
    until("the product is built", lambda: lake.ledger.build(PRODUCT) is not None)
    for dag in (*DATASETS, PRODUCT, REPORTS):
        until(f"{dag} is done", lambda dag=dag: set(runs(dag)) == {"success"})
    assert [runs(dag) for dag in DATASETS] == [["success"]] * 3
    check_tables(lake, airflow)

    first = next(one for one in lake.ledger.deliveries() if one.dataset == "divisions")
    hand_over(lake, SentFile(**{**sent["divisions"].__dict__, "path": renamed(sent["divisions"].path)}))
    until("the repeat is noticed", lambda: lake.ledger.repeats(first.id) == 1)
    lake.store.put_bytes(f"{Zone.LANDING}/bureau/devices/x.csv", b"")
    until("a later file has been returned", lambda: is_told(lake, len(DATASETS) + 1))
    until("its run is done", lambda: runs("devices") == ["success"] * 2)
    assert lake.ledger.deliveries("devices")[-1].state == State.UNREADABLE
    assert runs("divisions") == ["success"]


def renamed(path: Path) -> Path:
    """The same bytes under another name."""
    return path.rename(path.with_name(f"再报_{path.name}"))


def check_tables(lake: Lake, airflow: Settings) -> None:
    """Every delivery has its rows, its verdict and its report; the product its rows."""
    results = {v.dataset: v for v in Results(lake.delta, lake.settings.s3_bucket).verdicts()}
    for one in lake.ledger.deliveries():
        assert one.state in (State.ACCEPTED, State.PARTLY_QUARANTINED), one
        assert results[one.dataset].state == one.state
        assert lake.tables.read(lake.path(Zone.SILVER, one.dataset)).count() == results[one.dataset].good_rows > 0
        assert (airflow.home / report_of(one)).exists()
    build = lake.ledger.build(PRODUCT)
    assert build is not None and results[PRODUCT].good_rows == build.rows > 0
    assert (airflow.home / Zone.REPORTS / "index.html").exists()
