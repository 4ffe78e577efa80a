"""Landing zone → ledger: watches for new objects and triggers the DAG of each dataset that has one.

It also re-emits lost asset events, for what the ledger lists as unfinished.
"""

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, AssetAlias, task
from lake_task import run

from jobs.contracts import assets

LANDED = AssetAlias("landed")

with DAG(
    dag_id="deliveries",
    schedule="@continuous",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "bureau", "retries": 3, "retry_delay": timedelta(seconds=20)},
    tags=["lake"],
    doc_md="""Notices new objects in the landing zone and records each content once.

**If it fails:** the object store or the state database is unavailable; it resumes by itself when they are back. Nothing is lost:
objects stay in the landing zone until they are recorded.""",
):

    @task(outlets=[LANDED])
    def watch(outlet_events=None) -> list[str]:
        """Ids of the deliveries that landed, or whose events were lost."""
        from jobs.pipeline import steps

        events = run(steps.watch)
        for asset, delivery in events:
            outlet_events[LANDED].add(Asset(assets.uri(asset)), extra={"delivery": delivery})
        return [delivery for _, delivery in events]

    watch()
