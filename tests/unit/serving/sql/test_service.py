"""Questions through the service: grades, notices, versions, the log, limits."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.errors import NotAllowed, UserError
from jobs.lake.database import Database
from jobs.lake.zones import Zone
from jobs.model.actor import SYSTEM
from jobs.serving.access_log import AccessLog
from jobs.serving.sql import engine as engine_module
from jobs.serving.sql.limits import Limits
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.snapshot import Snapshots
from tests.unit.lake.local_lake import DATASET, LocalLake
from tests.unit.serving.sql.city import ANALYST, OWNER, STRANGER, TABLE, asked_lake

OTHER = "silver.air_quality_hourly"


@pytest.fixture
def lake(tmp_path: Path) -> LocalLake:
    return asked_lake(tmp_path)[0]


@pytest.fixture
def service(lake: LocalLake, tmp_path: Path, state: Database) -> Iterator[SqlService]:
    _, cat = asked_lake(tmp_path / "contracts_only")
    made = SqlService(lake, state, lambda: cat)  # type: ignore[arg-type]
    made._snapshots = Snapshots(lake.delta, fresh_s=0)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("sql", "grade"),
    [
        ("SELECT 1", "L1"),
        (f"SELECT count(*) FROM {TABLE}", "L1"),
        (f"SELECT uscc FROM {TABLE}", "L1"),
        (f"SELECT uscc, remark FROM {TABLE}", "L2"),
        (f"SELECT legal_rep_name FROM {TABLE}", "L3"),
        (f"SELECT contact_phone FROM {TABLE}", "L4"),
        (f"SELECT * FROM {TABLE}", "L4"),
        (f"SELECT count(*) FROM {TABLE} WHERE contact_phone LIKE '1%'", "L4"),
        (f"SELECT uscc FROM {TABLE} ORDER BY legal_rep_name", "L3"),
        (f"SELECT count(*) FROM {TABLE} GROUP BY legal_rep_name HAVING max(contact_phone) > ''", "L4"),
        (f"SELECT 1 WHERE EXISTS (SELECT 1 FROM {TABLE} WHERE contact_phone > '')", "L4"),
        (f"SELECT t FROM {TABLE} t", "L4"),
        (f"SELECT any_value(t) FROM {TABLE} t", "L4"),
        (f"SELECT a.t FROM (SELECT t FROM {TABLE} t) a", "L4"),
        (f"SELECT COLUMNS('u.*') FROM {TABLE}", "L4"),
        (f"SELECT #4 FROM {TABLE}", "L4"),
        (f"SELECT 1 FROM {TABLE} NATURAL JOIN {TABLE} b", "L4"),
        (f"SELECT 1 FROM {TABLE} a JOIN {TABLE} b USING (contact_phone)", "L4"),
        (f"SELECT a FROM {TABLE} AS t(a, b)", "L4"),
        (f"WITH a AS (SELECT uscc FROM {TABLE}) SELECT * FROM a", "L1"),
        (f"SELECT row_number() OVER (PARTITION BY contact_phone) FROM {TABLE}", "L4"),
        (f"SELECT count(*) FILTER (WHERE contact_phone IS NULL) FROM {TABLE}", "L4"),
    ],
)  # fmt: skip
def test_the_grade_is_that_of_all_columns_touched(asked: SqlService, sql: str, grade: str) -> None:
    answer = asked.ask(OWNER, sql, "test")
    assert answer.grade.name == grade
    assert answer.grade.datasets == ((DATASET,) if grade >= "L3" else ())


def test_the_notice_says_whether_values_are_masked(asked: SqlService) -> None:
    sql = f"SELECT legal_rep_name FROM {TABLE}"
    assert asked.ask(ANALYST, sql, "test").grade.notice() == "本结果涉及的最高分级：L3 敏感，敏感字段已脱敏"
    assert "未脱敏" in asked.ask(OWNER, sql, "test").grade.notice()
    assert asked.ask(ANALYST, "SELECT 1", "test").grade.notice() == "本结果涉及的最高分级：L1 公开"


def test_each_question_is_logged_and_what_is_shown_unmasked_is_in_the_chain(
    service: SqlService, state: Database
) -> None:
    service.ask(ANALYST, f"SELECT legal_rep_name FROM {TABLE}", "test")
    shown = service.ask(OWNER, f"SELECT legal_rep_name FROM {TABLE}", "test")
    with pytest.raises(UserError):
        service.ask(STRANGER, f"SELECT * FROM {TABLE}", "test")
    entries, total = service.log.entries(1, 10)
    assert total == 3
    assert {(e.actor, e.outcome, e.grade, e.rows, e.tables, e.is_sensitive) for e in entries} == {
        (ANALYST, "answered", "L3", 2, (f"{TABLE}@1",), False),
        (OWNER, "answered", "L3", 2, (f"{TABLE}@1",), True),
        (STRANGER, "refused", "", 0, (), False),
    }
    accesses, number = AccessLog(state).rows(1, 10)
    assert number == 1
    assert (accesses[0].access.object, accesses[0].access.grade) == (f"查询 {shown.id}", "L3")
    assert AccessLog(state).verified().broken is None


def test_roles_without_the_right_are_refused(asked: SqlService) -> None:
    with pytest.raises(NotAllowed):
        asked.ask(SYSTEM, "SELECT 1", "test")


@pytest.mark.parametrize("clause", ["AT (VERSION => 0)", "VERSION AS OF 0", "FOR VERSION AS OF 0"])
def test_an_earlier_version_is_named_behind_the_table(asked: SqlService, clause: str) -> None:
    assert asked.ask(ANALYST, f"SELECT * FROM {TABLE} {clause}", "test").table.num_rows == 1
    assert asked.ask(ANALYST, f"SELECT * FROM {TABLE} {clause} UNION ALL FROM {TABLE}", "test").table.num_rows == 3


def test_a_moment_names_the_version_of_that_time(asked: SqlService) -> None:
    sql = f"SELECT * FROM {TABLE} AT (TIMESTAMP => '{{}}')"
    assert asked.ask(ANALYST, sql.format("2099-01-01 00:00:00"), "test").table.num_rows == 2
    with pytest.raises(UserError, match="没有这个版本"):
        asked.ask(ANALYST, sql.format("2001-01-01"), "test")
    with pytest.raises(UserError, match="时间写法"):
        asked.ask(ANALYST, sql.format("yesterday"), "test")


@pytest.mark.parametrize("version", [2, 99])
def test_a_version_that_does_not_exist_is_refused(asked: SqlService, version: int) -> None:
    with pytest.raises(UserError, match="最新为 1"):
        asked.ask(ANALYST, f"SELECT * FROM {TABLE} AT (VERSION => {version})", "test")


def test_a_new_version_is_seen_and_a_new_column_is_null_in_older_files(service: SqlService, lake: LocalLake) -> None:
    sql = f"SELECT remark, capital_cny FROM {OTHER} ORDER BY capital_cny"
    assert service.ask(ANALYST, sql, "test").table.num_rows == 3
    from deltalake import write_deltalake

    url = lake.delta.url(lake.path(Zone.SILVER, "air_quality_hourly"))
    write_deltalake(url, pa.table({"capital_cny": [9.0], "_file": ["a.csv"]}), mode="append", schema_mode="merge")
    answer = service.ask(ANALYST, f"SELECT remark, capital_cny, _file FROM {OTHER} ORDER BY capital_cny", "test")
    assert answer.table.to_pylist()[2:] == [
        {"remark": "丙", "capital_cny": 3.0, "_file": None},
        {"remark": None, "capital_cny": 9.0, "_file": "a.csv"},
    ]


def test_partition_values_are_columns(service: SqlService, lake: LocalLake) -> None:
    path = lake.path(Zone.GOLD, "none")
    odd = ["东 区/50%", "a=b", "__x", None]
    lake.delta.put(path, pa.table({"remark": odd, "capital_cny": [1.0, 2.0, 3.0, 4.0]}), partition_by=["remark"])
    snapshot = Snapshots(lake.delta).newest(path)
    assert snapshot is not None and snapshot.is_plain and snapshot.partitions == ("remark",)
    table = next(iter(service.tables(ANALYST)))
    database = service._engines.get("other", [path], Limits(60, 100, "100MB", 1))
    name = database.ensure(replace(table, name=replace(table.name, table="none")), path, snapshot)
    rows = database.rows(f'SELECT remark FROM silver."{name}" ORDER BY capital_cny').table
    assert rows["remark"].to_pylist() == odd


def test_a_table_that_files_do_not_hold_is_copied(service: SqlService, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = service.ask(ANALYST, f"FROM {TABLE}", "test").table
    original = Snapshots.version
    monkeypatch.setattr(Snapshots, "version", lambda *a: replace(original(*a), is_plain=False))  # type: ignore[type-var]
    copied = service.ask(STRANGER, f"SELECT count(*) FROM {OTHER} AT (VERSION => 0)", "test").table
    assert copied.to_pylist() == [{"count_star()": 3}]
    plan = service.ask(OWNER, f"EXPLAIN FROM {TABLE} AT (VERSION => 1)", "test").table
    assert plan["engine"].to_pylist() == ["delta-rs + duckdb"] and expected.num_rows == 2
    monkeypatch.setattr(engine_module, "MOST_COPIED_ROWS", 1)
    with pytest.raises(UserError, match="lake sql"):
        service.ask(ANALYST, f"FROM {OTHER} AT (VERSION => 0)", "test")


def test_explain_says_what_would_be_read(asked: SqlService) -> None:
    (row,) = asked.ask(ANALYST, f"EXPLAIN SELECT legal_rep_name FROM {TABLE}", "test").table.to_pylist()
    assert row.pop("bytes") > 0
    assert row == {"table": TABLE, "version": 1, "engine": "duckdb", "files": 2, "rows": 2, "grade": "L3", "note": ""}


def test_tables_and_columns_are_listed_with_titles_and_units(asked: SqlService) -> None:
    listed = asked.ask(ANALYST, "SHOW TABLES", "test").table.to_pylist()
    assert {
        "schema": "silver",
        "table": DATASET,
        "title": "市场主体登记信息",
        "department": "聊城市市场监督管理局",
    } in listed
    assert [row["schema"] for row in asked.ask(STRANGER, "SHOW TABLES", "test").table.to_pylist()] == [
        "silver", "results", "results", "marked",
    ]  # fmt: skip
    columns = {row["column"]: row for row in asked.ask(ANALYST, f"DESCRIBE {TABLE}", "test").table.to_pylist()}
    assert set(columns) == {"uscc", "legal_rep_name", "legal_rep_id_no", "capital_cny", "remark", "_marks"}
    assert (columns["capital_cny"]["comment"], columns["capital_cny"]["unit"]) == ("注册资本（元）", "元")
    assert columns["legal_rep_name"]["mask"] == "只显示首尾"


def test_parameters_are_values_and_never_sql(asked: SqlService) -> None:
    sql = f"SELECT count(*) AS n FROM {TABLE} WHERE uscc = $1"
    assert asked.ask(ANALYST, sql, "test", ["91371500MA3C00001X"]).table["n"].to_pylist() == [1]
    assert asked.ask(ANALYST, sql, "test", ["' OR 1=1 --"]).table["n"].to_pylist() == [0]
    with pytest.raises(UserError, match="参数"):
        asked.ask(ANALYST, sql, "test")


def test_the_engine_itself_is_locked(asked: SqlService) -> None:
    database = asked._engine(ANALYST, asked._readable(ANALYST))
    for sql in (
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "ATTACH '/tmp/x.db'",
        "INSTALL json",
        "SET threads = 2",
        "SELECT * FROM names",
    ):
        with pytest.raises(UserError):
            database.rows(sql)


names = pa.table({"a": [1]})
"""Not a table of queries, though the engine could read variables of Python."""


def test_moments_are_in_the_lakes_time_zone(asked: SqlService) -> None:
    sql = "SELECT CAST(at AS VARCHAR) AS words, date_trunc('day', at) AS day FROM (SELECT TIMESTAMPTZ '2026-01-11 16:30:00+00' AS at)"
    row = asked.ask(ANALYST, sql, "test").table.to_pylist()[0]
    assert (row["words"], row["day"].isoformat()) == ("2026-01-12 00:30:00+08", "2026-01-12T00:00:00+08:00")
