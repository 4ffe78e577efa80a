"""Run as a program in an Airflow home of its own: runs DAGs without a scheduler and prints the outcome as JSON.

python -m tests.dags.running DATASET PRODUCT
"""

import json
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from airflow.models.asset import AssetEvent, AssetModel
from airflow.models.xcom import XComModel
from airflow.sdk import DAG, Asset
from airflow.utils.session import create_session
from sqlalchemy import select

from jobs.reporting.bulletin.styles import NOTO
from tests.dags.parsing import bag

RESULTS = Asset("lake://results").uri


class Outlets(dict[Any, Any]):
    """Stands in for the outlet events of a task: remembers what is added to an alias."""

    def __missing__(self, key: Any) -> Any:
        self[key] = SimpleNamespace(added=[])
        self[key].add = lambda asset, extra: self[key].added.append((asset.uri, extra))
        return self[key]


def watched(dag: DAG) -> list[Any]:
    """Asset events that the watching task emits for the DAGs of datasets."""
    outlets = Outlets()
    dag.get_task("watch").python_callable(outlet_events=outlets)  # type: ignore[attr-defined]
    return [event for outlet in outlets.values() for event in outlet.added]


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


def reported_and_governed(dag: DAG, asset_events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return values of the tasks that these results trigger."""
    group = [SimpleNamespace(extra=event["extra"]) for event in asset_events if event["asset"] == RESULTS]
    reported = dag.get_task("report").python_callable(triggering_asset_events={"results": group})  # type: ignore[attr-defined]
    return {"reports": reported, "governed": dag.get_task("govern").python_callable(reported)}  # type: ignore[attr-defined]


def main(dataset: str, product: str) -> None:
    """Run one delivery through the DAGs, and a product."""
    dags = bag().dags
    landed = watched(dags["deliveries"])
    received = dags[dataset].get_task("received").python_callable  # type: ignore[attr-defined]
    source = run(dags[dataset], {"delivery": next(e["delivery"] for uri, e in landed if uri.endswith(f"/{dataset}"))})
    built = run(dags[product], {})
    asset_events = events()
    result = {
        "landed": landed,
        "source": source,
        "left": received(dataset, params={"delivery": ""}),
        "built": built,
        "events": asset_events,
        "announced": run(dags["bulletins"], {}) if NOTO.is_dir() else None,
        **reported_and_governed(dags["results_to_departments"], asset_events),
    }
    print("\n" + json.dumps(result, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
