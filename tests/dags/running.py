"""Run as a program in an Airflow home of its own: runs DAGs without a scheduler and prints the outcome as JSON.

python -m tests.dags.running scheduler DATASET PRODUCT

The first word is what tells our local settings to import what the scheduler's forks need.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from airflow.models.asset import AssetEvent, AssetModel
from airflow.models.xcom import XComModel
from airflow.sdk import DAG
from airflow.utils.session import create_session
from sqlalchemy import select

from jobs.reporting.bulletin.styles import NOTO
from tests.dags.parsing import bag

SLOW = (
    "boto3",
    "botocore",
    "deltalake",
    "great_expectations",
    "grpc",
    "jobs",
    "pandas",
    "pyarrow",
    "pyspark",
    "sqlalchemy",
)


async def landed(dataset: str) -> Any:
    """What the watch tells of a dataset first."""
    from lake_watch import LakeWatch

    return (await anext(LakeWatch(f"landing/{dataset}").run())).payload


def run(dag: DAG, conf: Mapping[str, Any]) -> dict[str, Any]:
    """State of a run and of its tasks, and what they returned."""
    dag_run = dag.test(run_conf=dict(conf))
    with create_session() as session:
        values = session.scalars(
            select(XComModel).where(XComModel.run_id == dag_run.run_id, XComModel.key == "return_value")
        )
        returned = {f"{value.task_id}/{value.map_index}": value.value for value in values}
    tasks = sorted([t.task_id, t.map_index, str(t.state)] for t in dag_run.get_task_instances())
    return {"state": str(dag_run.state), "tasks": tasks, "returned": returned}


def events() -> list[dict[str, Any]]:
    """Every asset event so far, in order."""
    with create_session() as session:
        query = select(AssetModel.uri, AssetEvent.extra).join(AssetModel, AssetModel.id == AssetEvent.asset_id)
        return [{"asset": uri, "extra": extra} for uri, extra in session.execute(query.order_by(AssetEvent.id))]


def main(dataset: str, product: str) -> None:
    """Run one delivery through the DAGs, and a product."""
    dags = bag().dags
    result: dict[str, Any] = {"landed": asyncio.run(landed(dataset))}
    before = set(sys.modules)
    result |= {
        "source": run(dags[dataset], {}),
        "left": run(dags[dataset], {}),
        "built": run(dags[product], {}),
        "events": events(),
    }
    result |= {"told": run(dags["results_to_departments"], {}), "told_again": run(dags["results_to_departments"], {})}
    result["imported"] = sorted(name for name in set(sys.modules) - before if name.split(".")[0] in SLOW)
    result["announced"] = run(dags["bulletins"], {}) if NOTO.is_dir() else None
    print("\n" + json.dumps(result, default=str))


if __name__ == "__main__":
    main(*sys.argv[2:])
