"""The Spark Connect server: one warm engine for every client."""

import sys
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from jobs.embedded.jars import ensure_jars, pyspark_home
from jobs.embedded.java import LATE_C2, find_java
from jobs.embedded.program import Program
from jobs.embedded.service import Say, Service
from jobs.settings import PROJECT, Settings

_CONFIG = PROJECT / "infra" / "spark"
_SERVICE = "spark.connect.SparkConnectService"
_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"

# The heap begins large enough for a first delivery; an idle engine collects after a minute and gives back what is free,
# but for half of the heap: with less room, a busy engine collects all the time.
MEMORY = (
    "-XX:InitialHeapSize=512m", "-XX:MinHeapSize=128m", "-XX:MinHeapFreeRatio=30", "-XX:MaxHeapFreeRatio=60",
    "-XX:+UseG1GC", "-XX:G1PeriodicGCInterval=60000",
)  # fmt: skip
DEEP = "-Xss16m"
"""Plans of hundreds of rules are deep: a cold engine would run out of stack reading a task."""
JAVA_OPTIONS = " ".join((DEEP, *MEMORY, *LATE_C2, "-Duser.timezone=UTC"))
RETAINED = {
    "spark.ui.retainedJobs": "1000", "spark.ui.retainedStages": "1000",
    "spark.ui.retainedTasks": "5000", "spark.sql.ui.retainedExecutions": "500",
}  # fmt: skip
"""History limits of the Spark web UI; not set where the UI is off, so that the driver keeps less."""


def probe(settings: Settings) -> None:
    """Make a call without effect, with our token; raises unless the server accepts it."""
    from jobs.lake.session import HEADER, bearer

    token = settings.spark_token.get_secret_value()
    channel = _channel(settings.spark_remote)
    try:
        call = channel.unary_unary(f"/{_SERVICE}/ReleaseSession")
        call(_release_of_no_session(), timeout=5, wait_for_ready=True, metadata=[(HEADER, bearer(token))] * bool(token))
    finally:
        channel.close()


def _release_of_no_session() -> bytes:
    """A ReleaseSessionRequest (spark/connect/base.proto) of a session that does not exist; field 1 is its id, 2.1 its user."""
    session, user = str(uuid4()).encode(), b"lake"
    return b"".join((b"\x0a", bytes([len(session)]), session, b"\x12", bytes([len(user) + 2]), b"\x0a\x04", user))


def _channel(remote: str) -> Any:
    """A channel as pyspark opens it; pyspark itself, slow to import, is used only for options such as TLS."""
    import grpc  # type: ignore[import-untyped]

    if ";" not in remote:
        return grpc.insecure_channel(urlsplit(remote).netloc)
    from pyspark.sql.connect.client import DefaultChannelBuilder

    return DefaultChannelBuilder(remote).toChannel()


def first_query(settings: Settings) -> None:
    """Run a one-row query: the first query of a server is slow, so no user has to wait for it."""
    from jobs.lake.session import connect

    session = connect(settings)
    try:
        session.sql("SELECT 1").collect()
    finally:
        session.stop()


def prepare(settings: Settings, say: Say) -> None:
    ensure_jars(settings, say)
    for name in ("spark", "hadoop"):
        (settings.home / "tmp" / name).mkdir(parents=True, exist_ok=True)


def programs(settings: Settings) -> tuple[Program, ...]:
    config = settings.home / "run" / "spark.conf"
    spark_home = pyspark_home()
    command = (
        str(spark_home / "bin" / "spark-submit"), "--class", _SERVER,
        "--properties-file", str(config), "--load-spark-defaults", "spark-internal",
    )  # fmt: skip
    env = {
        "JAVA_HOME": str(Path(find_java()).resolve().parents[1]),
        "SPARK_HOME": str(spark_home),
        "SPARK_CONF_DIR": str(_CONFIG),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "MALLOC_ARENA_MAX": "2",  # else each thread of the JVM may keep up to 64 MiB of native memory
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_CONNECT_AUTHENTICATE_TOKEN": settings.spark_token.get_secret_value(),  # of the engine's own workers
    }
    text = "".join(f"{key} {value}\n" for key, value in properties(settings).items())
    return (Program("spark", command, settings.spark_remote, partial(probe, settings), env, {config: text}),)


def properties(settings: Settings) -> dict[str, str]:
    tmp = settings.home / "tmp"
    return {
        "spark.master": "local[2]",
        "spark.driver.memory": settings.spark_memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraClassPath": f"{ensure_jars(settings, lambda _: None)}/spark/*",
        "spark.driver.extraJavaOptions": JAVA_OPTIONS,
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(urlsplit(settings.spark_remote).port),
        "spark.connect.authenticate.token": settings.spark_token.get_secret_value(),
        "spark.authenticate": "true",  # the driver's own ports; the secret of local mode stays in the process
        "spark.ui.enabled": str(bool(settings.spark_ui)).lower(),
        "spark.ui.port": str(urlsplit(settings.spark_ui).port or 0),
        **(RETAINED if settings.spark_ui else {}),
        "spark.local.dir": str(tmp / "spark"),
        "spark.sql.warehouse.dir": str(tmp / "warehouse"),
        "spark.hadoop.hadoop.tmp.dir": str(tmp / "hadoop"),
        "spark.hadoop.fs.s3a.endpoint": settings.s3_endpoint,
        "spark.hadoop.fs.s3a.endpoint.region": settings.s3_region,
        "spark.hadoop.fs.s3a.connection.ssl.enabled": str(settings.s3_endpoint.startswith("https")).lower(),
        "spark.hadoop.fs.s3a.access.key": settings.s3_access_key,
        "spark.hadoop.fs.s3a.secret.key": settings.s3_secret_key.get_secret_value(),
    }


SERVICE = Service("spark", {"spark": probe}, lambda settings: settings.spark_remote, prepare, programs, first_query)
