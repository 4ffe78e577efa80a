"""Every night: small files are compacted; files that no version of the last 90 days needs are removed."""

from datetime import datetime, timedelta

from airflow.sdk import DAG, task
from lake_task import run

with DAG(
    dag_id="lake_upkeep",
    schedule="30 2 * * *",  # in Airflow's default time zone, Asia/Shanghai
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "bureau", "retries": 1, "retry_delay": timedelta(minutes=10)},
    tags=["lake"],
    doc_md="""Compacts and cleans the tables.

**If it fails:** nothing is lost and readers see no difference; it runs again the next night.""",
):

    @task(pool="spark")
    def upkeep() -> list[str]:
        """Tables that were compacted."""
        from jobs.pipeline import steps

        return run(steps.upkeep)

    @task
    def remind() -> list[str]:
        """Departments that were reminded of what is due."""
        from jobs.pipeline import steps

        return run(steps.remind)

    upkeep()
    remind()
