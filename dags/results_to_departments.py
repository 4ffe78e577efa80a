"""Results → reports and tickets: a page and a workbook per delivery, the index of all, and tickets for what is to be corrected."""

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, task
from lake_task import run, triggering_deliveries

from jobs.contracts import assets

with DAG(
    dag_id="results_to_departments",
    schedule=[Asset(assets.uri(assets.RESULTS))],
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "bureau", "retries": 3, "retry_delay": timedelta(seconds=20)},
    tags=["lake"],
    doc_md="""Writes the governance report of each evaluated delivery, opens tickets, and closes those that it proves corrected.

**If it fails:** clear the task; reports are rewritten from the results, nothing else is touched.""",
):

    @task
    def report(triggering_asset_events=None) -> list[str]:
        """Ids of the deliveries whose reports were written: those that triggered this run, and any whose events were lost."""
        from jobs.pipeline import steps

        return run(steps.reports, *triggering_deliveries(triggering_asset_events))

    @task(pool="spark")
    def govern(reported: list[str]) -> dict[str, int]:
        """Number of tickets by reported delivery; those that it proves corrected are closed."""
        from jobs.pipeline import steps

        return {changes.delivery: len(changes.tickets) for changes in run(steps.governed, *reported)}

    govern(report())
