"""Every Airflow process imports this. Tasks and parsed files run in forks: what they need, their parent imports and reads once."""

import sys
from importlib import import_module

PARSING = (
    "airflow.dag_processing.dagbag",
    "airflow.dag_processing.bundles.local",
    "lake_task",
    "lake_watch",
    "source_notes",
)
FORKED = {
    "scheduler": (
        *PARSING,
        "airflow.providers.standard.decorators.python",
        "airflow.sdk.execution_time.supervisor",
        "airflow.sdk.execution_time.task_runner",
        "airflow.secrets.metastore",
    ),
    "dag-processor": PARSING,
    "triggerer": ("jobs.pipeline.watch",),
}

command = sys.argv[1] if len(sys.argv) > 1 else ""
for module in FORKED.get(command, ()):
    import_module(module)
if command == "scheduler":
    from jobs.pipeline.preload import preload

    preload()
if command == "dag-processor":
    from jobs import contracts
    from jobs.settings import load

    contracts.load_usable(load().schemas, load().expectations)
