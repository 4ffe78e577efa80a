"""One DAG per source contract: received files → bronze → silver | quarantine, started by the delivery."""

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, Param, task
from lake_task import run, triggering_deliveries
from source_notes import source_note

from jobs import contracts
from jobs.contracts import assets
from jobs.settings import load as settings

RESULTS = Asset(assets.uri(assets.RESULTS))
CATALOGUE = contracts.load_usable(settings().schemas, settings().expectations)


@task
def received(dataset: str, params=None, triggering_asset_events=None) -> list[str]:
    """Ids of the deliveries to work on: those that triggered this run, the one requested, and any not finished."""
    from jobs.pipeline import steps

    requested = [*triggering_deliveries(triggering_asset_events), params["delivery"]]
    return run(steps.pending, dataset, *filter(None, requested))


@task(map_index_template="{{ task.op_kwargs['delivery'] }}", max_active_tis_per_dagrun=1)
def load(delivery: str) -> str:
    """The delivery's id, once its rows are in bronze."""
    from jobs.pipeline import steps

    run(steps.load, delivery)
    return delivery


@task(pool="spark", map_index_template="{{ task.op_kwargs['delivery'] }}", max_active_tis_per_dagrun=1)
def conform(delivery: str, outlet_events=None, outlets=None) -> str:
    """State of the verdict on the delivery; its rows are evaluated and split."""
    from jobs.pipeline import steps

    verdict = run(steps.conform, delivery)
    for asset in outlets:
        outlet_events[asset].extra = {"delivery": delivery}
    return str(verdict.state)


for dataset, provider in CATALOGUE.providers().items():
    with DAG(
        dag_id=dataset,
        schedule=[Asset(assets.uri(assets.LANDING, dataset))],
        start_date=datetime(2026, 1, 1),
        catchup=False,
        max_active_runs=1,
        default_args={"owner": provider, "retries": 3, "retry_delay": timedelta(seconds=20)},
        params={"delivery": Param("", type="string", description="Id of a delivery to run again; empty: what is new")},
        tags=["source", provider, *(["broken contract"] if dataset in CATALOGUE.broken else [])],
        doc_md=source_note(CATALOGUE, dataset),
    ):
        silver = Asset(assets.uri(assets.SILVER, dataset))
        loaded = load.expand(delivery=received(dataset))
        conform.override(outlets=[silver, RESULTS]).expand(delivery=loaded)
