"""Errors as Flight sends them. pyarrow sends any exception that is not one of Flight's own with its traceback, paths and code."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pyarrow import flight

from jobs.errors import LakeError, NotAllowed, PolicyRefusal, ServiceUnavailable
from jobs.serving.accounts import LoginRefused
from jobs.serving.sql.engine import QueryCancelled, QueryStopped
from jobs.serving.throttle import TooManyTries

logger = logging.getLogger(__name__)
KINDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], type[Exception]], ...] = (
    ((LoginRefused, TooManyTries), flight.FlightUnauthenticatedError),
    ((NotAllowed, PolicyRefusal), flight.FlightUnauthorizedError),
    (ServiceUnavailable, flight.FlightUnavailableError),
    (QueryCancelled, flight.FlightCancelledError),
    (QueryStopped, flight.FlightTimedOutError),
    (LakeError, flight.FlightServerError),
)


@contextmanager
def reported() -> Iterator[None]:
    """Errors of the block as Flight's; one that is not the lake's own is logged, and its message is not sent."""
    try:
        yield
    except flight.FlightError:
        raise
    except LakeError as error:
        kind = next(kind for own, kind in KINDS if isinstance(error, own))
        raise kind(str(error)) from None
    except Exception:
        logger.exception("a call failed")
        raise flight.FlightInternalError("internal error; it is in the server's log / 服务内部错误，已记录") from None


class Unformatted(Exception):
    """An error of GetSchema, of which pyarrow formats even Flight's own with the traceback: this one cannot be, so that only its text is sent."""

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]
        raise RuntimeError


@contextmanager
def reported_as_text() -> Iterator[None]:
    """The same for GetSchema."""
    try:
        with reported():
            yield
    except flight.FlightError as error:
        raise Unformatted(str(error)) from None
