"""Landing zone → ledger: watches for new objects and wakes the DAG of each dataset that has one.

It also wakes whoever missed an event, by what the ledger says is left to do.
"""

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, AssetAlias, task
from lake_task import SCHEME, run

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

**If it fails:** the object store or the state database is away; it goes on by itself when they are back. Nothing is lost:
objects stay in the landing zone until they are recorded.""",
):

    @task(outlets=[LANDED])
    def watch(outlet_events=None) -> list[str]:
        """Ids of the deliveries that landed, or were left behind."""
        told = run("watch")
        for asset, delivery in told:
            outlet_events[LANDED].add(Asset(f"{SCHEME}{asset}"), extra={"delivery": delivery})
        return [delivery for _, delivery in told]

    watch()
