"""The portal as a server in the foreground."""

import uvicorn

from jobs.serving.app import guarded
from jobs.serving.portal import opened
from jobs.settings import Settings

GRACE_S = 10


def serve(settings: Settings, host: str, port: int) -> None:
    """Answer requests until the process is told to end."""
    with opened(settings) as portal:
        uvicorn.run(
            guarded(portal),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,  # addresses hold ids and search words
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
