"""A Flight SQL server over the service of the wire's tests, and clients that connect to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from adbc_driver_flightsql import DatabaseOptions, dbapi
from pyarrow import flight

from jobs.embedded.endpoints import HOST
from jobs.serving.sql.flight.messages import packed
from jobs.serving.sql.flight.server import FlightSqlServer
from jobs.serving.sql.logins import Logins
from tests.unit.serving.sql.wire_server import Wire


@dataclass
class Flight:
    """A server, and the wire whose service it shares."""

    server: FlightSqlServer
    wire: Wire
    scheme: str = "grpc"
    options: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{HOST}:{self.server.port}"

    def connect(self, user: str, password: str = "", **options: str) -> dbapi.Connection:
        """As ADBC connects with a user and a password, which is the user's token where none is given."""
        login = {"username": user, "password": password or self.wire.tokens[user]}
        return dbapi.connect(self.url, db_kwargs={**login, **options}, autocommit=True)

    def connect_by(self, token: str) -> dbapi.Connection:
        """As ADBC connects with a token and no user."""
        login = {DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {token}"}
        return dbapi.connect(self.url, db_kwargs=login, autocommit=True)

    def client(self, user: str = "") -> "Client":
        """A client of Flight itself; without a user it is anonymous."""
        token = self.wire.tokens[user] if user else ""
        return Client(flight.connect(self.url, disable_server_verification=True), token)


class Client:
    """Calls the server message by message."""

    def __init__(self, inner: flight.FlightClient, token: str) -> None:
        self.inner = inner
        headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
        self.options = flight.FlightCallOptions(headers=headers)

    def info(self, name: str, **fields: Any) -> flight.FlightInfo:
        return self.inner.get_flight_info(command(name, **fields), self.options)

    def schema(self, name: str, **fields: Any) -> pa.Schema:
        return self.inner.get_schema(command(name, **fields), self.options).schema

    def read(self, ticket: bytes | flight.Ticket) -> flight.FlightStreamReader:
        ticket = ticket if isinstance(ticket, flight.Ticket) else flight.Ticket(ticket)
        return self.inner.do_get(ticket, self.options)

    def query(self, sql: str) -> pa.Table:
        """As a client without prepared statements asks."""
        return self.rows("CommandStatementQuery", query=sql)

    def rows(self, name: str, **fields: Any) -> pa.Table:
        (endpoint,) = self.info(name, **fields).endpoints
        return self.read(endpoint.ticket).read_all()

    def act(self, name: str, body: bytes = b"") -> list[bytes]:
        results = self.inner.do_action(flight.Action(name, body), self.options)
        return [result.body.to_pybytes() for result in results]


def command(name: str, **fields: Any) -> flight.FlightDescriptor:
    return flight.FlightDescriptor.for_command(packed(name, **fields))


@contextmanager
def flying(wire: Wire, tls: tuple[bytes, bytes] | None = None) -> Iterator[Flight]:
    logins = Logins(wire.database, lambda: datetime.now(UTC))
    server = FlightSqlServer((HOST, 0), wire.server.service, logins, tls)
    yield Flight(server, wire, "grpc" if tls is None else "grpc+tls")
    server.close()
