"""Results → reports: one page and one workbook a delivery, and the index over all."""

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, task
from lake_task import SCHEME, run

with DAG(
    dag_id="results_to_departments",
    schedule=[Asset(f"{SCHEME}results")],
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "bureau", "retries": 3, "retry_delay": timedelta(seconds=20)},
    tags=["lake"],
    doc_md="""Writes the governance report of each judged delivery.

**If it fails:** clear the task; reports are made anew from results, nothing else is touched.""",
):

    @task
    def report(triggering_asset_events=None) -> list[str]:
        """Keys of the reports written."""
        events = [e for group in (triggering_asset_events or {}).values() for e in group]
        return run("reports", *dict.fromkeys(e.extra["delivery"] for e in events if "delivery" in e.extra))

    report()
