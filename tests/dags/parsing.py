"""Run as a program in an Airflow home of its own: parses all DAG files and prints the DAGs as JSON."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import BundleDagBag, DagBag
from airflow.sdk import Asset

from jobs.settings import PROJECT

HEAVY = ("pyspark", "great_expectations", "pandas", "deltalake")


def bag() -> DagBag:
    """All DAGs; as in the DAG processor, the files may import from their own folder."""
    folder = PROJECT / "dags"
    return BundleDagBag(folder, bundle_path=folder, bundle_name="dags-folder")


def scheduling(dag: Any) -> list[Asset]:
    """The assets that start a DAG; none start one that runs by the calendar."""
    condition = dag.timetable.asset_condition
    return list(getattr(condition, "objects", ()))


def watchers(found: Iterable[Asset]) -> dict[str, list[list[str]]]:
    """Class and asset of the watchers of each asset."""
    return {a.uri: [[w.trigger.serialize()[0], w.trigger.serialize()[1]["asset"]] for w in a.watchers] for a in found}


def facts(dag: Any) -> dict[str, Any]:
    """Facts of a DAG that the tests check."""
    return {
        "owner": dag.owner,
        "doc": dag.doc_md or "",
        "max_active_runs": dag.max_active_runs,
        "file": Path(dag.fileloc).name,
        "tasks": {
            t.task_id: {
                "retries": t.retries,
                "pool": t.pool,
                "weight": t.priority_weight,
                "outlets": [o.uri for o in t.outlets if isinstance(o, Asset)],
            }
            for t in dag.tasks
        },
        "watched": {
            "schedule": watchers(scheduling(dag)),
            "outlets": watchers(o for t in dag.tasks for o in t.outlets if "/gold/" not in o.uri),
        },
    }


def main() -> None:
    """Print one JSON document as the last line, after Airflow's own output."""
    dag_bag = bag()
    result = {
        "errors": {Path(file).name: str(error) for file, error in dag_bag.import_errors.items()},
        "dags": {dag_id: facts(dag) for dag_id, dag in dag_bag.dags.items()},
        "heavy": [name for name in HEAVY if name in sys.modules],
    }
    print("\n" + json.dumps(result))


if __name__ == "__main__":
    main()
