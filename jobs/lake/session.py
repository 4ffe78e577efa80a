"""The one warm engine: a thin Spark Connect session, and patience while it is away."""

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
"""In what the Spark server says to whoever shows no token, or another."""

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
    """A Spark Connect session; ServiceUnavailable where no server is known or none answers, SetupError without its token."""
    if not settings.spark_remote:
        raise ServiceUnavailable("no Spark server is known: run `lake up`, or set LAKE_SPARK_REMOTE")
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client.retries import DefaultPolicy

    session: SparkSession = SparkSession.builder.remote(remote_of(settings)).create()
    brief = DefaultPolicy(max_retries=5, max_backoff=4000)  # for a blip; a longer absence is for `retrying` to wait out
    session.client.set_retry_policies([brief])
    try:
        session.conf.set("spark.sql.session.timeZone", "UTC")
    except Exception as error:
        session.stop()  # pyspark would give it to whoever asks for the active one
        if REFUSED not in str(error):
            raise
        raise SetupError(f"{settings.spark_remote} asks for another token: LAKE_SPARK_TOKEN / 令牌不对") from error
    return session


def remote_of(settings: Settings) -> str:
    """The address of the Spark server with the token that it asks for, which goes with every call.

    As a header, since pyspark takes `token=` only over TLS or to a host called localhost. For use in this process alone.
    """
    token = settings.spark_token.get_secret_value()
    if not token:
        return settings.spark_remote
    joint = ";" if ";" in settings.spark_remote else "/;"
    return f"{settings.spark_remote.rstrip('/')}{joint}{HEADER}={quote(bearer(token))}"


def bearer(token: str) -> str:
    """The value of the header that carries a token."""
    return f"Bearer {token}"


def is_away(error: BaseException) -> bool:
    """Whether an error says that S3, Spark or the database did not answer, rather than that the work is wrong."""
    if isinstance(error, ServiceUnavailable):
        return True
    module, name = type(error).__module__, type(error).__name__
    if module.startswith("grpc") or (module == "botocore.exceptions" and name in AWAY_CLASSES):
        return True
    return any(word in str(error) for word in AWAY_WORDS)


def retrying(step: Callable[P, T], wait_s: int) -> Callable[P, T]:
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
