"""Ways round the masks and into the server by Flight SQL: each is refused as by PostgreSQL's protocol, and the server goes on."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import adbc_driver_manager as adbc
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import flight as arrow_flight

from jobs.access.roles import roles_of_people
from jobs.serving.accounts import Account, Accounts, Person
from jobs.serving.sql.flight.messages import MOST_BYTES, packed, read, unpacked, written
from jobs.serving.sql.gate import MOST_CHARS
from jobs.serving.sql.query_log import QueryLog
from jobs.serving.sql.tokens import Tokens
from tests.unit.serving.sql.city import SECRETS, TABLE
from tests.unit.serving.sql.flight_server import Client, Flight, command
from tests.unit.serving.sql.test_attacks import FAILING, GUESSES, REFUSED, SHOWING

DEPARTMENTS = ("bureau", "market_regulation", "ecology_environment")
SILENT = ("服务内部错误", "Traceback")
"""What only an error has that the server did not expect."""


@pytest.fixture
def client(flight: Flight) -> Client:
    return flight.client("analyst")


@pytest.fixture(autouse=True)
def goes_on(flight: Flight) -> Iterator[None]:
    """After each test the server answers."""
    yield
    assert flight.client("owner").query("SELECT 1 AS n").to_pylist() == [{"n": 1}]


def prepare(client: Client, sql: str) -> bytes:
    (body,) = client.act("CreatePreparedStatement", packed("ActionCreatePreparedStatementRequest", query=sql))
    return bytes(unpacked(body)[1].prepared_statement_handle)


@pytest.mark.parametrize("sql", REFUSED, ids=lambda sql: sql[:60])
def test_refused_when_asked_and_when_prepared(flight: Flight, client: Client, sql: str) -> None:
    log = QueryLog(flight.wire.database)
    for ask in (client.query, lambda sql: prepare(client, sql)):
        before = log.entries(1, 1)[1]
        with pytest.raises(pa.ArrowException) as raised:
            ask(sql)
        assert [word for word in SILENT if word in str(raised.value)] == []
        newest, after = log.entries(1, 1)
        assert len(sql) > MOST_CHARS or (after - before, newest[0].way, newest[0].outcome) == (1, "flight", "refused")


@pytest.mark.parametrize("sql", SHOWING, ids=lambda sql: sql[:60])
def test_answers_hold_no_secret_for_those_who_see_masks(client: Client, sql: str) -> None:
    info = client.info("CommandStatementQuery", query=sql)
    table = client.read(info.endpoints[0].ticket).read_all()
    text = f"{table.to_pylist()}\n{table.schema.to_string(truncate_metadata=False)}\n{info.app_metadata.decode()}"
    asked_for = [secret for secret in SECRETS if secret in sql]
    assert [secret for secret in SECRETS if secret in text and secret not in asked_for] == []


@pytest.mark.parametrize("guess", GUESSES)
def test_a_right_guess_in_a_filter_finds_nothing(client: Client, guess: str) -> None:
    assert client.query(f"SELECT count(*) AS n FROM {TABLE} a WHERE {guess}").to_pylist() == [{"n": 0}]


@pytest.mark.parametrize("user", ["analyst", "owner"])
@pytest.mark.parametrize("sql", FAILING)
def test_errors_quote_no_value(flight: Flight, user: str, sql: str) -> None:
    with pytest.raises(pa.ArrowException) as raised:
        flight.client(user).query(sql)
    assert [word for word in ("王", "张", "3715", "138") if word in str(raised.value)] == []


ACCOUNTS = [(role, department) for role in roles_of_people() for department in DEPARTMENTS]


@pytest.mark.parametrize(("role", "department"), ACCOUNTS)
def test_every_role_sees_of_every_table_what_it_sees_by_the_wire(flight: Flight, role: str, department: str) -> None:
    account, secret = added(flight, role, department)
    tables = [*seen(flight, account), "quarantine.enterprise_registration", TABLE, "silver.air_quality_hourly"]
    with flight.wire.connect(account.name, secret) as wire, flight.connect(account.name, secret) as adbc_connection:
        for table in tables:
            sql = f"SELECT * FROM {table} ORDER BY ALL"
            assert by_flight(adbc_connection, sql) == by_wire(wire, sql), table


def added(flight: Flight, role: str, department: str) -> tuple[Account, str]:
    database, now, name = flight.wire.database, datetime.now(UTC), f"seen.{role}.{department}"
    Accounts(database).add(Person(name, role, department), now, "unguessable")
    secret = Tokens(database).add(name, "", now, now + timedelta(days=1))[1]
    return next(account for account in Accounts(database).list() if account.name == name), secret


def seen(flight: Flight, account: Account) -> list[str]:
    try:
        return [str(table.name) for table in flight.wire.server.service.tables(account.actor())]
    except Exception:  # the role may not query
        return []


def by_wire(connection: Any, sql: str) -> tuple[list[str], list[tuple[object, ...]]] | str:
    try:
        rows = connection.execute(sql)
    except Exception as error:
        return str(error)
    return [column.name for column in rows.description], rows.fetchall()


def by_flight(connection: Any, sql: str) -> tuple[list[str], list[tuple[object, ...]]] | str:
    with connection.cursor() as cursor:
        try:
            cursor.execute(sql)
        except adbc.Error as error:
            return str(error).partition("[FlightSQL] ")[2].partition(". Detail: ")[0]
        return [column[0] for column in cursor.description], cursor.fetchall()


CHANGES = ["BeginTransaction", "EndTransaction", "BeginSavepoint", "EndSavepoint", "CreatePreparedSubstraitPlan"]


@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_refused_with_the_reason(client: Client, name: str) -> None:
    with pytest.raises(arrow_flight.FlightUnauthorizedError, match="只读"):
        client.act(name, b"")


@pytest.mark.parametrize("name", ["CommandStatementUpdate", "CommandPreparedStatementUpdate", "CommandStatementIngest"])
def test_updates_and_ingestion_are_refused_with_the_reason(client: Client, name: str) -> None:
    descriptor = arrow_flight.FlightDescriptor.for_command(renamed(name))
    with pytest.raises(arrow_flight.FlightUnauthorizedError, match="只读"):
        client.inner.get_flight_info(descriptor, client.options)
    with pytest.raises(arrow_flight.FlightUnauthorizedError, match="只读"):
        put(client, descriptor, pa.table({"a": [1]}))


def test_statements_within_transactions_and_unknown_calls_are_refused(client: Client) -> None:
    with pytest.raises(arrow_flight.FlightUnauthorizedError, match="只读"):
        client.info("CommandStatementQuery", query="SELECT 1", transaction_id=b"1")
    for call in (lambda: client.act("SetSessionOptions"), lambda: client.read(renamed("CommandGetXdbcTypeInfo"))):
        with pytest.raises(arrow_flight.FlightServerError, match="不支持"):
            call()


def renamed(name: str) -> bytes:
    """A command of this name without fields."""
    return packed("CommandGetCatalogs").replace(b"CommandGetCatalogs", name.encode()).replace(
        bytes([len("type.googleapis.com/arrow.flight.protocol.sql.CommandGetCatalogs")]),
        bytes([len(f"type.googleapis.com/arrow.flight.protocol.sql.{name}")]), 1,
    )  # fmt: skip


def put(client: Client, descriptor: Any, table: pa.Table) -> None:
    writer, reader = client.inner.do_put(descriptor, table.schema, client.options)
    with writer:
        writer.write_table(table)
        writer.done_writing()
        reader.read()


def test_tickets_and_statements_of_others_are_refused_like_those_that_do_not_exist(flight: Flight) -> None:
    owner, other = flight.client("owner"), flight.client("analyst")
    ticket = owner.info("CommandStatementQuery", query=f"FROM {TABLE}").endpoints[0].ticket
    handle = prepare(owner, f"FROM {TABLE} WHERE uscc <> ?")
    nothing = packed("TicketStatementQuery", statement_handle=b"0" * 16)
    said = set()
    for of in (ticket, nothing):
        with pytest.raises(arrow_flight.FlightServerError, match="没有这个结果") as raised:
            other.read(of).read_all()
        said.add(str(raised.value))
    assert len(said) == 1
    of_statement: tuple[Callable[[], object], ...] = (
        lambda: other.rows("CommandPreparedStatementQuery", prepared_statement_handle=handle),
        lambda: other.act("ClosePreparedStatement", packed("ActionClosePreparedStatementRequest", prepared_statement_handle=handle)),
        lambda: put(other, command("CommandPreparedStatementQuery", prepared_statement_handle=handle), pa.table({"0": ["x"]})),
        lambda: other.rows("CommandPreparedStatementQuery", prepared_statement_handle=b""),
    )  # fmt: skip
    for call in of_statement:
        with pytest.raises(arrow_flight.FlightServerError, match="没有这条预编译语句"):
            call()
    put(owner, command("CommandPreparedStatementQuery", prepared_statement_handle=handle), pa.table({"0": ["x"]}))
    assert owner.rows("CommandPreparedStatementQuery", prepared_statement_handle=handle).num_rows == 2
    assert owner.read(ticket).read_all().num_rows == 2
    with pytest.raises(arrow_flight.FlightServerError, match="没有这个结果"):
        owner.read(ticket)


def test_an_account_with_another_role_since_has_its_tickets_no_more(flight: Flight) -> None:
    from sqlalchemy import update

    from jobs.serving.account_tables import AccountRow

    account, secret = added(flight, "approver", "hotline_12345")
    ticket = by(flight, secret).info("CommandStatementQuery", query="SELECT 1").endpoints[0].ticket
    with flight.wire.database.session() as session:
        session.execute(update(AccountRow).where(AccountRow.id == account.id).values(department="bureau"))
    with pytest.raises(arrow_flight.FlightUnauthenticatedError, match="账号已变更"):
        by(flight, secret).read(ticket)


def by(flight: Flight, secret: str) -> Client:
    return Client(arrow_flight.connect(flight.url), secret)


LONG = [b"\xff" * MOST_BYTES, b"\0" * (MOST_BYTES + 1), packed("CommandStatementQuery", query="x" * MOST_BYTES)]
CALLS: dict[str, Callable[[Client, bytes], object]] = {
    "GetFlightInfo": lambda client, data: client.inner.get_flight_info(
        arrow_flight.FlightDescriptor.for_command(data), client.options
    ),
    "GetSchema": lambda client, data: client.inner.get_schema(
        arrow_flight.FlightDescriptor.for_command(data), client.options
    ),
    "DoGet": lambda client, data: client.read(data).read_all(),
    "DoPut": lambda client, data: put(client, arrow_flight.FlightDescriptor.for_command(data), pa.table({"a": [1]})),
    **{
        name: lambda client, data, name=name: client.act(name, data)  # type: ignore[misc]
        for name in ("CreatePreparedStatement", "ClosePreparedStatement", "CancelFlightInfo", "CancelQuery")
    },
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("data", LONG, ids=["long", "longer", "long query"])
def test_messages_that_are_too_long_are_refused(client: Client, call: str, data: bytes) -> None:
    with pytest.raises((pa.ArrowException, OSError)) as raised:
        CALLS[call](client, data)
    assert [word for word in SILENT if word in str(raised.value)] == []


WORDS = st.one_of(
    st.binary(max_size=200),
    st.binary(max_size=60).map(lambda data: packed("CommandGetTables", catalog="lake")[:-5] + data),
    st.binary(max_size=60).map(lambda data: packed("TicketStatementQuery", statement_handle=data)),
    st.binary(max_size=60).map(lambda data: packed("ActionCancelQueryRequest", info=data)),
    st.binary(max_size=60).map(lambda data: written("CancelFlightInfoRequest", info=data)),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60).map(
        lambda text: packed("CommandStatementQuery", query=text)
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60).map(
        lambda text: packed("ActionCreatePreparedStatementRequest", query=text)
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60).map(
        lambda text: packed("CommandGetTables", table_name_filter_pattern=text, db_schema_filter_pattern=text)
    ),
)


@pytest.mark.parametrize("call", CALLS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=WORDS)
def test_any_bytes_get_an_answer_or_a_clear_error(client: Client, call: str, data: bytes) -> None:
    try:
        CALLS[call](client, data)
    except (pa.ArrowException, OSError) as error:
        assert [word for word in SILENT if word in str(error)] == []


def test_a_cancel_of_nothing_is_answered(client: Client) -> None:
    (body,) = client.act("CancelFlightInfo", nobodys())
    assert read("CancelFlightInfoResult", body).status == 3


def nobodys() -> bytes:
    endpoint = arrow_flight.FlightEndpoint(packed("TicketStatementQuery", statement_handle=b"1"), [])
    info = arrow_flight.FlightInfo(pa.schema([]), arrow_flight.FlightDescriptor.for_command(b""), [endpoint])
    return written("CancelFlightInfoRequest", info=info.serialize())
