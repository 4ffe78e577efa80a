"""Programs of a test, run in processes of their own: on the test's lake, or in an Airflow home of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.settings import PROJECT, Settings

OURS = ("LAKE_", "AIRFLOW", "_AIRFLOW")


def lake_environ(settings: Settings) -> dict[str, str]:
    """Environment variables that point another process to this lake."""
    return {
        "LAKE_HOME": str(settings.home),
        "LAKE_S3_ENDPOINT": settings.s3_endpoint,
        "LAKE_S3_ACCESS_KEY": settings.s3_access_key,
        "LAKE_S3_SECRET_KEY": settings.s3_secret_key.get_secret_value(),
        "LAKE_S3_BUCKET": settings.s3_bucket,
        "LAKE_SPARK_REMOTE": settings.spark_remote,
        "LAKE_SPARK_TOKEN": settings.spark_token.get_secret_value(),
        "LAKE_DATABASE_URL": settings.state_url(),
        "LAKE_SCHEMAS": str(settings.schemas),
        "LAKE_EXPECTATIONS": str(settings.expectations),
    }


def airflow_environ(home: Path) -> dict[str, str]:
    """Environment variables that give Airflow a home and our DAGs."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONFIG": str(PROJECT / "infra" / "airflow" / "airflow.cfg"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "PYTHONPATH": os.pathsep.join(map(str, (PROJECT, PROJECT / "infra" / "airflow", PROJECT / "dags"))),
    }


def started(*words: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A Python module run to its end, with its output."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(OURS) or key == "LAKE_CACHE"}
    env = {**inherited, "PYTHONPATH": str(PROJECT), **environ}
    return subprocess.run(
        [sys.executable, "-m", *words], env=env, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=400
    )


def answer(*words: str, environ: Mapping[str, str]) -> Any:
    """What a program of the tests prints as JSON in its last line."""
    process = started(*words, environ=environ)
    assert process.returncode == 0, process.stdout[-4000:] + process.stderr[-6000:]
    return json.loads(process.stdout.splitlines()[-1])
