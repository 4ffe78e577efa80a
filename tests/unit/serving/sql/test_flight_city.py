"""Flight SQL over the contracts of the city: the notebook that asks by ADBC runs to its last cell, and references are keys."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import nbformat
import pyarrow as pa
import pytest

from jobs.embedded.endpoints import HOST
from jobs.lake.database import Database
from jobs.lake.table_schema import arrow_schema
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.serving.accounts import Accounts, Person
from jobs.serving.sql.flight.catalogue import rows_of
from jobs.serving.sql.flight.messages import packed, unpacked
from jobs.serving.sql.flight.server import FlightSqlServer
from jobs.serving.sql.logins import Logins
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.tokens import Tokens
from jobs.settings import PROJECT
from tests.unit.lake.local_lake import LocalLake
from tests.unit.serving.portal.portal_city import shipped

BOOK = PROJECT / "docs" / "notebooks" / "adbc.ipynb"
PRODUCT = "air_quality_day"


@pytest.fixture
def login(state: Database, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A server with two days of one product, and how the notebook finds it."""
    lake, cat, now = LocalLake(tmp_path), shipped(), datetime.now(UTC)
    rows = [
        {
            "day": date(2026, 1, day),
            "device_id": "A1",
            "device_name": "东昌府",
            "aqi_day": 60 + day,
            "pm25_mean_ug_m3": 35.5,
        }
        for day in (12, 13)
    ]
    schema = arrow_schema(cat.contract(PRODUCT).fields)
    lake.delta.put(lake.path(Zone.GOLD, PRODUCT), pa.Table.from_pylist(rows, schema=schema))
    Accounts(state).add(Person("zhangsan", "analyst", "bureau", "张三"), now, "unguessable")
    service = SqlService(lake, state, lambda: cat)  # type: ignore[arg-type]
    server = FlightSqlServer((HOST, 0), service, Logins(state, lambda: datetime.now(UTC)))
    token = Tokens(state).add("zhangsan", "", now, now + timedelta(days=1))[1]
    url = f"grpc://{HOST}:{server.port}"
    yield {"LAKE_SQL_FLIGHT_URL": url, "LAKE_SQL_ACCOUNT": "zhangsan", "LAKE_SQL_TOKEN": token}
    server.close()
    service.close()


def test_references_of_contracts_are_foreign_keys_where_both_tables_may_be_read(
    state: Database, tmp_path: Path
) -> None:
    lake, cat = LocalLake(tmp_path), shipped()
    fields = [(contract, field) for contract in cat.sources() for field in contract.fields if field.reference]
    contract, field = fields[0]
    to, _, column = str(field.reference).partition(".")
    lake.delta.put(lake.path(Zone.SILVER, contract.id), pa.table({field.name: ["x"]}))
    service = SqlService(lake, state, lambda: cat)  # type: ignore[arg-type]
    calls = {
        "CommandGetImportedKeys": {"table": contract.id},
        "CommandGetExportedKeys": {"table": to, "db_schema": "silver"},
    }
    calls["CommandGetCrossReference"] = {"pk_table": to, "fk_table": contract.id}

    def keys(name: str) -> list[tuple[str, ...]]:
        rows = rows_of(service, Actor("analyst", "bureau", "周"), *unpacked(packed(name, **calls[name]))).to_pylist()
        return [(r["pk_table_name"], r["pk_column_name"], r["fk_table_name"], r["fk_column_name"]) for r in rows]

    assert [keys(name) for name in calls] == [[], [], []]
    lake.delta.put(lake.path(Zone.SILVER, to), pa.table({column: ["x"]}))
    service.close()
    service = SqlService(lake, state, lambda: cat)  # type: ignore[arg-type]
    assert [keys(name) for name in calls] == [[(to, column, contract.id, field.name)]] * 3
    service.close()


def test_every_cell_runs(
    login: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in login.items():
        monkeypatch.setenv(name, value)
    names: dict[str, object] = {}
    book = nbformat.reads(BOOK.read_text("utf-8"), as_version=nbformat.NO_CONVERT)
    for cell in book.cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, cell.id, "exec"), names)
    assert names["rows"] == 2 and {"schema": "gold", "table": PRODUCT} in names["listed"]  # type: ignore[operator]
    unit = shipped().contract(PRODUCT).field("pm25_mean_ug_m3").unit
    shown = names["fields"](names["days"].schema)  # type: ignore[operator,attr-defined]
    assert unit and dict(zip(shown["name"], shown["unit"], strict=True))["pm25_mean_ug_m3"] == unit
    assert "本结果涉及的最高分级" in capsys.readouterr().out
    with pytest.raises(ValueError, match="结果不完整"):
        cut = names["days"].replace_schema_metadata({"lake.notice": "", "lake.cut": "true", "lake.rows": "2"})  # type: ignore[attr-defined]
        names["whole"](cut)  # type: ignore[operator]
