"""One DAG per product contract: builds the gold table when an input's silver table has changed."""

from datetime import datetime, timedelta
from functools import reduce

from airflow.sdk import DAG, Asset, get_parsing_context, task
from airflow.sdk.exceptions import AirflowSkipException
from lake_task import run
from lake_watch import watched_asset

from jobs import contracts
from jobs.contracts import assets
from jobs.settings import load as settings

NOTE = """{purpose}

**Owner:** {owner}. **If it fails:** readers keep the last good version. Clear the task when the service is back; a build whose
inputs are unchanged does nothing."""
WANTED = get_parsing_context().dag_id

for contract in contracts.load_usable(settings().schemas, settings().expectations).products():
    if WANTED not in (None, contract.id):  # the process of a task needs its own DAG alone
        continue
    with DAG(
        dag_id=contract.id,
        schedule=reduce(lambda a, b: a | b, [watched_asset(assets.SILVER, name) for name in contract.product.inputs]),
        start_date=datetime(2026, 1, 1),
        catchup=False,
        max_active_runs=1,
        default_args={"owner": contract.provider, "retries": 3, "retry_delay": timedelta(seconds=20)},
        tags=["product"],
        doc_md=NOTE.format(purpose=contract.purpose, owner=contract.department or contract.provider),
    ):

        @task(outlets=[Asset(assets.uri(assets.GOLD, contract.id))], pool="spark")
        def build(product: str) -> int | None:
            """Version of the gold table; None where nothing changed. Skipped while an input is about to change once more."""
            from jobs.pipeline import steps

            if run(steps.awaited, product):
                raise AirflowSkipException("inputs are being evaluated; each asks for a build again")
            gold = run(steps.build, product)
            return gold.table_version if gold else None

        build(contract.id)
