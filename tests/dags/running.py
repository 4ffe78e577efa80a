"""Run as a program in an Airflow home of its own: runs DAGs without a scheduler and prints what came of them as JSON.

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
    """What the watching task notes for the DAGs of datasets."""
    outlets = Outlets()
    dag.get_task("watch").python_callable(outlet_events=outlets)  # type: ignore[attr-defined]
    return [event for one in outlets.values() for event in one.added]


def run(dag: DAG, conf: Mapping[str, Any]) -> dict[str, Any]:
    """State of a run and of its tasks, and what they returned."""
    done = dag.test(run_conf=dict(conf))
    with create_session() as session:
        values = session.scalars(
            select(XComModel).where(XComModel.run_id == done.run_id, XComModel.key == "return_value")
        )
        returned = {f"{value.task_id}/{value.map_index}": value.value for value in values}
    tasks = sorted([t.task_id, t.map_index, str(t.state)] for t in done.get_task_instances())
    return {"state": str(done.state), "tasks": tasks, "returned": returned}


def events() -> list[dict[str, Any]]:
    """Every asset event so far, in order."""
    with create_session() as session:
        query = select(AssetModel.uri, AssetEvent.extra).join(AssetModel, AssetModel.id == AssetEvent.asset_id)
        return [{"asset": uri, "extra": extra} for uri, extra in session.execute(query.order_by(AssetEvent.id))]


def told(dag: DAG, found: list[dict[str, Any]]) -> dict[str, Any]:
    """What the tasks that these results trigger return."""
    group = [SimpleNamespace(extra=event["extra"]) for event in found if event["asset"] == RESULTS]
    reported = dag.get_task("report").python_callable(triggering_asset_events={"results": group})  # type: ignore[attr-defined]
    return {"reports": reported, "governed": dag.get_task("govern").python_callable(reported)}  # type: ignore[attr-defined]


def main(dataset: str, product: str) -> None:
    """The way of one delivery through the DAGs, and a product."""
    dags = bag().dags
    landed = watched(dags["deliveries"])
    received = dags[dataset].get_task("received").python_callable  # type: ignore[attr-defined]
    source = run(dags[dataset], {"delivery": next(e["delivery"] for uri, e in landed if uri.endswith(f"/{dataset}"))})
    built = run(dags[product], {})
    found = events()
    result = {
        "landed": landed,
        "source": source,
        "left": received(dataset, params={"delivery": ""}),
        "built": built,
        "events": found,
        "announced": run(dags["bulletins"], {}) if NOTO.is_dir() else None,
        **told(dags["results_to_departments"], found),
    }
    print("\n" + json.dumps(result, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
