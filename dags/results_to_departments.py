"""Results → reports and tickets: a page and a workbook per delivery, the index of all, and tickets for what is to be corrected."""

from datetime import datetime, timedelta

from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowSkipException
from lake_task import run
from lake_watch import watched_asset

from jobs.contracts import assets

with DAG(
    dag_id="results_to_departments",
    schedule=[watched_asset(assets.RESULTS)],
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "bureau", "retries": 3, "retry_delay": timedelta(seconds=20)},
    tags=["lake"],
    doc_md="""Writes the governance report of each evaluated delivery, opens tickets, and closes those that it proves corrected.

**If it fails:** clear the task; reports are rewritten from the results, nothing else is touched.""",
):

    @task(pool="spark", priority_weight=3, weight_rule="absolute")
    def report_and_govern() -> dict[str, int]:
        """Number of tickets by reported delivery: all that the ledger lists; skipped where an earlier run took them."""
        from jobs.pipeline import steps

        done = run(steps.report_and_govern)
        if not done:
            raise AirflowSkipException("no evaluated delivery waits")
        return {changes.delivery: len(changes.tickets) for changes in done}

    report_and_govern()
