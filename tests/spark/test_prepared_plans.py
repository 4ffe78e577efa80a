"""Plans that the engine prepared: found for other rows, equal to what it makes anew, and not kept where they would be wrong."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from jobs.lake import prepared_plans
from jobs.lake.prepared_plans import in_engine
from jobs.lake.spark_tables import to_arrow
from jobs.quality.engines import SparkText

OFTEN = 6
"""So many requests of a short plan, and there is compiled code for it."""


@pytest.fixture(autouse=True)
def _not_adaptive(spark: SparkSession):
    before = spark.conf.get("spark.sql.adaptive.enabled")
    spark.conf.set("spark.sql.adaptive.enabled", "false")
    yield
    spark.conf.set("spark.sql.adaptive.enabled", before)


def readings(start: int, number: int) -> pa.Table:
    numbers = range(start, start + number)
    return pa.table({
        "point": [f"点{n % 7}" for n in numbers],
        "at": pa.array([n * 60_000_000 for n in numbers], pa.timestamp("us", "UTC")),
        "text": [None if n % 11 == 0 else f" {n}.5" for n in numbers],
    })  # fmt: skip


def row_by_row(rows: DataFrame, salt: str) -> DataFrame:
    value = F.trim("text").try_cast("double")
    places = [F.coalesce(F.substring("text", place, 1).try_cast("int"), F.lit(0)) for place in range(1, 7)]
    digits = SparkText().fold(places, 0, lambda carried, digit: carried * 3 + digit)
    made = rows.select("*", value.alias("value"), digits.alias("digits"), F.lit(salt).alias("salt"))
    whole = F.to_json(F.struct("point", "text", "value"))
    return made.filter(F.col("value").isNull() | (F.col("value") > 20)).select("*", whole.alias("json"))


def with_neighbours(rows: DataFrame, salt: str) -> DataFrame:
    window = Window.partitionBy("point").orderBy("at")
    stepped = row_by_row(rows, salt).withColumn("step", F.col("value") - F.lag("value", 1).over(window))
    names = in_engine(rows.sparkSession, pa.table({"point": ["点1", "点2"], "name": ["一", "二"]}))
    return stepped.join(names, "point", "left").select("*", (F.col("step") > 5).alias("jumps"))


def counts(spark: SparkSession) -> list[int]:
    """Requests, those with a plan that was found, and those with compiled code; when nothing waits to be compiled."""
    return [int(word) for word in spark.sql("SELECT lake_prepared_plans()").first()[0].split()]


def since(spark: SparkSession, before: list[int]) -> list[int]:
    return [now - then for now, then in zip(counts(spark), before, strict=True)]


def anew(rows: DataFrame) -> pa.Table:
    """As the engine makes it without a prepared plan."""
    client = rows._session.client
    return client.to_table(rows._plan.to_proto(client), {})[0]


def in_order(table: pa.Table) -> list[dict]:
    return table.sort_by([("at", "ascending"), ("point", "ascending")]).to_pylist()


@pytest.mark.parametrize("made", [row_by_row, with_neighbours])
def test_rows_are_those_of_a_new_plan_interpreted_and_compiled(
    spark: SparkSession, made: Callable[[DataFrame, str], DataFrame]
) -> None:
    before = counts(spark)
    for number in range(OFTEN + 2):
        rows = made(in_engine(spark, readings(1000 * number, 40 * number + 3)), f"{made.__name__} rows")
        assert in_order(to_arrow(rows)) == in_order(to_arrow_anew(rows))
        asked, found, compiled = since(spark, before)
        assert (asked, found) == (number + 1, number), "one plan for all rows"
    assert compiled >= 2


def to_arrow_anew(rows: DataFrame) -> pa.Table:
    table = anew(rows)
    return table.cast(
        pa.schema([f.with_type(pa.timestamp("us", "UTC")) if f.name == "at" else f for f in table.schema])
    )


def test_a_table_without_rows(spark: SparkSession) -> None:
    empty = to_arrow(with_neighbours(in_engine(spark, readings(0, 0)), "empty"))
    assert empty.num_rows == 0
    assert empty.column_names == to_arrow(with_neighbours(in_engine(spark, readings(0, 9)), "empty")).column_names


def test_requests_at_once_do_not_share_what_code_remembers(spark: SparkSession) -> None:
    tables = [readings(10_000 * number, 500 + number) for number in range(16)]
    expected = [in_order(to_arrow_anew(row_by_row(in_engine(spark, table), "at once"))) for table in tables]

    def ask(table: pa.Table) -> list[dict]:
        return in_order(to_arrow(row_by_row(in_engine(spark, table), "at once")))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, tables)) == expected
        counts(spark)
        assert list(pool.map(ask, tables)) == expected


@pytest.mark.parametrize("moment", ["current_timestamp()", "current_date()", "rand()", "uuid()"])
def test_a_plan_with_the_current_time_or_random_values_is_not_kept(spark: SparkSession, moment: str) -> None:
    before = counts(spark)
    answers = [
        to_arrow(in_engine(spark, readings(0, 3)).select("at", F.expr(moment).cast("string").alias("it")))["it"][
            0
        ].as_py()
        for _ in range(3)
    ]
    asked, found, _ = since(spark, before)
    assert (asked, found) == (3, 0)
    assert moment == "current_date()" or len(set(answers)) == 3


def test_other_settings_and_other_columns_need_a_plan_of_their_own(spark: SparkSession) -> None:
    def hour(table: pa.Table) -> int:
        rows = in_engine(spark, table).select("*", F.hour("at").alias("hour"), F.lit("settings").alias("salt"))
        return to_arrow(rows)["hour"][0].as_py()

    assert hour(readings(0, 3)) == 0
    spark.conf.set("spark.sql.session.timeZone", "Asia/Shanghai")
    try:
        assert hour(readings(0, 3)) == 8
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    assert hour(readings(60, 3).append_column("more", pa.array([1, 2, 3]))) == 1


def test_a_plan_over_tables_of_the_engine_is_asked_for_as_usual(spark: SparkSession) -> None:
    rows = in_engine(spark, readings(0, 3)).join(spark.range(7).selectExpr("concat('点', id) AS point"), "point")
    assert prepared_plans.request(rows) is None
    assert to_arrow(rows).num_rows == 3


def test_errors_in_a_plan_are_reported_as_usual(spark: SparkSession) -> None:
    with pytest.raises(Exception, match="UNRESOLVED_COLUMN"):
        to_arrow(in_engine(spark, readings(0, 3)).select("nothing"))


def test_a_table_too_large_for_a_message_is_sent_in_chunks(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = readings(0, 5000)
    expected = in_order(to_arrow(with_neighbours(in_engine(spark, table), "chunks")))
    monkeypatch.setattr(prepared_plans, "MOST_BYTES", 1000)
    rows = with_neighbours(in_engine(spark, table), "chunks")
    assert prepared_plans.request(rows) is None
    assert in_order(to_arrow(rows)) == expected
