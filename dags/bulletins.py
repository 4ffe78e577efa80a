"""On the first of each month: the bulletin of the month that ended, and of the quarter and the year that ended with it."""

from datetime import datetime, timedelta

from airflow.sdk import DAG, task
from lake_task import run

with DAG(
    dag_id="bulletins",
    schedule="0 6 1 * *",  # in Airflow's default time zone, Asia/Shanghai
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "bureau", "retries": 2, "retry_delay": timedelta(minutes=10)},
    tags=["lake"],
    doc_md="""Publishes the bulletin (通报) of each period that has ended, as PDF, Word and JSON.

**If it fails:** clear the task. What was published stays as it is; corrections are made with `lake bulletin --revise`.""",
):

    @task
    def closed_periods() -> list[str]:
        """Names of the periods that ended with the last month; none where nothing was delivered in it."""
        from jobs.pipeline import steps

        return run(steps.closed_periods)

    @task(max_active_tis_per_dag=1)
    def announce(name: str) -> str:
        """Key of the bulletin's document."""
        from jobs.pipeline import steps

        return run(steps.announce, name)

    announce.expand(name=closed_periods())
