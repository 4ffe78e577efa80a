"""Queries over very large tables: Spark gives the answer that DuckDB gives, through the same masks, or DuckDB gives it."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from jobs.contracts import Registry
from jobs.lake.database import Database
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.serving.sql.answer import Answer, Run
from jobs.serving.sql.engine import QueryCancelled, QueryStopped
from jobs.serving.sql.large import spark_engine
from jobs.serving.sql.limits import Limits
from jobs.serving.sql.service import LargeQuery, SqlService
from jobs.serving.sql.stopping import Stop
from tests.contract_texts import contract

ANALYST = Actor("analyst", "bureau", "周分析")
OWNER = Actor("approver", "heat", "钱审核")
FIELDS = """
      - {name: code, businessName: 编码, logicalType: string, primaryKey: true, primaryKeyPosition: 1}
      - {name: n, businessName: 序号, logicalType: integer, primaryKey: true, primaryKeyPosition: 2}
      - {name: v, businessName: 数值, logicalType: number}
      - {name: m, businessName: 金额, logicalType: number, physicalType: 'decimal(18,6)'}
      - {name: at, businessName: 时间, logicalType: timestamp}
      - {name: d, businessName: 日期, logicalType: date}
      - {name: b, businessName: 是否, logicalType: boolean}
      - {name: note, businessName: 备注, logicalType: string}
      - {name: person, businessName: 姓名, logicalType: string, classification: L3}
      - {name: phone, businessName: 电话, logicalType: string, classification: L4}
"""
START = datetime(2026, 1, 11, 15, 30, tzinfo=UTC)
"""Half an hour before midnight in the lake's time zone."""
LARGE = Run(is_large=True)
T = "silver.things"


def rows() -> pa.Table:
    """Readings with NULLs, NaN and texts of all kinds in them."""
    count = 60
    return pa.table(
        {
            "code": [("a", "b", "ab", "甲", "", None)[n % 6] for n in range(count)],
            "n": pa.array([None if n % 11 == 0 else n % 7 - 2 for n in range(count)], pa.int64()),
            "v": [None if n % 9 == 0 else float("nan") if n % 13 == 0 else n / 4 - 3 for n in range(count)],
            "m": pa.array([None if n % 8 == 0 else Decimal(n * n) / 8 for n in range(count)], pa.decimal128(18, 6)),
            "at": pa.array([START + timedelta(minutes=37 * n) for n in range(count)], pa.timestamp("us", "UTC")),
            "d": [None if n % 10 == 0 else date(2026, 1, 1) + timedelta(days=n % 40) for n in range(count)],
            "b": [(True, False, None)[n % 3] for n in range(count)],
            "note": [("电话13806351234", "电话13806991234", "良好", None)[n % 4] for n in range(count)],
            "person": [("王小明", "王晓明", "张三丰")[n % 3] for n in range(count)],
            "phone": ["13806351234"] * count,
        }
    )


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    suite = "name: things\nexpectations: []\n"
    files = {"schemas/sources/heat/things.yaml": contract("things", FIELDS)}
    return write_contracts(files | {"expectations/sources/heat/things.yaml": suite})


@pytest.fixture
def services(lake: Lake, registry: Registry, tmp_path: Path) -> Iterator[tuple[SqlService, SqlService]]:
    """One for which every table is very large, and one for which none is."""
    lake.tables.overwrite(lake.spark.createDataFrame(rows()), lake.path(Zone.SILVER, "things"))
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    database.migrate()
    large = Lake(lake.settings.model_copy(update={"sql_read": "1"}))
    both = SqlService(large, database, lambda: registry), SqlService(lake, database, lambda: registry)
    yield both
    for service in both:
        service.close()
    large.close()
    database.close()


CONDITIONS = (
    *("n > 1", "v <= 2.5", "code = 'a'", "code LIKE 'a%'", "code NOT IN ('a', 'b')", "v IS NULL", "b IS NOT NULL", "b"),
    *(
        "NOT b",
        "n * 2 - 1 < n + 2",
        "coalesce(v, 0) > 1",
        "v > n",
        "d BETWEEN '2026-01-05' AND '2026-01-20'",
        "code < 'b'",
    ),
    *(
        "at >= '2026-01-12'",
        "at < TIMESTAMPTZ '2026-01-12 12:00:00'",
        "d = DATE '2026-01-05'",
        "note = '电话13806351234'",
    ),
    *("note LIKE '%1380%'", "person <> '王小明'", "abs(n) >= 1", "-v > 1", "at::date = '2026-01-12'", "d IS NULL"),
    *(
        "CASE WHEN n > 0 THEN b ELSE NOT b END",
        "n IN (1, 2, 3)",
        "hour(at) < 6",
        "v = v",
        "at IN ('2026-01-12 00:20:00')",
    ),
)
KEYS = (
    *(
        "code",
        "b",
        "d",
        "n",
        "note",
        "person",
        "at::date",
        "date_trunc('hour', at)",
        "date_trunc('week', at)",
        "month(d)",
    ),
    *("extract(hour FROM at)", "year(at)", "CASE WHEN n > 1 THEN 'high' WHEN n IS NULL THEN NULL ELSE 'low' END"),
    *("coalesce(code, '-')", "n + 1"),
)
FIGURES = (
    *("count(*)", "count(v)", "count(DISTINCT code)", "count(DISTINCT note)", "sum(n)", "sum(v)", "avg(v)", "avg(n)"),
    *("min(at)", "max(code)", "min(d)", "max(v)", "min(note)", "count(*) FILTER (WHERE n > 1)"),
    *(
        "sum(n * 2.5)",
        "sum(CASE WHEN b THEN 1 ELSE 0 END)",
        "max(n) - min(n)",
        "sum(v) FILTER (WHERE v < 3)",
        "sum(m)",
        "max(m)",
    ),
)


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A query of one of the forms that analysts ask."""

    def condition() -> str:
        first, second = draw(st.sampled_from(CONDITIONS)), draw(st.sampled_from(CONDITIONS))
        return draw(st.sampled_from((first, f"{first} AND {second}", f"({first}) OR NOT ({second})")))

    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=2, unique=True))
    figures = draw(st.lists(st.sampled_from(FIGURES), min_size=1, max_size=4, unique=True))
    named = [f"{sql} AS x{number}" for number, sql in enumerate([*keys, *figures])]
    grouped = f"SELECT {', '.join(named)} FROM {T} WHERE {condition()} GROUP BY ALL"
    form = draw(st.integers(0, 5))
    if form == 0:
        return f"SELECT code, n, v, at, d, b, note, person FROM {T} WHERE {condition()}"
    if form == 1:
        return f"{grouped} HAVING count(*) > {draw(st.integers(0, 4))} ORDER BY {', '.join(f'x{n}' for n in range(len(named)))}"
    if form == 2:
        return f"WITH g AS ({grouped}) SELECT count(*), count(DISTINCT x0) FROM g WHERE x0 IS NOT NULL"
    if form == 3:
        on = "l.code = r.code AND l.n < r.n"
        return f"SELECT l.code, count(*), sum(r.n) FROM {T} l {draw(st.sampled_from(('', 'LEFT')))} JOIN {T} r ON {on} GROUP BY 1"
    if form == 4:
        return f"SELECT DISTINCT {keys[0]} AS x FROM (SELECT * FROM {T} WHERE {condition()}) AS s"
    return f"SELECT {', '.join(figures)} FROM {T} WHERE {condition()}"


def comparable(answer: Answer) -> Counter[tuple[Any, ...]]:
    """The rows, in any order; numbers to nine digits, since sums differ in the last ones by their order."""

    def plain(value: Any) -> Any:
        return f"{value:.9g}" if isinstance(value, float) else value

    return Counter(tuple(map(plain, row.values())) for row in answer.table.to_pylist())


@examples(
    phases=[Phase.generate], max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(sql=queries(), actor=st.sampled_from((ANALYST, OWNER)))
def test_both_engines_give_one_answer(services: tuple[SqlService, SqlService], sql: str, actor: Actor) -> None:
    large, usual = services
    by_spark = large.ask(actor, sql, "test", run=LARGE)
    by_duckdb = usual.ask(actor, sql, "test")
    assert (by_spark.engine, by_duckdb.engine) == ("Spark", ""), sql
    assert by_spark.table.schema.equals(by_duckdb.table.schema), sql
    assert comparable(by_spark) == comparable(by_duckdb), sql
    assert by_spark.grade == by_duckdb.grade


def test_an_order_is_that_of_duckdb(services: tuple[SqlService, SqlService]) -> None:
    for sql in (
        f"SELECT n, code FROM {T} WHERE v > 0 ORDER BY n DESC, code, at",
        f"SELECT v, at FROM {T} ORDER BY v, at LIMIT 7 OFFSET 3",
        f"SELECT d, at FROM {T} ORDER BY d NULLS FIRST, at LIMIT 9",
    ):
        by_spark, by_duckdb = (service.ask(ANALYST, sql, "test", run=LARGE) for service in services)
        assert by_spark.engine == "Spark"
        assert str(by_spark.table.to_pylist()) == str(by_duckdb.table.to_pylist())  # NaN is not equal to itself


def test_explain_says_which_engine_and_a_limit_asks(services: tuple[SqlService, SqlService]) -> None:
    large, usual = services
    sql = f"SELECT code, count(*) FROM {T} GROUP BY code"
    (plan,) = large.ask(ANALYST, f"EXPLAIN {sql}", "test").table.to_pylist()
    assert (plan["engine"], plan["rows"], plan["note"]) == ("spark", 60, "") and plan["bytes"] > 0
    (plan,) = usual.ask(ANALYST, f"EXPLAIN {sql}", "test").table.to_pylist()
    assert plan["engine"] == "duckdb"
    with pytest.raises(LargeQuery, match="EXPLAIN"):
        large.ask(ANALYST, sql, "test")
    assert "由 Spark 计算" in large.ask(ANALYST, sql, "test", run=LARGE).notices()[0]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        (f"SELECT code, rank() OVER (ORDER BY n) FROM {T}", "Window"),
        (f"SELECT n FROM {T} WHERE code = 1", "EQ"),
        (f"SELECT n / 2 FROM {T}", "Div"),
        (f"SELECT n FROM {T} UNION SELECT n FROM {T}", "Union"),
        (f"SELECT n FROM {T} WHERE n = (SELECT max(n) FROM {T})", "Subquery"),
        (f"SELECT string_agg(code, ',') FROM {T}", "GroupConcat"),
        (f"SELECT code FROM {T} WHERE code = 'a\\b'", "Literal"),
        (f"SELECT median(v) FROM {T}", "Median"),
    ],
)
def test_what_may_differ_stays_with_duckdb(services: tuple[SqlService, SqlService], sql: str, why: str) -> None:
    large, usual = services
    (first, *_) = large.ask(ANALYST, f"EXPLAIN {sql}", "test").table.to_pylist()
    assert first["engine"] == "duckdb" and why in first["note"]
    usable = sql.replace("code = 1", "code || '' = 'a'")  # texts that are no numbers cannot be compared with one
    answer = large.ask(ANALYST, usable, "test", run=LARGE)
    assert answer.engine == ""
    assert comparable(answer) == comparable(usual.ask(ANALYST, usable, "test"))


def test_masks_hold_on_spark(services: tuple[SqlService, SqlService]) -> None:
    large, _ = services

    def asked(sql: str, actor: Actor = ANALYST) -> list[dict[str, Any]]:
        answer = large.ask(actor, sql, "test", run=LARGE)
        assert answer.engine == "Spark"
        return answer.table.to_pylist()

    shown = asked(f"SELECT note, person, count(*) AS k FROM {T} GROUP BY ALL")
    text = str(shown)
    assert "13806351234" not in text and "王小明" not in text and "张三丰" not in text
    notes = asked(f"SELECT note, count(*) AS k FROM {T} GROUP BY note")
    assert sorted(row["k"] for row in notes) == [15, 15, 30]  # two numbers are one once they are masked
    assert asked(f"SELECT count(*) AS k FROM {T} WHERE note = '电话13806351234'") == [{"k": 0}]
    assert asked(f"SELECT count(*) AS k FROM {T} WHERE person = '王小明'") == [{"k": 0}]
    assert asked(f"SELECT count(*) AS k FROM {T} WHERE person = '王小明'", OWNER) == [{"k": 20}]
    with pytest.raises(Exception, match="phone"):
        asked(f"SELECT phone FROM {T}")


def test_many_texts_and_a_missing_server_are_left_to_duckdb(
    services: tuple[SqlService, SqlService], monkeypatch: pytest.MonkeyPatch
) -> None:
    large, _ = services
    sql = f"SELECT note, count(*) FROM {T} GROUP BY note"
    with monkeypatch.context() as patch:
        patch.setattr(spark_engine, "MOST_TEXTS", 1)
        assert large.ask(ANALYST, sql, "test", run=LARGE).engine == ""
    assert large.ask(ANALYST, sql, "test", run=LARGE).engine == "Spark"
    large._large.close()
    nowhere = large.settings.model_copy(update={"spark_remote": "sc://127.0.0.1:1"})
    monkeypatch.setattr(large._large._spark, "_settings", nowhere)
    answer = large.ask(ANALYST, sql, "test", run=LARGE)
    assert answer.engine == "" and answer.table.num_rows == 3


def test_a_query_ends_after_its_time_or_when_it_is_cancelled(
    services: tuple[SqlService, SqlService],
) -> None:
    large, _ = services
    joins = " ".join(f"JOIN {T} t{n} ON t0.n < t{n}.n OR t0.v < t{n}.v" for n in range(1, 7))
    endless = f"SELECT count(*) FROM {T} t0 {joins}"
    large._limits.default = Limits(1.0, 100, "1GiB", 4)
    with pytest.raises(QueryStopped, match="1 s"):
        large.ask(ANALYST, endless, "test", run=LARGE)
    stop = Stop()
    stop.cancel()
    with pytest.raises(QueryCancelled):
        large.ask(ANALYST, endless, "test", run=Run(is_large=True, stop=stop))


def test_rows_beyond_the_limit_are_cut(
    services: tuple[SqlService, SqlService],
) -> None:
    large, _ = services
    cut = large.ask(ANALYST, f"SELECT n FROM {T}", "test", run=Run(most=7, is_large=True))
    assert cut.is_cut and cut.table.num_rows == 7 and cut.engine == "Spark"
