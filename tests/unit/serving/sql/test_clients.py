"""What clients do beyond a plain query: ask about tables, fetch in parts, cancel, prepare, open transactions."""

import asyncio
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import asyncpg
import pandas as pd
import psycopg
import pytest
import sqlalchemy as sa

from jobs.embedded.endpoints import HOST
from tests.unit.serving.sql.city import TABLE
from tests.unit.serving.sql.wire_server import Wire

QUERIES = Path(__file__).parent / "client_queries.sql"
NAME = TABLE.partition(".")[2]
ENDLESS = "SELECT count(*) FROM range(1000000000) a, range(1000000) b"


@pytest.fixture
def connection(wire: Wire) -> Iterator[psycopg.Connection]:
    with wire.connect("analyst", wire.tokens["analyst"]) as made:
        yield made


@pytest.fixture(scope="module")
def engine(wire: Wire) -> Iterator[sa.Engine]:
    address = sa.URL.create("postgresql+psycopg", "analyst", wire.tokens["analyst"], HOST, wire.port, "lake")
    made = sa.create_engine(address.update_query_dict({"sslmode": "disable"}))
    yield made
    made.dispose()


def psql(wire: Wire, *commands: str) -> str:
    program = shutil.which("psql")
    if program is None:
        pytest.skip("psql is not installed")
    words = [word for command in commands for word in ("-c", command)]
    environment = {
        **os.environ,
        "PGPASSWORD": wire.tokens["analyst"],
        "PGSSLMODE": "disable",
        "PGCLIENTENCODING": "UTF8",
    }
    address = ["-X", "-A", "-h", HOST, "-p", str(wire.port), "-U", "analyst", "lake"]
    done = subprocess.run([program, *address, *words], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_psql_describes_databases_schemas_and_tables_with_chinese_titles(wire: Wire) -> None:
    shown = psql(wire, r"\l", r"\dn", r"\dt", r"\dt+", r"\d", rf"\d {TABLE}", rf"\d+ {NAME}")
    assert f"silver|{NAME}|table|lake\n" in shown and "lake|lake|UTF8|" in shown and "quarantine|lake\n" in shown
    assert f'Table "silver.{NAME}"' in shown and "capital_cny|double precision|" in shown and "_marks|text[]|" in shown
    assert "市场主体登记信息" in shown and "|注册资本（元）（L1）\n" in shown
    assert "contact_phone" not in shown and "beyond" not in shown


def test_psql_fetches_in_parts(wire: Wire) -> None:
    assert psql(wire, r"\set FETCH_COUNT 100", "SELECT range FROM range(250)").count("\n") == 252


def test_questions_of_psql_pgjdbc_and_dbeaver_about_tables_are_answered(connection: psycopg.Connection) -> None:
    """As they were recorded; each parameter is null."""
    questions = [q for q in QUERIES.read_text("utf-8").split("\n--\n") if q.strip() and not q.startswith("-- What")]
    assert len(questions) > 70
    for question in questions:
        given = question.replace("%", "%%")
        for number in range(1, question.count("$") + 1):
            given = given.replace(f"${number}", "%s")
        connection.execute(given, [None] * given.replace("%%", "").count("%s"))  # type: ignore[call-overload]


def test_the_catalogue_lists_the_tables_of_the_reader_and_opens_nothing_else(connection: psycopg.Connection) -> None:
    names = connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'silver'"
    ).fetchall()
    assert {name for (name,) in names} == {NAME, "air_quality_hourly"}
    columns = connection.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass", (TABLE,)).fetchall()
    assert {name for (name,) in columns} >= {"uscc", "_marks"} and ("contact_phone",) not in columns
    for sql in (
        "SELECT c.relname FROM pg_catalog.pg_class c, read_text('/etc/passwd') t",
        "SELECT * FROM pg_catalog.pg_class, duckdb_settings()",
        f"SELECT * FROM pg_catalog.pg_class, {TABLE}",
        "SELECT * FROM pg_authid",
    ):
        with pytest.raises(psycopg.Error):
            connection.execute(sql)  # type: ignore[call-overload]


def test_a_table_is_found_without_its_schema(connection: psycopg.Connection) -> None:
    assert connection.execute("SHOW search_path").fetchone() == ("silver, gold, results",)
    assert connection.execute(f"SELECT count(*) FROM {NAME} JOIN rules ON true WHERE uscc <> ''").fetchone()
    with pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT * FROM duckdb_tables")


def test_pandas_and_sqlalchemy_read_tables_and_their_comments(engine: sa.Engine) -> None:
    inspector = sa.inspect(engine)
    assert inspector.get_table_names("silver") == ["air_quality_hourly", NAME]
    columns = {column["name"]: column for column in inspector.get_columns(NAME, "silver")}
    assert str(columns["capital_cny"]["type"]) == "DOUBLE PRECISION"
    assert columns["capital_cny"]["comment"] == "注册资本（元）（L1）"
    assert pd.read_sql_table(NAME, engine, schema="silver").shape == (2, 6)
    rows = pd.read_sql(sa.text(f"SELECT uscc FROM {TABLE} WHERE capital_cny > :least"), engine, params={"least": 1.5})
    assert rows.to_dict("list") == {"uscc": ["91371500MA3C00001X"]}
    with engine.connect().execution_options(stream_results=True) as streamed:
        assert [len(part) for part in pd.read_sql("SELECT * FROM range(25)", streamed, chunksize=10)] == [10, 10, 5]


def test_asyncpg_sends_and_reads_binary_values(wire: Wire) -> None:
    sql = (
        "SELECT $1::BIGINT, $2::DATE, $3::TIMESTAMPTZ, $4::DECIMAL(9, 2), $5::BOOLEAN, $6::VARCHAR, $7::DOUBLE, "
        "TIME '10:20:30', ['文', NULL], 12345678901234567890::HUGEINT, 0.0001::DECIMAL(9, 4), INTERVAL 25 HOUR"
    )
    at = datetime(2026, 1, 12, tzinfo=UTC)
    given = (5, at.date(), at, Decimal("-12345.25"), True, "文", 2.5)

    async def ask() -> tuple[list[object], int, int]:
        client = await asyncpg.connect(
            host=HOST, port=wire.port, user="analyst", password=wire.tokens["analyst"], database="lake", ssl=False
        )
        row = list((await client.fetchrow(sql, *given)).values())
        rows = await client.fetch(
            f"SELECT uscc FROM {TABLE} WHERE capital_cny > $1 AND uscc <> $2 LIMIT $3", 1.5, "x", 9
        )
        async with client.transaction():
            fetched = [one async for one in client.cursor("SELECT * FROM range(250)", prefetch=100)]
        await client.close()
        return row, len(rows), len(fetched)

    row, rows, fetched = asyncio.run(ask())
    assert tuple(row[:7]) == given and (rows, fetched) == (1, 250)
    assert row[8:11] == [["文", None], Decimal("12345678901234567890"), Decimal("0.0001")]
    assert (str(row[7]), str(row[11])) == ("10:20:30", "1 day, 1:00:00")


def test_cursors_are_read_forward_and_end_with_their_transaction(wire: Wire) -> None:
    with psycopg.connect(**wire.address("analyst")) as client:  # type: ignore[arg-type]
        with client.cursor(name="some") as cursor:
            cursor.execute("SELECT range FROM range(%s)", (250,))
            assert (cursor.fetchmany(2), cursor.fetchone(), len(cursor.fetchall())) == ([(0,), (1,)], (2,), 247)
        client.execute("DECLARE gone CURSOR FOR SELECT 1")
        client.execute("DECLARE held CURSOR WITH HOLD FOR SELECT 1")
        client.commit()
        assert client.execute("FETCH ALL FROM held").fetchall() == [(1,)]
        with pytest.raises(psycopg.errors.UndefinedTable, match="游标"):
            client.execute("FETCH NEXT FROM gone")


@pytest.mark.parametrize(
    "sql", ["DECLARE c CURSOR FOR SELECT * FROM read_text('/etc/passwd')", "DECLARE c CURSOR FOR DELETE FROM x", "FETCH BACKWARD 1 FROM c",
     "DECLARE c CURSOR FOR " * 4000 + "SELECT 1", "SHOW" + " " * 90_000 + "!", "FETCH c" + " " * 90_000 + "!"]
)  # fmt: skip
def test_a_cursor_opens_nothing_that_a_query_does_not(connection: psycopg.Connection, sql: str) -> None:
    with pytest.raises(psycopg.Error):
        connection.execute(sql)  # type: ignore[call-overload]


def test_a_query_is_cancelled_by_those_who_know_its_secret(wire: Wire, connection: psycopg.Connection) -> None:
    began = threading.Event()
    errors: list[str] = []

    def ask() -> None:
        began.set()
        try:
            connection.execute(ENDLESS)  # type: ignore[call-overload]
        except psycopg.errors.QueryCanceled as error:
            errors.append(str(error))

    asking = threading.Thread(target=ask)
    asking.start()
    began.wait()
    wire.server.cancel(connection.info.backend_pid, b"none")
    while asking.is_alive():
        connection.cancel_safe(timeout=5)
        asking.join(0.1)
    assert errors == ["cancelled / 查询已取消"]
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_transactions_and_settings_are_accepted_and_change_nothing(wire: Wire, connection: psycopg.Connection) -> None:
    with connection.transaction(), connection.transaction():
        assert connection.execute("SELECT 1").fetchone() == (1,)
    for setting in (
        "SET search_path = silver",
        "SET extra_float_digits = 3",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    ):
        connection.execute(setting)  # type: ignore[call-overload]
    assert connection.execute("SHOW extra_float_digits").fetchone() == ("3",)
    assert connection.execute("SHOW transaction isolation level").fetchone() == ("read committed",)
    both = connection.execute("BEGIN; SELECT 2")
    assert both.nextset() and both.fetchone() == (2,)
    both = connection.execute("""DECLARE "a" CURSOR WITH HOLD FOR SELECT ';' AS x; FETCH 100 IN "a\"""")
    assert both.nextset() and both.fetchone() == (";",)
    with pytest.raises(psycopg.Error):
        connection.execute("SELECT 1; SELECT 2")


def test_values_are_compared_with_columns_of_their_type(wire: Wire) -> None:
    with wire.connect("analyst", wire.tokens["analyst"], prepare_threshold=0) as client:
        sql = "SELECT %s = DATE '2026-01-12', %s = 1.25::DECIMAL(9, 2), %s = '文'"
        for _ in range(2):
            assert client.execute(sql, (date(2026, 1, 12), Decimal("1.25"), "文")).fetchone() == (True, True, True)
        for mark in ("%s", "%b"):
            sql = f"SELECT 2 = ANY({mark}), 'b,\"' = ANY({mark}), 2.5 = ANY({mark})"
            assert client.execute(sql, ([1, 2], ["a", 'b,"', None], [2.5])).fetchone() == (True, True, True)  # type: ignore[call-overload]
