"""The DAGs run without a scheduler, in a process and an Airflow home of their own, on the test's lake."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jobs.ingest.land import Manifest, deliver
from jobs.lake.delivery import State
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.pipeline import run
from jobs.settings import Settings
from jobs.simulator.city import send
from tests.dags import made_up
from tests.dags.programs import airflow_environ, answer, lake_environ, started

PRODUCT = "hotline_day"
INPUTS = ("divisions", "hotline_orders")


def fill(lake: Lake, settings: Settings, folder: Path) -> None:
    """The product's inputs, judged; then a delivery of the made-up dataset, only put into the landing zone."""
    for one in send(date(2026, 1, 12), 7, folder, 0.05, INPUTS):
        deliver(lake.store, [one.path], one.dataset, one.provider, Manifest())
        for found in run(settings, "land"):
            run(settings, "load", found.delivery.id)
            run(settings, "conform", found.delivery.id)
    file = folder / "路灯 台账.csv"
    file.write_text(made_up.ROWS, "utf-8")
    deliver(lake.store, [file], made_up.ID, made_up.PROVIDER, Manifest())


def test_a_delivery_of_a_new_dataset_and_a_product_go_through_their_dags(lake: Lake, tmp_path: Path) -> None:
    made = {key.removeprefix("LAKE_").lower(): Path(value) for key, value in made_up.write(tmp_path).items()}
    settings = lake.settings.model_copy(update=made)
    fill(lake, settings, tmp_path)
    environ = airflow_environ(tmp_path / "airflow") | lake_environ(settings)
    migrated = started("airflow", "db", "migrate", environ=environ)
    assert migrated.returncode == 0, migrated.stderr[-4000:]
    seen = answer("tests.dags.running", made_up.ID, PRODUCT, environ=environ)

    ((asset, extra),) = seen["landed"]
    delivery = extra["delivery"]
    assert asset == f"lake://landing/{made_up.ID}"
    check_source(seen, delivery)
    check_lake(lake, seen, delivery)


def check_source(seen: dict[str, Any], delivery: str) -> None:
    """Every task succeeded, mapped over the one delivery; the assets say which; the run after it had nothing to do."""
    assert seen["source"]["state"] == seen["again"]["state"] == seen["built"]["state"] == "success"
    tasks = [["conform", 0, "success"], ["load", 0, "success"], ["received", -1, "success"]]
    assert seen["source"]["tasks"] == tasks
    assert seen["source"]["returned"]["conform/0"] == State.PARTLY_QUARANTINED
    assert {task: state for task, _, state in seen["again"]["tasks"]} == {
        "received": "success",
        "load": "skipped",
        "conform": "skipped",
    }
    told = {event["asset"]: event["extra"].get("delivery") for event in seen["events"]}
    assert told[f"lake://silver/{made_up.ID}"] == told["lake://results"] == delivery
    assert f"lake://gold/{PRODUCT}" in told


def check_lake(lake: Lake, seen: dict[str, Any], delivery: str) -> None:
    """Silver, quarantine, verdict, gold and report stand in the lake."""
    silver = lake.tables.read(lake.path(Zone.SILVER, made_up.ID)).orderBy("lamp_no").collect()
    assert [(row.lamp_no, row.power_w, row._marks) for row in silver] == [("甲1", 150, []), ("甲3", 5, ["lamp_is_weak"])]
    assert lake.tables.read(lake.path(Zone.QUARANTINE, made_up.ID)).count() == 1
    verdict = Results(lake.arrow, lake.settings.s3_bucket).verdict(delivery)
    assert verdict is not None and (verdict.good_rows, verdict.failed_rows, verdict.warned_rows) == (2, 1, 1)
    build = lake.ledger.build(PRODUCT)
    assert build is not None and build.rows > 0
    assert seen["built"]["returned"]["build/-1"] == build.table_version
    (key,) = seen["reports"]
    assert delivery in key and "路灯台账" in lake.store.get_bytes(key).decode()


@pytest.mark.parametrize("step", ["load", "conform", "report"])
def test_a_step_on_an_unknown_delivery_is_a_mistake_of_the_caller(lake: Lake, step: str) -> None:
    from jobs.errors import UserError

    with pytest.raises(UserError, match="no delivery 'none'"):
        run(lake.settings, step, "none")
