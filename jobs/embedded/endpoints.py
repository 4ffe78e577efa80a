"""Which ports and credentials the embedded services use, stored in the home folder.

secrets.env    created at first start and reused; endpoints.env   written by `up`, removed by `down`, read by jobs.settings.
"""

import base64
import os
import secrets
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from jobs.embedded.home import write_private
from jobs.embedded.process import MARK
from jobs.settings import Settings

HOST = "127.0.0.1"
# Default address of each endpoint; another port where a program listens there already.
USUAL = {
    "s3": {"LAKE_S3_ENDPOINT": f"http://{HOST}:9800"},
    "spark": {"LAKE_SPARK_REMOTE": f"sc://{HOST}:15002"},
    "kafka": {"LAKE_KAFKA_SERVERS": f"kafka://{HOST}:9092", "LAKE_KAFKA_CONTROLLER": f"kafka://{HOST}:9093"},
    "airflow": {"LAKE_AIRFLOW_URL": f"http://{HOST}:8080"},
    "portal": {"LAKE_PORTAL_URL": f"http://{HOST}:8090"},
    "sql-service": {"LAKE_SQL_URL": f"postgresql://{HOST}:5433", "LAKE_SQL_FLIGHT_URL": f"grpc://{HOST}:5434"},
    "collector": {"LAKE_COLLECTOR_URL": f"http://{HOST}:8091"},
    "stream": {},
}
SECRETS: Mapping[str, Callable[[], str]] = {
    "LAKE_S3_ACCESS_KEY": lambda: "lake-" + secrets.token_hex(6),
    "LAKE_S3_SECRET_KEY": lambda: secrets.token_urlsafe(30),
    "LAKE_SPARK_TOKEN": lambda: secrets.token_urlsafe(36),
    "LAKE_KAFKA_PASSWORD": lambda: secrets.token_urlsafe(30),
    "LAKE_AIRFLOW_PASSWORD": lambda: secrets.token_urlsafe(18),
    "AIRFLOW_FERNET_KEY": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "AIRFLOW_JWT_SECRET": lambda: secrets.token_urlsafe(48),
    "AIRFLOW_SECRET_KEY": lambda: secrets.token_urlsafe(32),
}


def endpoints_file(home: Path) -> Path:
    return home / "endpoints.env"


def read_env(path: Path) -> dict[str, str]:
    """Key-value pairs of an env file that this module wrote; empty when there is none."""
    if not path.exists():
        return {}
    return dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)


def write_env(path: Path, values: Mapping[str, str]) -> None:
    """Write pairs, readable by the owner alone; leaves an equal file untouched."""
    if read_env(path) != dict(values):
        write_private(path, "".join(f"{key}={value}\n" for key, value in values.items()))


def credentials(home: Path) -> dict[str, str]:
    """The secrets of a home; missing ones are generated."""
    path = home / "secrets.env"
    known = read_env(path)
    write_env(path, known | {key: make() for key, make in SECRETS.items() if key not in known})
    return read_env(path)


def from_environment(home: Path) -> dict[str, str]:
    """Settings from the environment, without those that only repeat this home's endpoints.env."""
    known = read_env(endpoints_file(home))
    words = {key: value for key, value in os.environ.items() if key.startswith("LAKE_") and value}
    return {key: value for key, value in words.items() if key not in (MARK, "LAKE_HOME") and known.get(key) != value}


def is_external(service: str, home: Path) -> bool:
    """Whether the environment names this service's address; then it is not started here."""
    return any(name in from_environment(home) for name in list(USUAL[service])[:1])


def allocate(home: Path, services: Iterable[str], alive: Iterable[str]) -> dict[str, str]:
    """Address of each endpoint of these services; a running one keeps its address."""
    known = read_env(endpoints_file(home))
    chosen = {key: known[key] for name in alive for key in USUAL[name] if key in known}
    used_ports = {_port(address) for address in chosen.values()}
    for key, usual in ((key, usual) for name in services for key, usual in USUAL[name].items()):
        if key not in chosen:
            port = free_port([_port(known.get(key, usual)), _port(usual)], used_ports)
            used_ports.add(port)
            chosen[key] = f"{urlsplit(usual).scheme}://{HOST}:{port}"
    return chosen


def free_port(preferred: Iterable[int], used: Iterable[int] = ()) -> int:
    """The first preferred port that is free, else any free port."""
    for candidate in (*preferred, *([0] * 20)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError:
                continue
            port = int(probe.getsockname()[1])
        if port not in set(used):
            return port
    raise OSError("no free port")


def _port(url: str) -> int:
    return urlsplit(url).port or 0


def publish(settings: Settings, addresses: Mapping[str, str]) -> Settings:
    """The settings with these addresses, which are written to endpoints.env."""
    home = settings.home
    secret = credentials(home)
    values = dict(addresses)
    if "LAKE_S3_ENDPOINT" in values:
        values |= {key: secret[key] for key in ("LAKE_S3_ACCESS_KEY", "LAKE_S3_SECRET_KEY")}
    if "LAKE_SPARK_REMOTE" in values:
        values["LAKE_SPARK_TOKEN"] = secret["LAKE_SPARK_TOKEN"]
    if "LAKE_KAFKA_SERVERS" in values:
        values["LAKE_KAFKA_PASSWORD"] = secret["LAKE_KAFKA_PASSWORD"]
    if "LAKE_AIRFLOW_URL" in values:
        values["LAKE_AIRFLOW_PASSWORD"] = secret["LAKE_AIRFLOW_PASSWORD"]
    write_env(endpoints_file(home), values)
    return settings.model_copy(update={_field(key): _typed(settings, key, value) for key, value in values.items()})


def _field(variable: str) -> str:
    return variable.removeprefix("LAKE_").lower()


def _typed(settings: Settings, variable: str, value: str) -> str | SecretStr:
    return SecretStr(value) if isinstance(getattr(settings, _field(variable)), SecretStr) else value
