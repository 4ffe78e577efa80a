"""The SQL service: `lake sql-service serve` as a process of the home."""

import socket
import struct
import sys
from functools import partial
from urllib.parse import urlsplit

from jobs.embedded.endpoints import from_environment
from jobs.embedded.program import Program
from jobs.embedded.service import Service, nothing
from jobs.errors import ServiceUnavailable
from jobs.settings import Settings

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""Every server of PostgreSQL's protocol answers it with one letter."""


def probe(settings: Settings) -> None:
    """Raise unless the service answers."""
    address = urlsplit(settings.sql_url)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=5) as client:
        client.sendall(SSL_REQUEST)
        if client.recv(1) not in (b"S", b"N"):
            raise ServiceUnavailable("the SQL service does not answer")


def programs(settings: Settings) -> tuple[Program, ...]:
    address = urlsplit(settings.sql_url)
    words = ("sql-service", "serve", "--host", str(address.hostname), "--port", str(address.port))
    return (
        Program(
            "sql-service",
            (sys.executable, "-m", "jobs.cli", *words),
            settings.sql_url,
            partial(probe, settings),
            env=from_environment(settings.home) | {"LAKE_HOME": str(settings.home)},
        ),
    )


def _greet(settings: Settings) -> None:
    """Nothing: the first query opens the engine."""


SERVICE = Service("sql-service", {"sql-service": probe}, lambda settings: settings.sql_url, nothing, programs, _greet)
