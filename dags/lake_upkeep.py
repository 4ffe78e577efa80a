"""Every night: small files are compacted, old ones removed; storage is measured; the catalogue is compared with the lake; departments are reminded."""

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, task
from lake_task import run

from jobs.settings import load as settings

with DAG(
    dag_id="lake_upkeep",
    # Without a start date its first run is the next night, not the moment when Airflow is set up.
    schedule=CronTriggerTimetable("30 2 * * *", timezone=settings().timezone),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "bureau", "retries": 1, "retry_delay": timedelta(minutes=10)},
    tags=["lake"],
    doc_md="""Compacts and cleans the tables, measures what they occupy, compares the catalogue with them, and reminds departments.

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

    @task
    def check_catalogue() -> list[str]:
        """Tickets that the check of the catalogue opened or closed."""
        from jobs.pipeline import steps

        check = run(steps.check_catalogue)
        return [*check.opened, *check.closed]

    @task
    def measure_storage() -> int:
        """Bytes that all tables occupy."""
        from jobs.pipeline import steps

        return sum(run(steps.measure_storage).values())

    upkeep() >> measure_storage()
    check_catalogue() >> remind()
