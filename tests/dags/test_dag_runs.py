"""The DAGs run without a scheduler, in a process and an Airflow home of their own, on the test's lake."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.ledger import Arrival
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from tests.dags import made_up
from tests.dags.programs import airflow_environ, lake_environ, started

PRODUCT = "hotline_day"
DIVISIONS = "SELECT '371502' AS division_code, '东昌府区' AS division_name, CAST(NULL AS DATE) AS code_valid_to"
ORDERS = """SELECT '371502' AS division_code, '供热' AS category_major, '办理中' AS order_status,
  TIMESTAMP '2026-01-12 08:00:00' AS dispatched_at, TIMESTAMP '2026-01-15 08:00:00' AS promised_at,
  CAST(NULL AS TIMESTAMP) AS closed_at, CAST(NULL AS STRING) AS satisfaction"""


def fill(lake: Lake, folder: Path) -> None:
    """The product's inputs in silver; a delivery of the made-up dataset in the landing zone."""
    for name, query in (("divisions", DIVISIONS), ("hotline_orders", ORDERS)):
        lake.tables.overwrite(lake.spark.sql(query), lake.path(Zone.SILVER, name))
    file = folder / "路灯 台账.csv"
    file.write_text(made_up.ROWS, "utf-8")
    deliver(lake.store, [file], made_up.ID, made_up.PROVIDER, Manifest())
    arrival = Arrival("divisions", "civil_affairs", "0" * 64, 7, ("received/区划.csv",), (("landing/区划.csv", "e"),))
    lake.ledger.record(arrival, datetime.now(UTC).replace(day=1) - timedelta(days=5))


def test_a_delivery_of_a_new_dataset_and_a_product_go_through_their_dags(lake: Lake, tmp_path: Path) -> None:
    overrides = {key.removeprefix("LAKE_").lower(): Path(value) for key, value in made_up.write(tmp_path).items()}
    settings = lake.settings.model_copy(update=overrides)
    fill(lake, tmp_path)
    environ = airflow_environ(tmp_path / "airflow") | lake_environ(settings)
    migrated = started("airflow", "db", "migrate", environ=environ)
    assert migrated.returncode == 0, migrated.stderr[-4000:]
    process = started("tests.dags.running", "scheduler", made_up.ID, PRODUCT, environ=environ)
    assert process.returncode == 0, process.stdout[-4000:] + process.stderr[-6000:]
    outcome = json.loads(process.stdout.splitlines()[-1])

    (delivery,) = outcome["landed"]["deliveries"]
    check_source(outcome, delivery)
    check_lake(lake, outcome, delivery)
    if outcome["announced"] is not None:  # without the fonts of documents there is no bulletin
        check_bulletins(lake, outcome["announced"])
    assert outcome["imported"] == [], "the scheduler has imported all that its tasks need"
    check_silence(tmp_path / "airflow", process.stdout + process.stderr)


def check_silence(home: Path, output: str) -> None:
    """Neither the scheduler's database, with all that tasks returned, nor any log holds the number of a person."""
    assert made_up.ID in output and made_up.CANARY not in output
    files = [file for file in home.rglob("*") if file.is_file()]
    assert any(file.suffix == ".db" and made_up.ID.encode() in file.read_bytes() for file in files)
    assert [file for file in files if made_up.CANARY.encode() in file.read_bytes()] == []


def check_source(seen: dict[str, Any], delivery: str) -> None:
    """The task succeeded and its assets say for which delivery; a second run finds nothing to do and says nothing."""
    assert seen["source"]["state"] == seen["built"]["state"] == seen["left"]["state"] == "success"
    assert seen["source"]["tasks"] == [["load_and_conform", -1, "success"]]
    assert seen["source"]["returned"]["load_and_conform/-1"] == [delivery]
    assert seen["left"]["tasks"] == [["load_and_conform", -1, "skipped"]]
    told = [(event["asset"].rstrip("/"), event["extra"].get("deliveries")) for event in seen["events"]]
    emitted = {
        (f"lake://silver/{made_up.ID}", (delivery,)),
        ("lake://results", (delivery,)),
        (f"lake://gold/{PRODUCT}", ()),
    }
    assert len(told) == 3 and {(asset, tuple(ids or ())) for asset, ids in told} == emitted


def check_bulletins(lake: Lake, seen: dict[str, Any]) -> None:
    """What ended with last month is published; the month comes first, a quarter and a year where it was their last."""
    assert seen["state"] == "success"
    names = seen["returned"]["closed_periods/-1"]
    last = datetime.now(ZoneInfo("Asia/Shanghai")).replace(day=1) - timedelta(days=1)
    assert names[0] == f"{last:%Y-%m}"
    for number, name in enumerate(names):
        key = seen["returned"][f"announce/{number}"]
        assert key == f"reports/bulletins/{name}.json"
        assert all(lake.store.head(key.replace("json", ending)) for ending in ("pdf", "docx", "json"))


def check_lake(lake: Lake, seen: dict[str, Any], delivery: str) -> None:
    """Silver, quarantine, verdict, gold and report are in the lake."""
    silver = lake.tables.read(lake.path(Zone.SILVER, made_up.ID)).orderBy("lamp_no").collect()
    assert [(row.lamp_no, row.power_w, row._marks) for row in silver] == [
        ("甲1", 150, None),
        ("甲3", 5, ["lamp_is_weak"]),
    ]
    assert lake.tables.read(lake.path(Zone.QUARANTINE, made_up.ID)).count() == 1
    verdict = Results(lake.delta, lake.settings.s3_bucket).verdict(delivery)
    assert verdict is not None and (verdict.good_rows, verdict.failed_rows, verdict.warned_rows) == (2, 1, 1)
    build = lake.ledger.build(PRODUCT)
    assert build is not None and build.rows == 1
    assert seen["built"]["returned"]["build/-1"] == build.table_version
    assert seen["told"]["returned"]["report_and_govern/-1"] == {delivery: 3}
    assert seen["told_again"]["tasks"] == [["report_and_govern", -1, "skipped"]]
    page = lake.store.get_bytes(f"{Zone.REPORTS}/{made_up.PROVIDER}/{made_up.ID}/{delivery}.html")
    assert "路灯台账" in page.decode()
