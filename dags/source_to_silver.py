"""One DAG a source contract: received bytes → bronze → silver | quarantine, started by the delivery."""

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, Param, task
from lake_task import SCHEME, run

from jobs import contracts
from jobs.settings import load as settings

RESULTS = Asset(f"{SCHEME}results")
NOTE = """{purpose}

**Owner:** {department} {owner}. **If it fails:** a failed task means that a service is unavailable or the code is wrong, never that
the data is bad: bad data ends in a verdict. Clear the task when the service is back; the same delivery may run any number of times."""


@task
def received(dataset: str, params=None, triggering_asset_events=None) -> list[str]:
    """Ids of the deliveries to work on: those that woke this run, the one asked for, and any left behind."""
    events = [e for group in (triggering_asset_events or {}).values() for e in group]
    asked = [e.extra["delivery"] for e in events if "delivery" in e.extra] + [params["delivery"] or ""]
    return run("pending", dataset, *filter(None, asked))


CATALOGUE = contracts.load_usable(settings().schemas, settings().expectations)
BROKEN = """**The contract is broken; deliveries wait, their bytes kept, until it is mended:**

    {mistake}

**If it fails:** mend the contract, then clear the task; nothing is lost meanwhile."""


def note(dataset: str) -> str:
    """The DAG's documentation: what the dataset is for, or why it cannot run."""
    if dataset in CATALOGUE.broken:
        return BROKEN.format(mistake=CATALOGUE.broken[dataset].mistake)
    contract = CATALOGUE.contract(dataset)
    return NOTE.format(purpose=contract.purpose, department=contract.department, owner=contract.owner)


for dataset, provider in CATALOGUE.providers().items():
    with DAG(
        dag_id=dataset,
        schedule=[Asset(f"{SCHEME}landing/{dataset}")],
        start_date=datetime(2026, 1, 1),
        catchup=False,
        max_active_runs=1,
        default_args={"owner": provider, "retries": 3, "retry_delay": timedelta(seconds=20)},
        params={"delivery": Param("", type="string", description="Id of a delivery to run again; empty: what is new")},
        tags=["source", provider, *(["broken contract"] if dataset in CATALOGUE.broken else [])],
        doc_md=note(dataset),
    ):
        silver = Asset(f"{SCHEME}silver/{dataset}")

        @task(map_index_template="{{ task.op_kwargs['delivery'] }}", max_active_tis_per_dagrun=1)
        def load(delivery: str) -> str:
            """The delivery's rows in bronze."""
            run("load", delivery)
            return delivery

        @task(
            outlets=[silver, RESULTS],
            pool="spark",
            map_index_template="{{ task.op_kwargs['delivery'] }}",
            max_active_tis_per_dagrun=1,
        )
        def conform(delivery: str, outlet_events=None, silver=silver) -> str:
            """The delivery's rows judged and split; the verdict's state."""
            verdict = run("conform", delivery)
            for asset in (silver, RESULTS):
                outlet_events[asset].extra = {"delivery": delivery}
            return str(verdict.state)

        conform.expand(delivery=load.expand(delivery=received(dataset)))
