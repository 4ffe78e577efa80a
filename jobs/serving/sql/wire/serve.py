"""The server of PostgreSQL's protocol: a thread for each connection."""

import hmac
import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import BoundedSemaphore, Lock
from typing import BinaryIO, cast

from jobs.errors import LakeError
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.wire.login import WireLogins
from jobs.serving.sql.wire.messages import CANCEL, GSS, SSL, VERSION_3, Connection, ProtocolError, Reader
from jobs.serving.sql.wire.session import Conversation

logger = logging.getLogger(__name__)
LOGIN_S, IDLE_S = 20.0, 3600.0
MOST_CONNECTIONS = 200
QUIET = (EOFError, ConnectionError, TimeoutError, ssl.SSLError, OSError)


Started = tuple[socket.socket, Connection, dict[str, str]]


class SqlServer(ThreadingTCPServer):
    """Listens for clients of the service."""

    daemon_threads, allow_reuse_address = True, True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], service: SqlService, logins: WireLogins, tls: ssl.SSLContext | None
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
