"""Results → reports and tickets: a page and a workbook a delivery, the index over all, and what is to be mended."""

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, task
from lake_task import SCHEME, run


def judged(triggering_asset_events) -> list[str]:
    """Ids of the deliveries that woke this run, in the order of their results."""
    events = [e for group in (triggering_asset_events or {}).values() for e in group]
    return list(dict.fromkeys(e.extra["delivery"] for e in events if "delivery" in e.extra))


with DAG(
    dag_id="results_to_departments",
    schedule=[Asset(f"{SCHEME}results")],
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "bureau", "retries": 3, "retry_delay": timedelta(seconds=20)},
    tags=["lake"],
    doc_md="""Writes the governance report of each judged delivery, opens tickets, and closes those that it proves mended.

**If it fails:** clear the task; reports are made anew from results, nothing else is touched.""",
):

    @task
    def report(triggering_asset_events=None) -> list[str]:
        """Ids of the deliveries whose reports were written: those that woke this run, and any left behind."""
        return run("reports", *judged(triggering_asset_events))

    @task(pool="spark")
    def govern(reported: list[str]) -> dict[str, int]:
        """How many tickets each reported delivery broke into; those that it proves mended are closed."""
        return {done.delivery: len(done.tickets) for done in run("governed", *reported)}

    govern(report())
