"""The service by PostgreSQL's protocol: who gets in, and what a client sees."""

import socket
import ssl
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from jobs.embedded.endpoints import HOST
from jobs.serving.accounts import Accounts, Person
from jobs.serving.sql.tokens import Tokens
from tests.unit.serving.sql.city import IDENTITIES, TABLE
from tests.unit.serving.sql.wire_server import PASSWORD, Wire, certified, served


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, made_sqlite: Path) -> Iterator[Wire]:
    root = tmp_path_factory.mktemp("secure")
    certificate, key = certified(root)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with served(root, made_sqlite, context) as made:
        yield made


def test_rows_are_masked_as_in_the_portal_and_a_notice_has_the_grade(wire: Wire) -> None:
    notices: list[str] = []
    with wire.connect("analyst", wire.tokens["analyst"]) as connection:
        connection.add_notice_handler(lambda said: notices.append(said.message_primary or ""))
        rows = connection.execute(f"SELECT legal_rep_name, capital_cny, _marks FROM {TABLE} ORDER BY uscc").fetchall()
    assert rows == [("张**", None, None), ("王**", 100.5, ["致电159****2345"])]
    assert notices[0].startswith("本结果涉及的最高分级：L3 敏感，敏感字段已脱敏。查询编号 ")


@pytest.mark.parametrize("binary", [False, True])
def test_values_of_all_types_arrive(wire: Wire, binary: bool) -> None:
    sql = (
        "SELECT 1::SMALLINT, 2, 3::BIGINT, 1.5::FLOAT, 2.5::DOUBLE, true, NULL, '文', DATE '2026-01-12', "
        "TIMESTAMP '2026-01-12 08:00:00.5', TIMESTAMPTZ '2026-01-12 08:00:00+08', sum(7), 1.25::DECIMAL(9, 2)"
    )
    with wire.connect("analyst", wire.tokens["analyst"]) as connection:
        (row,) = connection.cursor(binary=binary).execute(sql).fetchall()
    assert row[:9] == (1, 2, 3, 1.5, 2.5, True, None, "文", datetime(2026, 1, 12).date())
    assert row[9] == datetime(2026, 1, 12, 8, 0, 0, 500000)
    assert row[10] == datetime(2026, 1, 12, tzinfo=UTC) and row[11:] == (7, 1.25)


def test_prepared_statements_take_values(wire: Wire) -> None:
    with wire.connect("analyst", wire.tokens["analyst"], prepare_threshold=0) as connection:
        for least, expected in ((0, 2), (101, 0)):
            sql = f"SELECT count(*) FROM {TABLE} WHERE coalesce(capital_cny, 100) > %s AND uscc <> %s"
            assert connection.execute(sql, (least, "' OR 1=1")).fetchone() == (expected,)
        guess = connection.execute(f"SELECT count(*) FROM {TABLE} WHERE legal_rep_id_no = %s", (IDENTITIES[0],))
        assert guess.fetchone() == (0,)


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM read_text('/etc/passwd')", "COPY (SELECT 1) TO STDOUT", "SELECT 1; SELECT 2", "SELECT nothing()", "DELETE FROM x"],
)  # fmt: skip
def test_a_refusal_is_an_error_and_the_connection_goes_on(wire: Wire, sql: str) -> None:
    with wire.connect("analyst", wire.tokens["analyst"]) as connection:
        with pytest.raises(psycopg.Error):
            connection.execute(sql)  # type: ignore[call-overload]
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    ("user", "password"),
    [("nobody", ""), ("nobody", "x"), ("analyst", "x"), ("analyst", PASSWORD), ("owner", "analyst's"), ("", "x"), ("a'--", "x")],
)  # fmt: skip
def test_without_tls_only_a_token_of_the_user_opens(wire: Wire, user: str, password: str) -> None:
    password = wire.tokens["analyst"] if password == "analyst's" else password
    with pytest.raises(psycopg.OperationalError):
        wire.connect(user or "''", password or "no")
    if not password:
        assert raw_login(wire.port, user, b"c=biws,r=") is False


def raw_login(port: int, user: str, final: bytes) -> bool:
    """Whether a login with an empty proof opens."""

    def packet(letter: bytes, body: bytes) -> bytes:
        return letter + struct.pack("!i", len(body) + 4) + body

    with socket.create_connection((HOST, port), timeout=10) as client:
        client.sendall(packet(b"", struct.pack("!i", 196608) + f"user\0{user}\0\0".encode()))
        client.recv(4096)
        first = f"n,,n={user},r=abc".encode()
        client.sendall(packet(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first))
        nonce = client.recv(4096)[9:].split(b",")[0][2:]
        client.sendall(packet(b"p", final + nonce + b",p="))
        return client.recv(4096)[:1] == b"R"


@pytest.mark.parametrize("user", ["nobody", "analyst", "fresh"])
def test_an_empty_proof_opens_nothing(wire: Wire, user: str) -> None:
    assert raw_login(wire.port, user, b"c=biws,r=") is False


def test_tokens_and_passwords_open_over_tls(secure: Wire) -> None:
    for password in (secure.tokens["analyst"], PASSWORD):
        with secure.connect("analyst", password, sslmode="require") as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    ("user", "password", "mode"),
    [
        ("analyst", "token", "disable"),
        ("analyst", "wrong", "require"),
        ("nobody", PASSWORD, "require"),
        ("nobody", "token", "require"),
        ("owner", "token", "require"),
    ],
)
def test_other_logins_are_refused_over_tls(secure: Wire, user: str, password: str, mode: str) -> None:
    with pytest.raises(psycopg.OperationalError):
        secure.connect(user, secure.tokens["analyst"] if password == "token" else password, sslmode=mode)


def test_a_token_that_ended_opens_nothing_and_ends_open_connections(wire: Wire) -> None:
    tokens, now = Tokens(wire.database), datetime.now(UTC)
    token, secret = tokens.add("analyst", "", now, now + timedelta(days=1))
    with wire.connect("analyst", secret) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        tokens.end(token.id, now)
        with pytest.raises(psycopg.Error, match="令牌已停用"):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        wire.connect("analyst", secret)


def test_a_disabled_account_is_refused(wire: Wire) -> None:
    now = datetime.now(UTC)
    Accounts(wire.database).add(Person("leaver", "analyst", "bureau"), now, PASSWORD)
    secret = Tokens(wire.database).add("leaver", "", now, now + timedelta(days=1))[1]
    with wire.connect("leaver", secret) as connection:
        Accounts(wire.database).disable("leaver")
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        wire.connect("leaver", secret)


@pytest.mark.parametrize(
    "data", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\x08\0\0\0\0", b"\xff" * 40, b"\0\0\0\x09\0\3\0\0u"]
)
def test_what_is_no_client_is_closed(wire: Wire, data: bytes) -> None:
    with socket.create_connection((HOST, wire.port), timeout=10) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""
