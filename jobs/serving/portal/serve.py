"""The portal as a server in the foreground."""

import gc
import logging
import sys
from collections.abc import Callable
from threading import Thread

import uvicorn

from jobs.serving.connections import BoundedConnection
from jobs.serving.portal.app import guarded
from jobs.serving.portal.context import Portal, opened
from jobs.settings import Settings

logger = logging.getLogger(__name__)
GRACE_S = 10
MOST_HEAD = 32 << 10
MOST_CONNECTIONS = 1000
TURN_S = 0.001
"""Switch interval: a computing thread yields to request threads after so long; the default is five times that."""
COLLECTED_AT = (20_000, 10, 50)
"""Garbage is looked for after so many new objects. The loop of a month makes a million that are all in use: with Python's
own numbers all of them are looked through again and again meanwhile, and every request waits for a second."""


def serve(settings: Settings, host: str, port: int) -> None:
    """Answer requests until the process receives a stop signal."""
    sys.setswitchinterval(TURN_S)
    gc.set_threshold(*COLLECTED_AT)
    with opened(settings) as portal:
        _read("the loop", portal.loops.month)
        gc.freeze()  # what is loaded stays, and need not be looked through
        Thread(target=_read, args=("the overview", portal.overview.get), daemon=True).start()
        uvicorn.Server(configured(portal, host, port)).run()


def configured(portal: Portal, host: str, port: int) -> uvicorn.Config:
    """How the server runs: its own proxy, websocket and header handling is off, in favour of the middleware."""
    return uvicorn.Config(
        guarded(portal),
        host=host,
        port=port,
        http=BoundedConnection,
        ws="none",
        proxy_headers=False,
        h11_max_incomplete_event_size=MOST_HEAD,
        limit_concurrency=MOST_CONNECTIONS,
        log_level="warning",
        access_log=False,  # addresses hold ids and search words
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )


def _read(name: str, read: Callable[[], object]) -> None:
    """Warm a cache, so that the first request does not wait for it."""
    try:
        read()
    except Exception as error:  # a request reports it
        logger.warning("%s: cache not warmed: %s", name, str(error).split("\n")[0][:200])
