"""One DAG per source contract: received files → bronze → silver | quarantine, started by the delivery."""

from datetime import datetime, timedelta

from airflow.sdk import DAG, Param, get_parsing_context, task
from airflow.sdk.exceptions import AirflowSkipException
from lake_task import run
from lake_watch import watched_asset
from source_notes import source_note

from jobs import contracts
from jobs.contracts import assets
from jobs.settings import load as settings

CATALOGUE = contracts.load_usable(settings().schemas, settings().expectations)
WANTED = get_parsing_context().dag_id


@task(pool="spark", priority_weight=2, weight_rule="absolute")
def load_and_conform(dataset: str, params=None, outlet_events=None, outlets=None) -> list[str]:
    """Ids of the deliveries evaluated: the one requested, and all that wait; skipped where an earlier run took them."""
    from jobs.pipeline import steps

    evaluated = run(steps.load_and_conform, dataset, *filter(None, [params["delivery"]]))
    if not evaluated:
        raise AirflowSkipException("no delivery waits")
    for asset in outlets:
        outlet_events[asset].extra = {"deliveries": evaluated}
    return evaluated


for dataset, provider in CATALOGUE.providers().items():
    if WANTED not in (None, dataset):  # the process of a task needs its own DAG alone
        continue
    with DAG(
        dag_id=dataset,
        schedule=[watched_asset(assets.LANDING, dataset)],
        start_date=datetime(2026, 1, 1),
        catchup=False,
        max_active_runs=1,
        default_args={"owner": provider, "retries": 3, "retry_delay": timedelta(seconds=20)},
        params={"delivery": Param("", type="string", description="Id of a delivery to run again; empty: what is new")},
        tags=["source", provider, *(["broken contract"] if dataset in CATALOGUE.broken else [])],
        doc_md=source_note(CATALOGUE, dataset),
    ):
        outlets = [watched_asset(assets.SILVER, dataset), watched_asset(assets.RESULTS)]
        load_and_conform.override(outlets=outlets)(dataset)
