"""The one warm engine: a thin Spark Connect session, and patience while it is away."""

import functools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from tenacity import RetryCallState, retry, retry_if_exception, stop_after_delay, wait_fixed

from jobs.errors import ServiceUnavailable
from jobs.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

PAUSE_S = 2.0
AWAY_CLASSES = (
    "EndpointConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ConnectionClosedError",
    "ConnectionError",
    "HTTPClientError",
)
AWAY_WORDS = (
    "UNAVAILABLE",
    "failed to connect",
    "Connection refused",
    "Connection reset",
    "Unable to execute HTTP request",
    "ConnectException",
    "SESSION_CHANGED",
    "SESSION_NOT_FOUND",
    "SESSION_CLOSED",
    "OPERATION_NOT_FOUND",
    "error sending request",
    "Socket closed",
)


def connect(settings: Settings) -> "SparkSession":
    """A Spark Connect session; ServiceUnavailable where no server is known or none answers."""
    if not settings.spark_remote:
        raise ServiceUnavailable("no Spark server is known: run `lake up`, or set LAKE_SPARK_REMOTE")
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client.retries import DefaultPolicy

    session: SparkSession = SparkSession.builder.remote(settings.spark_remote).create()
    brief = DefaultPolicy(max_retries=5, max_backoff=4000)  # for a blip; a longer absence is for `patient` to wait out
    session.client.set_retry_policies([brief])
    session.conf.set("spark.sql.session.timeZone", "UTC")
    return session


def is_away(error: BaseException) -> bool:
    """Whether an error says that S3, Spark or the database did not answer, rather than that the work is wrong."""
    if isinstance(error, ServiceUnavailable):
        return True
    module, name = type(error).__module__, type(error).__name__
    if module.startswith("grpc") or (module == "botocore.exceptions" and name in AWAY_CLASSES):
        return True
    return any(word in str(error) for word in AWAY_WORDS)


def patient(step: Callable[P, T], wait_s: int) -> Callable[P, T]:
    """The step, run again while a service is unavailable, for at most `wait_s` seconds.

    Steps are idempotent by dataset and delivery id, so running one again is safe.
    """

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        logger.warning("%s: service unavailable, trying again: %s", step.__name__, str(error).split("\n")[0][:200])

    again = retry(
        retry=retry_if_exception(is_away),
        stop=stop_after_delay(wait_s),
        wait=wait_fixed(PAUSE_S),
        before_sleep=tell,
        reraise=True,
    )
    return functools.wraps(step)(again(step))
