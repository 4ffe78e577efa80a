"""The Spark Connect session, and retries while a service is unavailable."""

import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from urllib.parse import quote

from tenacity import RetryCallState, retry, retry_if_exception, stop_after_delay, wait_fixed

from jobs.errors import ServiceUnavailable, SetupError
from jobs.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

PAUSE_S = 2.0
HEADER = "authorization"
REFUSED = "authentication token"
"""Part of the Spark server's error for a missing or wrong token."""

UNAVAILABLE_CLASSES = (
    "EndpointConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ConnectionClosedError",
    "ConnectionError",
    "HTTPClientError",
)
UNAVAILABLE_PHRASES = (
    "UNAVAILABLE",
    "failed to connect",
    "Connection refused",
    "Connection reset",
    "Unable to execute HTTP request",
    "ConnectException",
    "SESSION_CHANGED",
    "SESSION_NOT_FOUND",
    "SESSION_CLOSED",
    "NO_ACTIVE_SESSION",
    "CONNECT_URL_NOT_SET",
    "OPERATION_NOT_FOUND",
    "error sending request",
    "Socket closed",
)

ROW_GROUP_BYTES = str(16 << 20)
"""Of files that the engine writes. Arrow decodes the columns of a whole row group at once: in 128 MiB may be ten million rows."""


def connect(settings: Settings) -> "SparkSession":
    """A Spark Connect session; ServiceUnavailable where none is configured or responds, SetupError for a wrong token."""
    if not settings.spark_remote:
        raise ServiceUnavailable("no Spark server is configured: run `lake up`, or set LAKE_SPARK_REMOTE")
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client.retries import DefaultPolicy

    session: SparkSession = SparkSession.builder.remote(remote_of(settings)).create()
    # For short outages; `retrying` waits out longer ones.
    session.client.set_retry_policies([DefaultPolicy(max_retries=5, max_backoff=4000)])
    try:
        session.conf.set("spark.sql.session.timeZone", "UTC")
        # Spark's default is INT96, which other readers take for times without a zone, and which has no statistics.
        session.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        session.conf.set("parquet.block.size", ROW_GROUP_BYTES)
    except Exception as error:
        session.stop()  # else pyspark returns it as the active session
        if REFUSED not in str(error):
            raise
        raise SetupError(f"{settings.spark_remote} rejects the token: check LAKE_SPARK_TOKEN / 令牌不对") from error
    return session


def remote_of(settings: Settings) -> str:
    """The address of the Spark server with its token, sent with every call.

    As a header, since pyspark accepts `token=` only over TLS or for localhost. For this process only.
    """
    token = settings.spark_token.get_secret_value()
    if not token:
        return settings.spark_remote
    joint = ";" if ";" in settings.spark_remote else "/;"
    return f"{settings.spark_remote.rstrip('/')}{joint}{HEADER}={quote(bearer(token))}"


def bearer(token: str) -> str:
    """The value of the authorization header."""
    return f"Bearer {token}"


def is_unavailable(error: BaseException) -> bool:
    """Whether an error means that S3, Spark or the database is unavailable, rather than a fault in the work."""
    if isinstance(error, ServiceUnavailable):
        return True
    module, name = type(error).__module__, type(error).__name__
    if module.startswith("grpc") or (module == "botocore.exceptions" and name in UNAVAILABLE_CLASSES):
        return True
    return any(word in str(error) for word in UNAVAILABLE_PHRASES)


def retrying(step: Callable[P, T], wait_s: int) -> Callable[P, T]:
    """The step, retried while a service is unavailable, for at most `wait_s` seconds.

    Steps are idempotent by dataset and delivery id, so a retry is safe.
    """

    def log_retry(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        logger.warning("%s: service unavailable, trying again: %s", step.__name__, str(error).split("\n")[0][:200])

    retried = retry(
        retry=retry_if_exception(is_unavailable),
        stop=stop_after_delay(wait_s),
        wait=wait_fixed(PAUSE_S),
        before_sleep=log_retry,
        reraise=True,
    )
    return functools.wraps(step)(retried(step))
