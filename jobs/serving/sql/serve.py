"""The SQL service in the foreground: one process that answers by PostgreSQL's protocol and by Arrow Flight SQL."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import ip_address
from threading import Thread

import pyarrow as pa

from jobs import contracts
from jobs.contracts import Registry
from jobs.errors import SetupError, UserError
from jobs.lake.database import Database
from jobs.lake.lake import opened
from jobs.serving.cache import CachedValue
from jobs.serving.sql.flight.server import FlightSqlServer
from jobs.serving.sql.logins import Logins
from jobs.serving.sql.service import SqlService, utc_now
from jobs.serving.sql.wire.login import WireLogins
from jobs.serving.sql.wire.serve import SqlServer
from jobs.settings import Settings

CONTRACTS_S = 60.0
SPARES = 4
"""Databases that are open before the first query."""


def serve(settings: Settings, host: str, port: int, flight_port: int) -> None:
    """Answer until the process receives a stop signal; UserError for an open address without TLS. `flight_port` 0: no Flight SQL."""
    tls = tls_context(settings)
    if tls is None and not _is_loopback(host):
        raise UserError(
            f"{host} needs TLS: set LAKE_SQL_TLS_CERTIFICATE and LAKE_SQL_TLS_KEY / 对外监听须配置 TLS 证书"
        )
    registry = CachedValue(partial(_read, settings), CONTRACTS_S).get
    database = Database(settings.state_url())
    database.migrate()
    with opened(settings) as lake:
        service = SqlService(lake, database, registry, spares=SPARES)
        Thread(target=service.warm, daemon=True).start()
        with (
            _flight(settings, (host, flight_port), service, database),
            SqlServer((host, port), service, WireLogins(database, utc_now), tls) as server,
            suppress(KeyboardInterrupt),
        ):
            server.serve_forever()
    database.close()


@contextmanager
def _flight(settings: Settings, address: tuple[str, int], service: SqlService, database: Database) -> Iterator[None]:
    """Flight SQL within the block, unless its port is 0."""
    if not address[1]:
        yield
        return
    try:
        server = FlightSqlServer(address, service, Logins(database, utc_now), tls_files(settings))
    except (OSError, pa.ArrowException) as error:
        raise SetupError(
            f"port {address[1]} cannot be opened for Flight SQL; see --flight-port / 无法监听该端口"
        ) from error
    try:
        yield
    finally:
        server.close()


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """TLS by the settings' certificate; None without one."""
    if settings.sql_tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.sql_tls_certificate, settings.sql_tls_key)
    return context


def tls_files(settings: Settings) -> tuple[bytes, bytes] | None:
    """Certificate and key of the settings, PEM; None without a certificate. A key may be in the certificate's file."""
    if settings.sql_tls_certificate is None:
        return None
    key = settings.sql_tls_key or settings.sql_tls_certificate
    return settings.sql_tls_certificate.read_bytes(), key.read_bytes()


def _read(settings: Settings) -> Registry:
    return contracts.load_usable(settings.schemas, settings.expectations)


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"
