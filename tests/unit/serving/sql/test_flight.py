"""Arrow Flight SQL as ADBC's driver, pandas and polars use it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import adbc_driver_manager as adbc
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from adbc_driver_flightsql import StatementOptions, dbapi

from jobs.lake.zones import Zone
from jobs.serving.sql.flight.schemas import arrow_type, table_schema
from jobs.serving.sql.query_log import QueryLog
from tests.unit.serving.sql.city import ANALYST, IDENTITIES, TABLE
from tests.unit.serving.sql.flight_server import Flight
from tests.unit.serving.sql.test_account_limits import ENDLESS

DATASET = TABLE.partition(".")[2]


@pytest.fixture
def connection(flight: Flight) -> Iterator[dbapi.Connection]:
    with flight.connect("analyst") as opened:
        yield opened


@pytest.fixture
def cursor(connection: dbapi.Connection) -> Iterator[dbapi.Cursor]:
    with connection.cursor() as opened:
        yield opened


def metadata_of(table: pa.Table) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}


def test_rows_are_masked_and_the_schema_has_titles_units_grade_and_the_id_in_the_log(
    flight: Flight, cursor: dbapi.Cursor
) -> None:
    cursor.execute(f"SELECT legal_rep_name, capital_cny, _marks, capital_cny * 2 AS twice FROM {TABLE} ORDER BY uscc")
    table = cursor.fetch_arrow_table()
    assert [list(row.values()) for row in table.to_pylist()] == [
        ["张**", None, None, None],
        ["王**", 100.5, ["致电159****2345"], 201.0],
    ]
    own = {name: table.schema.field(name).metadata or {} for name in table.column_names}
    assert own["capital_cny"] == {
        **{b"lake.title": "注册资本".encode(), b"lake.unit": "元".encode(), b"lake.grade": b"L1"},
    }
    assert own["legal_rep_name"][b"lake.grade"] == b"L3" and own["twice"] == {}
    about = metadata_of(table)
    assert (about["lake.grade"], about["lake.rows"], about["lake.cut"]) == ("L3", "2", "false")
    assert about["lake.notice"].startswith("本结果涉及的最高分级：L3 敏感，敏感字段已脱敏。查询编号 ")
    entry = QueryLog(flight.wire.database).entries(1, 1)[0][0]
    assert (entry.id, entry.way, entry.outcome, entry.rows) == (about["lake.query"], "flight", "answered", 2)
    assert entry.actor.name == "某人（analyst）"


def test_an_answer_that_is_cut_says_so_in_schema_and_notice(flight: Flight, cursor: dbapi.Cursor) -> None:
    most = flight.wire.server.service.settings.sql_rows
    for rows, is_cut in ((most, "false"), (most + 1, "true")):
        cursor.execute(f"FROM range({rows})")
        table = cursor.fetch_arrow_table()
        assert table.num_rows == most and metadata_of(table)["lake.cut"] == is_cut
        assert (f"只返回前 {most:,} 行" in metadata_of(table)["lake.notice"]) == (is_cut == "true")
    info = flight.client("analyst").info("CommandStatementQuery", query=f"FROM range({most + 1})")
    assert info.total_records == most and '"lake.cut": "true"' in info.app_metadata.decode()
    assert info.schema.metadata[b"lake.cut"] == b"true"


def test_a_slow_answer_has_the_same_metadata(
    flight: Flight, cursor: dbapi.Cursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flight.server, "wait_s", 0.0)
    info = flight.client("analyst").info("CommandStatementQuery", query="SELECT 1 AS n")
    assert info.schema is None and info.total_records == -1
    cursor.execute(f"SELECT capital_cny FROM {TABLE}")
    table = cursor.fetch_arrow_table()
    assert metadata_of(table)["lake.cut"] == "false" and metadata_of(table)["lake.grade"] == "L1"
    assert table.schema.field("capital_cny").metadata[b"lake.unit"].decode() == "元"


def test_parameters_of_all_types_arrive(cursor: dbapi.Cursor) -> None:
    values = [1, 2.5, "文'; --", True, None, date(2026, 1, 12), datetime(2026, 1, 12, 8, 0, 0, 500_000)]
    values += [datetime(2026, 1, 12, tzinfo=UTC), Decimal("1.25"), b"\x00\xff"]
    cursor.execute(f"SELECT {', '.join(f'? AS c{n}' for n in range(len(values)))}", values)
    assert cursor.fetchall() == [tuple(values)]
    cursor.execute("SELECT ?::BIGINT + 1, '?' -- ?", (41,))
    assert cursor.fetchall() == [(42, "?")]
    cursor.execute("SELECT $2 || $1", ("a", "b"))
    assert cursor.fetchall() == [("ba",)]
    cursor.execute("SELECT 2 = ANY(?)", (pa.record_batch({"0": pa.array([[1, 2]])})))
    assert cursor.fetchall() == [(True,)]


def test_a_prepared_statement_is_run_again_with_other_values_and_a_guess_finds_nothing(cursor: dbapi.Cursor) -> None:
    sql = f"SELECT count(*) FROM {TABLE} WHERE coalesce(capital_cny, 100) > ? AND uscc <> ?"
    for least, expected in ((0, 2), (101, 0)):
        cursor.execute(sql, (least, "' OR 1=1"))
        assert cursor.fetchone() == (expected,)
    cursor.execute(f"SELECT count(*) FROM {TABLE} WHERE legal_rep_id_no = ?", (IDENTITIES[0],))
    assert cursor.fetchone() == (0,)


def test_parameters_are_typed_by_the_columns_that_they_are_compared_with(connection: dbapi.Connection) -> None:
    with connection.cursor() as cursor:
        schema = cursor.adbc_prepare(f"SELECT 1 FROM {TABLE} WHERE capital_cny > ? AND uscc = ? LIMIT ?")
    assert [field.type for field in schema] == [pa.float64(), pa.string(), pa.int64()]


def test_more_than_one_row_of_parameters_is_refused(cursor: dbapi.Cursor) -> None:
    with pytest.raises(adbc.Error, match="参数须为一行"):
        cursor.execute("SELECT ?", pa.record_batch({"0": [1, 2]}))
    with pytest.raises(adbc.Error, match="参数"):
        cursor.execute("SELECT ?")
        cursor.fetchall()


@pytest.mark.parametrize(
    "values", [pa.array([2**62], pa.timestamp("s")), pa.array([b"x" * 2_000_000]),
               pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe"))],
    ids=["no moment", "too long", "no text"],
)  # fmt: skip
def test_a_parameter_that_cannot_be_read_is_refused(cursor: dbapi.Cursor, values: pa.Array) -> None:
    with pytest.raises(adbc.Error, match="参数"):
        cursor.execute("SELECT ?", pa.record_batch({"0": values}))


def test_large_answers_come_in_batches(cursor: dbapi.Cursor) -> None:
    cursor.execute("SELECT range AS n, repeat('文', 1000) AS words FROM range(20000)")
    sizes = [(batch.num_rows, batch.nbytes) for batch in cursor.fetch_record_batch()]
    assert sum(rows for rows, _ in sizes) == 20_000
    assert len(sizes) > 5 and max(size for _, size in sizes) < 16 << 20


def test_tables_are_listed_with_columns_titles_and_keys(flight: Flight, connection: dbapi.Connection) -> None:
    assert connection.adbc_get_table_types() == ["TABLE"]
    assert connection.adbc_get_info()["vendor_name"] == "city-lake"
    (catalog,) = connection.adbc_get_objects(depth="all").read_all().to_pylist()
    found = {
        s["db_schema_name"]: {t["table_name"]: t for t in s["db_schema_tables"]} for s in catalog["catalog_db_schemas"]
    }
    assert catalog["catalog_name"] == "lake" and set(found) == {"silver", "gold", "results", "quarantine", "marked"}
    columns = [column["column_name"] for column in found["silver"][DATASET]["table_columns"]]
    assert columns == ["uscc", "legal_rep_name", "legal_rep_id_no", "capital_cny", "remark", "_marks"]
    narrow = connection.adbc_get_objects(depth="tables", db_schema_filter="sil%", table_name_filter="enter_rise%")
    (one,) = narrow.read_all().to_pylist()[0]["catalog_db_schemas"][0]["db_schema_tables"]
    assert one["table_name"] == DATASET
    schema = connection.adbc_get_table_schema(DATASET, db_schema_filter="silver")
    assert schema.metadata[b"lake.title"].decode() == "市场主体登记信息"
    assert schema.field("uscc").metadata[b"ARROW:FLIGHT:SQL:REMARKS"].decode() == "统一社会信用代码（L1）"
    (key,) = flight.client("analyst").rows("CommandGetPrimaryKeys", table=DATASET).to_pylist()
    assert (key["db_schema_name"], key["column_name"], key["key_sequence"]) == ("silver", "uscc", 1)
    for name in ("CommandGetImportedKeys", "CommandGetExportedKeys"):
        assert flight.client("analyst").rows(name, table=DATASET).num_rows == 0


def test_the_listed_types_are_those_of_the_rows(flight: Flight) -> None:
    service = flight.wire.server.service
    for table in service.tables(ANALYST):
        rows = service.ask(ANALYST, f"FROM {table.name}", "test").table
        listed = table_schema(table, service.columns(table), service.settings.timezone)
        assert listed.equals(rows.schema), f"{listed.to_string(show_field_metadata=False)}\n{rows.schema}"
    assert arrow_type("DECIMAL(9,2)", "UTC") == pa.decimal128(9, 2)
    assert {Zone.SILVER, Zone.RESULTS} <= {table.name.schema for table in service.tables(ANALYST)}


def test_schema_of_a_statement_comes_without_running_it(flight: Flight) -> None:
    client = flight.client("analyst")
    before = QueryLog(flight.wire.database).entries(1, 1)[1]
    schema = client.schema("CommandStatementQuery", query=f"SELECT legal_rep_name AS name, capital_cny FROM {TABLE}")
    assert schema.names == ["name", "capital_cny"] and schema.metadata[b"lake.grade"] == b"L3"
    assert QueryLog(flight.wire.database).entries(1, 1)[1] == before
    tables = client.schema("CommandGetTables", include_schema=True)
    assert tables.field("table_schema").type == pa.binary() and not tables.field("table_schema").nullable
    with flight.connect("analyst") as connection, connection.cursor() as cursor:
        assert cursor.adbc_execute_schema(f"SELECT capital_cny FROM {TABLE} WHERE uscc = ?").names == ["capital_cny"]
    described = client.schema("CommandStatementQuery", query="SHOW TABLES")
    assert described.names == ["schema", "table", "title", "department"]


def test_pandas_and_polars_read(connection: dbapi.Connection, flight: Flight) -> None:
    sql = f"SELECT uscc, legal_rep_name, capital_cny FROM {TABLE} ORDER BY uscc"
    frame = pd.read_sql(sql, connection)
    assert frame["legal_rep_name"].to_list() == ["张**", "王**"] and frame["capital_cny"].to_list()[1] == 100.5
    assert pl.read_database(sql, connection)["legal_rep_name"].to_list() == ["张**", "王**"]
    batches = pl.read_database(sql, connection, iter_batches=True, batch_size=1)
    assert sum(len(batch) for batch in batches) == 2


@pytest.mark.parametrize("wait_s", [600.0, 0.0], ids=["while it asks", "while it reads"])
def test_a_cancelled_cursor_stops_its_query(flight: Flight, monkeypatch: pytest.MonkeyPatch, wait_s: float) -> None:
    monkeypatch.setattr(flight.server, "wait_s", wait_s)
    with flight.connect("analyst") as connection, connection.cursor() as cursor, ThreadPoolExecutor() as pool:
        asking = pool.submit(lambda: (cursor.execute(ENDLESS), cursor.fetchall()))
        (kept,) = running(flight)
        while not (
            wait_s or kept.is_read
        ):  # a cursor that is cancelled between its two calls leaves the query to its time limit
            pass
        while not asking.done():
            cursor.adbc_cancel()
        with pytest.raises(adbc.Error, match=r"(?i:cancel)"):
            asking.result()
        assert "查询已取消" in str(kept.future.exception())
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("action", ["CancelFlightInfo", "CancelQuery"])
def test_a_query_is_cancelled_by_its_ticket_and_by_its_owner_alone(
    flight: Flight, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setattr(flight.server, "wait_s", 0.0)
    info = flight.client("analyst").info("CommandStatementQuery", query=ENDLESS)
    (kept,) = running(flight)
    assert cancel(flight, "owner", action, info) == 3 and not kept.stop.is_cancelled
    assert cancel(flight, "analyst", action, info) == 1
    assert "查询已取消" in str(kept.future.exception())
    assert cancel(flight, "analyst", action, info) == 3
    with pytest.raises(pa.ArrowException, match="没有这个结果"):
        flight.client("analyst").read(info.endpoints[0].ticket).read_all()


def running(flight: Flight) -> list[Any]:
    """The queries that run, once there is one."""
    while not (found := [kept for kept in list(flight.server.answers._kept.values()) if not kept.future.done()]):
        pass
    return found


def cancel(flight: Flight, user: str, action: str, info: Any) -> int:
    from jobs.serving.sql.flight import messages

    client = flight.client(user)
    if action == "CancelQuery":
        (body,) = client.act(action, messages.packed("ActionCancelQueryRequest", info=info.serialize()))
        return int(messages.unpacked(body)[1].result)
    (body,) = client.act(action, messages.written("CancelFlightInfoRequest", info=info.serialize()))
    return int(messages.read("CancelFlightInfoResult", body).status)


def test_a_query_that_reads_very_much_runs_when_a_header_allows_it(
    flight: Flight, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = flight.wire.server.service
    monkeypatch.setattr(service._large, "_settings", service.settings.model_copy(update={"sql_read": "1KB"}))
    with flight.connect("analyst") as connection, connection.cursor() as cursor:
        with pytest.raises(adbc.Error, match="允许大查询"):
            cursor.execute(f"FROM {TABLE}")
        header = {f"{StatementOptions.RPC_CALL_HEADER_PREFIX.value}lake-large": "on"}
        cursor.adbc_statement.set_options(**header)
        cursor.execute(f"FROM {TABLE}")
        assert len(cursor.fetchall()) == 2
