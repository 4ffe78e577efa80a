"""The SQL service as a server in the foreground: a thread for each connection."""

import hmac
import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import ip_address
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import BoundedSemaphore, Lock, Thread
from typing import BinaryIO, cast

from jobs import contracts
from jobs.contracts import Registry
from jobs.errors import LakeError, UserError
from jobs.lake.database import Database
from jobs.lake.lake import opened
from jobs.serving.cache import CachedValue
from jobs.serving.sql.service import SqlService, utc_now
from jobs.serving.sql.wire.login import Logins
from jobs.serving.sql.wire.messages import CANCEL, GSS, SSL, VERSION_3, Connection, ProtocolError, Reader
from jobs.serving.sql.wire.session import Conversation
from jobs.settings import Settings

logger = logging.getLogger(__name__)
CONTRACTS_S = 60.0
LOGIN_S, IDLE_S = 20.0, 3600.0
MOST_CONNECTIONS = 200
SPARES = 4
"""Databases that are open before the first query."""
QUIET = (EOFError, ConnectionError, TimeoutError, ssl.SSLError, OSError)


Started = tuple[socket.socket, Connection, dict[str, str]]


class SqlServer(ThreadingTCPServer):
    """Listens for clients of the service."""

    daemon_threads, allow_reuse_address = True, True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], service: SqlService, logins: Logins, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(address, Handler)
        self.service, self.logins, self.tls = service, logins, tls
        self.places = BoundedSemaphore(MOST_CONNECTIONS)
        self._open: dict[int, Conversation] = {}
        self._lock = Lock()

    def cancel(self, number: int, secret: bytes) -> None:
        """Stop the query of the connection that has the number and the secret; nothing where there is none."""
        with self._lock:
            found = self._open.get(number)
        if found is not None and hmac.compare_digest(found.secret, secret):
            found.cancel()

    @contextmanager
    def listed(self, conversation: Conversation) -> Iterator[Conversation]:
        """The conversation, which can be cancelled within the block."""
        with self._lock:
            self._open[conversation.number] = conversation
        try:
            yield conversation
        finally:
            with self._lock:
                self._open.pop(conversation.number, None)


class Handler(BaseRequestHandler):
    """One client."""

    def handle(self) -> None:
        server = cast(SqlServer, self.server)
        if not server.places.acquire(blocking=False):
            return
        try:
            self._serve(server)
        except QUIET:
            pass
        except ProtocolError as error:
            logger.info("%s: connection closed: %s", self.client_address[0], error)
        finally:
            server.places.release()

    def _serve(self, server: SqlServer) -> None:
        client: socket.socket = self.request
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.settimeout(LOGIN_S)
        started = _started(client, server)
        if started is None:
            return
        client, connection, names = started
        with client:
            self._talk(server, client, connection, names)

    def _talk(self, server: SqlServer, client: socket.socket, connection: Connection, names: dict[str, str]) -> None:
        is_tls = isinstance(client, ssl.SSLSocket)
        try:
            login = server.logins.opened(connection, names.get("user", ""), is_tls, str(self.client_address[0]))
        except LakeError as error:
            connection.report("E", "FATAL", "28P01", str(error))
            connection.flush()
            return
        client.settimeout(IDLE_S)
        with server.listed(Conversation(connection, server.service, server.logins, login)) as conversation:
            conversation.run()


def _started(client: socket.socket, server: SqlServer) -> Started | None:
    """The connection, in TLS where the server has a certificate, with the client's parameters; None where it only cancels."""
    connection, is_tls, tls = _connection(client), False, server.tls
    while True:
        code, reader = connection.startup()
        if code == SSL and tls is not None and not is_tls:
            client.sendall(b"S")
            client, is_tls = tls.wrap_socket(client, server_side=True), True
            connection = _connection(client)
        elif code in (SSL, GSS):
            client.sendall(b"N")
        elif code == CANCEL:
            server.cancel(reader.int32(), reader.take(4))
            return None
        elif code != VERSION_3:
            raise ProtocolError("only version 3 of the protocol is spoken")
        elif tls is not None and not is_tls:
            connection.report("E", "FATAL", "28000", "this server requires TLS (sslmode=require) / 须以 TLS 连接")
            connection.flush()
            return None
        else:
            return client, connection, _names(reader)


def _connection(client: socket.socket) -> Connection:
    return Connection(cast(BinaryIO, client.makefile("rb")), cast(BinaryIO, client.makefile("wb", buffering=1 << 16)))


def _names(reader: Reader) -> dict[str, str]:
    names: dict[str, str] = {}
    while name := reader.text():
        names[name] = reader.text()
    return names


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """TLS by the settings' certificate; None without one."""
    if settings.sql_tls_certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.sql_tls_certificate, settings.sql_tls_key)
    return context


def serve(settings: Settings, host: str, port: int) -> None:
    """Answer until the process receives a stop signal; UserError for an open address without TLS."""
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
        with SqlServer((host, port), service, Logins(database, utc_now), tls) as server, suppress(KeyboardInterrupt):
            server.serve_forever()
    database.close()


def _read(settings: Settings) -> Registry:
    return contracts.load_usable(settings.schemas, settings.expectations)


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"
