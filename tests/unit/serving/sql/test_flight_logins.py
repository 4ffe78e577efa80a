"""Logins by Flight SQL: no call is answered without one, and they are the same as by PostgreSQL's protocol."""

import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import adbc_driver_manager as adbc
import pyarrow as pa
import pytest
from adbc_driver_flightsql import DatabaseOptions
from pyarrow import flight as arrow_flight

from jobs.errors import LakeError
from jobs.serving.accounts import Accounts, Person
from jobs.serving.sql.flight.login import IDLE_S, Sessions
from jobs.serving.sql.logins import Logins
from jobs.serving.sql.tokens import Tokens
from tests.unit.serving.sql.flight_server import Client, Flight, command, flying
from tests.unit.serving.sql.wire_server import PASSWORD, Wire, certified, served

TOKEN_OF_NOBODY = "lakesql_0000abcd_" + "x" * 43
CALLS: dict[str, Callable[[Client], object]] = {
    "GetFlightInfo": lambda client: client.info("CommandStatementQuery", query="SELECT 1"),
    "GetSchema": lambda client: client.schema("CommandGetTables"),
    "DoGet": lambda client: client.read(b"x").read_all(),
    "DoAction": lambda client: client.act("CloseSession"),
    "ListActions": lambda client: client.inner.list_actions(client.options),
    "ListFlights": lambda client: list(client.inner.list_flights(b"", client.options)),
    "DoPut": lambda client: client.inner.do_put(command("CommandGetTables"), pa.schema([]), client.options)[0].close(),
    "DoExchange": lambda client: client.inner.do_exchange(command("CommandGetTables"), client.options)[1].read_all(),
}


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, made_sqlite: Path) -> Iterator[Flight]:
    """A server with a certificate, and its file among the options of clients."""
    root = tmp_path_factory.mktemp("secure")
    certificate, key = certified(root)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    tls = certificate.read_bytes(), key.read_bytes()
    with served(root, made_sqlite, context) as wire, flying(wire, tls) as made:
        trusted = {DatabaseOptions.TLS_ROOT_CERTS.value: certificate.read_text("utf-8")}
        yield replace(made, options=trusted)


def headed(flight: Flight, words: str) -> Client:
    """A client with this header."""
    client = flight.client()
    client.options = arrow_flight.FlightCallOptions(headers=[(b"authorization", words.encode())] if words else [])
    return client


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "words", ["", "Bearer", "Bearer x", f"Bearer {TOKEN_OF_NOBODY}", "Bearer lakesql_", "Bearer lakesql__", "Basic YTpi", "Bearer " + "x" * 5000]
)  # fmt: skip
def test_no_call_is_anonymous(flight: Flight, call: str, words: str) -> None:
    with pytest.raises((arrow_flight.FlightUnauthenticatedError, OSError), match="Detail: Unauthenticated"):
        CALLS[call](headed(flight, words))


def test_every_call_of_a_known_account_is_let_through(flight: Flight) -> None:
    for call, run in CALLS.items():
        try:
            run(flight.client("analyst"))
        except pa.ArrowException as error:  # a ticket or a stream that means nothing
            assert call in ("DoGet", "DoPut", "DoExchange") and "Unauthenticated" not in str(error)


@pytest.mark.parametrize(
    ("user", "password"),
    [("nobody", "x"), ("analyst", "x"), ("analyst", PASSWORD), ("analyst", TOKEN_OF_NOBODY), ("owner", "analyst's"), ("a'--", "x"), (" ", "x")],
)  # fmt: skip
def test_without_tls_only_a_token_of_the_user_opens(flight: Flight, user: str, password: str) -> None:
    password = flight.wire.tokens["analyst"] if password == "analyst's" else password
    with pytest.raises(adbc.ProgrammingError, match="用户不存在，或令牌、密码无效"):
        flight.connect(user, password)


@pytest.mark.parametrize(
    "words", [*(b64encode(data) for data in (b"analyst", b"analyst:", b":", b"\xff\xfe:x", b"a" * 4000 + b":x")), b"*", b"YQ", b""]
)  # fmt: skip
def test_a_malformed_login_opens_nothing(flight: Flight, words: bytes) -> None:
    client = arrow_flight.connect(flight.url)
    options = arrow_flight.FlightCallOptions(headers=[(b"authorization", b"Basic " + words)])
    with pytest.raises(arrow_flight.FlightUnauthenticatedError):
        client.authenticate(_Silent(), options)
    with flight.connect("analyst") as connection, connection.cursor() as cursor:
        assert cursor.execute("SELECT 1").fetchone() == (1,)


class _Silent(arrow_flight.ClientAuthHandler):
    """Sends nothing in the handshake."""

    def authenticate(self, outgoing: object, incoming: object) -> None:
        """Nothing."""

    def get_token(self) -> bytes:
        return b""


def test_a_token_opens_with_its_user_or_alone(flight: Flight) -> None:
    for words, is_open in (
        (flight.wire.tokens["analyst"], True),
        (TOKEN_OF_NOBODY, False),
    ):  # JDBC's driver shows it in the handshake
        client, options = arrow_flight.connect(flight.url), headed(flight, f"Bearer {words}").options
        with nullcontext() if is_open else pytest.raises(arrow_flight.FlightUnauthenticatedError):
            client.authenticate(_Silent(), options)
    with flight.connect("analyst") as one, flight.connect_by(flight.wire.tokens["analyst"]) as other:
        for connection in (one, other):
            with connection.cursor() as cursor:
                assert cursor.execute("SELECT 1").fetchone() == (1,)


def test_a_token_that_ended_opens_nothing_and_ends_open_connections(flight: Flight) -> None:
    tokens, now = Tokens(flight.wire.database), datetime.now(UTC)
    token, secret = tokens.add("analyst", "", now, now + timedelta(days=1))
    client = headed(flight, f"Bearer {secret}")
    assert client.query("SELECT 1 AS n").to_pylist() == [{"n": 1}]
    held = client.info("CommandStatementQuery", query="SELECT 1").endpoints[0].ticket
    tokens.end(token.id, now)
    for call in (lambda: client.query("SELECT 2"), lambda: client.read(held).read_all()):
        with pytest.raises(arrow_flight.FlightUnauthenticatedError, match="令牌已停用"):
            call()
    with pytest.raises(adbc.ProgrammingError):
        flight.connect("analyst", secret)


def test_a_disabled_account_is_refused(secure: Flight) -> None:
    database, now = secure.wire.database, datetime.now(UTC)
    Accounts(database).add(Person("leaver", "analyst", "bureau"), now, PASSWORD)
    secret = Tokens(database).add("leaver", "", now, now + timedelta(days=1))[1]
    opened = [secure.connect("leaver", words, **secure.options) for words in (secret, PASSWORD)]
    Accounts(database).disable("leaver")
    for connection in opened:
        with connection, connection.cursor() as cursor, pytest.raises(adbc.ProgrammingError):
            cursor.execute("SELECT 1")
    for words in (secret, PASSWORD):
        with pytest.raises(adbc.ProgrammingError):
            secure.connect("leaver", words, **secure.options)


def test_tokens_and_passwords_open_over_tls(secure: Flight) -> None:
    for words in (secure.wire.tokens["analyst"], PASSWORD):
        with secure.connect("analyst", words, **secure.options) as connection, connection.cursor() as cursor:
            assert cursor.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    ("user", "password"), [("analyst", "wrong"), ("nobody", PASSWORD), ("owner", "analyst's"), ("fresh", "x")]
)
def test_other_logins_are_refused_over_tls(secure: Flight, user: str, password: str) -> None:
    password = secure.wire.tokens["analyst"] if password == "analyst's" else password
    with pytest.raises(adbc.ProgrammingError):
        secure.connect(user, password, **secure.options)


def test_a_client_without_tls_or_trust_does_not_connect(secure: Flight) -> None:
    with pytest.raises(adbc.Error):
        secure.connect("analyst", PASSWORD)
    with pytest.raises(adbc.Error):
        replace(secure, scheme="grpc").connect("analyst", PASSWORD)


def test_wrong_passwords_are_counted_and_tokens_still_open(secure: Flight) -> None:
    Accounts(secure.wire.database).add(Person("guessed", "analyst", "bureau"), datetime.now(UTC), PASSWORD)
    for _ in range(5):
        with pytest.raises(adbc.ProgrammingError, match="不正确"):
            secure.connect("guessed", "wrong", **secure.options)
    with pytest.raises(adbc.ProgrammingError, match="次数过多"):
        secure.connect("guessed", PASSWORD, **secure.options)
    with secure.connect("analyst", **secure.options):
        pass


def test_a_login_by_password_ends_when_it_is_idle_or_closed(wire: Wire) -> None:
    now = [0.0]
    sessions = Sessions(Logins(wire.database, lambda: datetime.now(UTC)), True, lambda: now[0])
    token, closed = sessions.opened("analyst", PASSWORD), sessions.opened(" Analyst ", PASSWORD)
    sessions.end(closed)
    for at, is_open in ((IDLE_S, True), (2 * IDLE_S, True), (3 * IDLE_S + 1, False)):
        now[0] = at
        if is_open:
            assert sessions.of(token).account.name == "analyst"
        for other in (closed, *(() if is_open else (token,))):
            with pytest.raises(LakeError, match="登录已过期"):
                sessions.of(other)
    assert sessions.of(wire.tokens["analyst"]).account.name == "analyst"


def test_calls_that_are_over_make_room_for_others(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.serving.sql.flight.login.MOST_CALLS", 2)
    with flying(wire) as flight:
        for _ in range(3):
            with pytest.raises(arrow_flight.FlightUnauthenticatedError):
                headed(flight, "").query("SELECT 1")
            with pytest.raises(pa.ArrowException):
                flight.client("analyst").query("SELECT nothing()")
            assert flight.client("analyst").query("SELECT 1 AS n").to_pylist() == [{"n": 1}]
        first = flight.client("analyst")
        held = [first.read(first.info("CommandStatementQuery", query=WIDE).endpoints[0].ticket) for _ in range(2)]
        with pytest.raises(arrow_flight.FlightUnavailableError, match="并发过多"):
            first.query("SELECT 1")
        assert [len(reader.read_all()) for reader in held] == [20_000, 20_000]
        assert first.query("SELECT 1 AS n").to_pylist() == [{"n": 1}]


WIDE = "SELECT repeat('x', 3000) AS words FROM range(20000)"
"""An answer that is not sent at once, so that its call is open until it is read."""
