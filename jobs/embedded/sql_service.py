"""The SQL service: `lake sql-service serve` as a process of the home."""

import socket
import ssl
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
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
"""How a connection of HTTP/2 begins, with an empty frame of settings; every gRPC server answers with a frame of that kind."""
SETTINGS_FRAME = 4
TIMEOUT_S = 5


def probe(settings: Settings) -> None:
    """Raise unless the service answers by PostgreSQL's protocol, and by Arrow Flight SQL where it has an address for it."""
    address = urlsplit(settings.sql_url)
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=TIMEOUT_S) as client:
        client.sendall(SSL_REQUEST)
        if client.recv(1) not in (b"S", b"N"):
            raise ServiceUnavailable("the SQL service does not answer")
    if settings.sql_flight_url:
        _probe_flight(settings)


def _probe_flight(settings: Settings) -> None:
    address = urlsplit(settings.sql_flight_url)
    plain = socket.create_connection((str(address.hostname), address.port or 0), timeout=TIMEOUT_S)
    with plain, _in_tls(plain) if settings.sql_tls_certificate else plain as client:
        client.sendall(HTTP2)
        head = client.recv(4)
        if len(head) < 4 or head[3] != SETTINGS_FRAME:
            raise ServiceUnavailable("the SQL service does not answer by Arrow Flight SQL")


def _in_tls(client: socket.socket) -> ssl.SSLSocket:
    """The connection in TLS; whose certificate it is does not matter to a probe."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context.wrap_socket(client)


def programs(settings: Settings) -> tuple[Program, ...]:
    address, flight = urlsplit(settings.sql_url), urlsplit(settings.sql_flight_url)
    words = ("--host", str(address.hostname), "--port", str(address.port), "--flight-port", str(flight.port or 0))
    return (
        Program(
            "sql-service",
            (sys.executable, "-m", "jobs.cli", "sql-service", "serve", *words),
            _addresses(settings),
            partial(probe, settings),
            env=from_environment(settings.home) | {"LAKE_HOME": str(settings.home)},
        ),
    )


def _addresses(settings: Settings) -> str:
    """For both protocols, where it has two."""
    return " ".join(filter(None, (settings.sql_url, settings.flight_url())))


def _greet(settings: Settings) -> None:
    """Nothing: the first query opens the engine."""


SERVICE = Service("sql-service", {"sql-service": probe}, _addresses, nothing, programs, _greet)
