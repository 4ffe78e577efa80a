"""Streams in bounded mode, where no stream service runs: every ten minutes the topics are read up to their end."""

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, task
from lake_task import run

from jobs.settings import load as settings

with DAG(
    dag_id="bounded_streams",
    schedule=CronTriggerTimetable("*/10 * * * *", timezone=settings().timezone),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=True,  # `lake up stream` reads continuously instead
    default_args={"owner": "bureau", "retries": 1, "retry_delay": timedelta(minutes=2)},
    tags=["lake"],
    doc_md="""Reads the topics up to their end, and evaluates the hours that are due. Does nothing while a stream service runs.

**If it fails:** nothing is lost; the next run goes on where this one ended.""",
):

    @task(pool="spark")
    def read_once() -> list[str]:
        """Ids of the hours that were evaluated."""
        from jobs.pipeline import steps

        return run(steps.read_once)

    read_once()
