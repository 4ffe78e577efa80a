"""Seconds to turn 500 contracts into DAGs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from jobs.settings import PROJECT
from tests.bench.common import Measures

COPIES = 500
ORIGINAL = "divisions"
SCRIPT = """
import sys, time
from airflow.dag_processing.dagbag import DagBag
start = time.perf_counter()
bag = DagBag(dag_folder=sys.argv[1])
if bag.import_errors: sys.exit(str(bag.import_errors)[-2000:])
print(len(bag.dags), time.perf_counter() - start)
"""


def measure(folder: Path, measures: Measures) -> None:
    """Copies of one shipped contract, parsed by Airflow's own bag in a process of its own."""
    schemas, suites = folder / "schemas", folder / "expectations"
    shutil.copytree(PROJECT / "schemas" / "elements", schemas / "elements")
    source = f"sources/civil_affairs/{ORIGINAL}.yaml"
    for root, kind in ((schemas, "schemas"), (suites, "expectations")):
        text = (PROJECT / kind / source).read_text("utf-8")
        (root / "sources" / "water").mkdir(parents=True)
        for number in range(COPIES):
            name = f"dataset_{number:03d}"
            (root / "sources" / "water" / f"{name}.yaml").write_text(text.replace(ORIGINAL, name), "utf-8")
    env = {
        **os.environ,
        "LAKE_SCHEMAS": str(schemas),
        "LAKE_EXPECTATIONS": str(suites),
        "AIRFLOW_HOME": str(folder / "airflow"),
        "PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'dags'}",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
    }
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(PROJECT / "dags" / "source_to_silver.py")]
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=env, check=True, capture_output=True)
    said = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    measures.say("dag_parse_500_s", float(said[-1]), "≤ 10", f"{said[-2]} DAGs from {COPIES} contracts")
