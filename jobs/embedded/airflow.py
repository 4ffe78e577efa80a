"""Airflow: its API server, scheduler, DAG processor and triggerer as processes of their own, on SQLite by default."""

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from jobs.embedded.endpoints import credentials, from_environment
from jobs.embedded.home import log_file, pid_file, tail, write_private
from jobs.embedded.program import Program, environment
from jobs.embedded.service import Probe, Say, Service
from jobs.errors import ServiceUnavailable, SetupError
from jobs.settings import PROJECT, Settings

API, SCHEDULER, PROCESSOR, TRIGGERER = (
    "airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer",
)  # fmt: skip
POOLS = {"spark": 2}
POOL_PATIENCE_S = 60.0


def airflow_token(settings: Settings) -> str:
    """A bearer token for Airflow's REST API."""
    login = {"username": settings.airflow_user, "password": settings.airflow_password.get_secret_value()}
    return str(_request(settings, "POST", "/auth/token", json=login)["access_token"])


def _request(settings: Settings, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
    """Airflow's response as JSON; ignores the environment's proxies, which are not for local servers."""
    try:
        with httpx.Client(base_url=settings.airflow_url, timeout=15, trust_env=False) as client:
            answer = client.request(method, path, **kwargs)
            answer.raise_for_status()
            return dict(answer.json())
    except httpx.HTTPError as error:
        raise ServiceUnavailable(f"Airflow at {settings.airflow_url}{path}: {error}") from error


def _probe(settings: Settings, part: str, name: str) -> None:
    """Raise unless Airflow reports this component healthy, with a heartbeat since its last start."""
    health = _request(settings, "GET", "/api/v2/monitor/health")[part]
    record = pid_file(settings.home, name)
    heartbeat = health.get(f"latest_{part}_heartbeat")
    stale = heartbeat and record.exists() and datetime.fromisoformat(heartbeat).timestamp() < record.stat().st_mtime
    if health["status"] != "healthy" or stale:
        raise ServiceUnavailable(f"{part} is {health['status'] or 'unavailable'}, last heartbeat {heartbeat}")


def make_pools(settings: Settings) -> None:
    """Create the pools that the DAGs name."""
    bearer = {"Authorization": f"Bearer {airflow_token(settings)}"}
    known = {pool["name"] for pool in _request(settings, "GET", "/api/v2/pools", headers=bearer)["pools"]}
    for name, slots in POOLS.items():
        if name not in known:
            body = {"name": name, "slots": slots, "include_deferred": False}
            _make_pool(settings, bearer, body)


def _make_pool(settings: Settings, bearer: dict[str, str], body: dict[str, Any]) -> None:
    """Retry until the pool exists: on SQLite, a starting scheduler may lock the database for a while."""
    deadline = time.monotonic() + POOL_PATIENCE_S
    while True:
        try:
            _request(settings, "POST", "/api/v2/pools", headers=bearer, json=body)
            return
        except ServiceUnavailable:
            names = {p["name"] for p in _request(settings, "GET", "/api/v2/pools", headers=bearer)["pools"]}
            if body["name"] in names:
                return
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def _database(settings: Settings) -> Path:
    return settings.home / "airflow" / "airflow.db"


def _database_url(settings: Settings) -> str:
    return settings.airflow_database_url or f"sqlite:///{_database(settings)}"


def _env(settings: Settings) -> dict[str, str]:
    home, secret = settings.home, credentials(settings.home)
    address = urlsplit(settings.airflow_url)
    return from_environment(home) | {
        "LAKE_HOME": str(home),
        "PYTHONPATH": os.pathsep.join(map(str, (PROJECT, PROJECT / "infra" / "airflow", PROJECT / "dags"))),
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW_CONFIG": str(PROJECT / "infra" / "airflow" / "airflow.cfg"),
        "AIRFLOW__API__BASE_URL": settings.airflow_url,
        "AIRFLOW__API__HOST": str(address.hostname),
        "AIRFLOW__API__PORT": str(address.port),
        "AIRFLOW__API__SECRET_KEY": secret["AIRFLOW_SECRET_KEY"],
        "AIRFLOW__API_AUTH__JWT_SECRET": secret["AIRFLOW_JWT_SECRET"],
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{settings.airflow_url}/execution/",
        "AIRFLOW__CORE__FERNET_KEY": secret["AIRFLOW_FERNET_KEY"],
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "airflow" / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "airflow" / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _database_url(settings),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs" / "airflow"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "airflow" / "dags"),
    }


def prepare(settings: Settings, say: Say) -> None:
    """Migrate Airflow's database to the installed version; once for each database and version."""
    folder = settings.home / "airflow"
    (folder / "plugins").mkdir(parents=True, exist_ok=True)
    login = {settings.airflow_user: settings.airflow_password.get_secret_value()}
    write_private(folder / "passwords.json", json.dumps(login))
    stamp, state = folder / "migrated", f"{version('apache-airflow-core')} {_database_url(settings)}"
    if (
        stamp.exists()
        and stamp.read_text() == state
        and (settings.airflow_database_url or _database(settings).exists())
    ):
        return
    say("Preparing Airflow's database / 正在准备 Airflow 数据库…")
    log = log_file(settings.home, "airflow-migrate")
    with log.open("wb") as file:
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        migration = subprocess.run(command, env=environment(_env(settings)), stdout=file, stderr=file, check=False)
    if migration.returncode:
        raise SetupError(f"Airflow's database cannot be prepared / 无法准备 Airflow 数据库: {log}\n{tail(log)}")
    write_private(stamp, state)


def programs(settings: Settings) -> tuple[Program, ...]:
    address, env = urlsplit(settings.airflow_url), _env(settings)
    arguments = {
        API: ("api-server", "--host", str(address.hostname), "--port", str(address.port), "--workers", "1"),
        SCHEDULER: ("scheduler", "--skip-serve-logs"),
        PROCESSOR: ("dag-processor",),
        TRIGGERER: ("triggerer", "--skip-serve-logs"),
    }
    return tuple(
        Program(
            name=name,
            command=(sys.executable, "-m", "airflow", *words),
            url=settings.airflow_url,
            probe=partial(PARTS[name], settings),
            env=env,
            patience_s=120,
        )
        for name, words in arguments.items()
    )


PARTS: dict[str, Probe] = {
    API: partial(_probe, part="metadatabase", name=API),
    SCHEDULER: partial(_probe, part="scheduler", name=SCHEDULER),
    PROCESSOR: partial(_probe, part="dag_processor", name=PROCESSOR),
    TRIGGERER: partial(_probe, part="triggerer", name=TRIGGERER),
}
SERVICE = Service("airflow", PARTS, lambda settings: settings.airflow_url, prepare, programs, make_pools)
