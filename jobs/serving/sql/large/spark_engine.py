"""Spark as the engine of a query over very large tables.

It sees what DuckDB's views show: the same version of each table, the rows of the reader, and each text as the mask shows it. The masks
run here, over the distinct texts of a column; the engine joins them. So no worker needs this package, or could mask otherwise.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlglot
from ulid import ULID

from jobs.errors import ServiceUnavailable, UserError
from jobs.lake.bits import quoted
from jobs.lake.session import connect, is_unavailable
from jobs.serving.sql.answer import Opened, Prepared
from jobs.serving.sql.engine import QueryCancelled, QueryStopped, Rows
from jobs.serving.sql.large.dialect import FROM, TO, OnlyDuckDB, SparkQuery, spark_query
from jobs.serving.sql.limits import Limits
from jobs.serving.sql.marked import MarkedSnapshot
from jobs.serving.sql.masks import SHORT, Show, may_have_long_numbers, shown_text
from jobs.serving.sql.stopping import Stop
from jobs.serving.sql.views import physical_name, visible_columns
from jobs.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MOST_TEXTS = 100_000
"""Distinct texts of a column that are masked here; a query over a column with more stays with DuckDB."""
AS_SENT, SHOWN = "_as_sent", "_shown"


def for_spark(prepared: Prepared) -> SparkQuery:
    """The question for Spark; OnlyDuckDB where it cannot be asked there, with what in it is the reason."""
    if prepared.reading.parameters:
        raise OnlyDuckDB("parameters")
    if any(isinstance(opened.snapshot, MarkedSnapshot) for opened in prepared.tables):
        raise OnlyDuckDB("open tickets of each row")
    types = {_view(o): {c.name: o.snapshot.columns[c.name] for c, _ in _visible(o)} for o in prepared.tables}
    query = spark_query(prepared.sql, types)
    for opened in prepared.tables:
        for name in query.columns.get(_view(opened), ()):
            _mask(opened, name)
    return query


class SparkEngine:
    """One session for all queries, opened with the first; safe for threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._lock = settings, Lock()
        self._session: SparkSession | None = None

    def rows(self, prepared: Prepared, query: SparkQuery, schema: pa.Schema, limits: Limits, stop: Stop) -> Rows:
        """The rows with DuckDB's names and types; OnlyDuckDB where that turns out to be needed, ServiceUnavailable without Spark."""
        tag = f"sql-{ULID()}"
        try:
            session = self._opened()
            with stop.watched(_Tagged(session, tag), limits.seconds):
                session.addTag(tag)
                try:
                    table = self._table(session, prepared, query, limits.rows + 1)
                finally:
                    session.removeTag(tag)
        except (OnlyDuckDB, ServiceUnavailable):
            raise
        except Exception as error:
            raise self._explained(error, limits, stop) from None
        try:
            shaped = table.rename_columns(schema.names).cast(schema)
        except pa.ArrowException as error:
            raise OnlyDuckDB("types of the answer") from error
        return Rows(shaped.slice(0, limits.rows), shaped.num_rows > limits.rows, "Spark")

    def close(self) -> None:
        """End the session."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(Exception):  # the server may be gone
                session.stop()

    def _opened(self) -> "SparkSession":
        with self._lock:
            if self._session is None:
                session = connect(self._settings)
                session.conf.set("spark.sql.session.timeZone", self._settings.timezone)
                session.conf.set("spark.sql.ansi.enabled", "true")
                self._session = session
            return self._session

    def _table(self, session: "SparkSession", prepared: Prepared, query: SparkQuery, most: int) -> pa.Table:
        names = {_view(opened): f"v{ULID()}" for opened in prepared.tables}
        try:
            for opened in prepared.tables:
                columns = query.columns.get(_view(opened), ())
                _frame(session, opened, columns).createOrReplaceTempView(names[_view(opened)])
            return session.sql(query.sql(names)).limit(most).toArrow()
        finally:
            for name in names.values():
                with suppress(Exception):  # what failed first is the error
                    session.catalog.dropTempView(name)

    def _explained(self, error: Exception, limits: Limits, stop: Stop) -> Exception:
        """Without the engine's words, which may quote values."""
        if stop.is_cancelled:
            return QueryCancelled("cancelled / 查询已取消")
        if stop.has_ended():
            seconds = f"{limits.seconds:g}"
            return QueryStopped(
                f"stopped after {seconds} s, your limit / 查询超过您的时限 {seconds} 秒，已中止，请缩小范围"
            )
        if is_unavailable(error):
            self.close()
            return ServiceUnavailable("the Spark server did not answer / Spark 暂时无响应")
        return UserError(
            f"Spark could not compute this ({type(error).__name__}): a value may not fit the operation / "
            "Spark 未能完成这条查询，可能有的值不能这样运算；请缩小范围后再试"
        )


class _Tagged:
    """The jobs of one query, as something that can be interrupted."""

    def __init__(self, session: "SparkSession", tag: str) -> None:
        self._session, self._tag = session, tag

    def interrupt(self) -> None:
        with suppress(Exception):  # a server that is gone runs nothing
            self._session.interruptTag(self._tag)


def _view(opened: Opened) -> str:
    return physical_name(opened.readable.name.table, opened.snapshot)


def _visible(opened: Opened) -> list[tuple[Any, str]]:
    return visible_columns(opened.readable, opened.snapshot)


def _mask(opened: Opened, name: str) -> Show | None:
    """How the texts of a column are shown; None where it has none. OnlyDuckDB where only DuckDB's SQL shows it."""
    try:
        return shown_text(opened.readable.column(name), opened.snapshot.columns[name])
    except LookupError as error:
        raise OnlyDuckDB(f"the mask of {name}") from error


def _frame(session: "SparkSession", opened: Opened, columns: Sequence[str]) -> "DataFrame":
    """The columns of the reader's rows; of rows that are not the reader's, an expression gets nothing even before they are left out."""
    from pyspark.sql import functions as F

    snapshot, rows = opened.snapshot, opened.readable.rows
    frame = session.read.format("delta").option("versionAsOf", snapshot.version).load(opened.path.spark_url)
    if rows:
        own = sqlglot.parse_one(rows, dialect=FROM).sql(dialect=TO)
        listed = [F.expr(f"CASE WHEN {own} THEN {quoted(name)} END").alias(name) for name in columns]
        frame = frame.filter(F.expr(own)).select(*listed) if listed else frame.filter(F.expr(own)).select(F.lit(1))
    else:
        frame = frame.select(*(F.col(quoted(name)) for name in columns)) if columns else frame.select(F.lit(1))
    for name in columns:
        mask, column = _mask(opened, name), opened.readable.column(name)
        if mask is not None:
            frame = _masked(session, frame, name, mask)
        elif may_have_long_numbers(column, snapshot.columns[name], snapshot.largest.get(name)):
            _check_numbers(frame, name)
    return frame


def _check_numbers(frame: "DataFrame", name: str) -> None:
    """OnlyDuckDB where the column has a number that the mask may hide."""
    from pyspark.sql import functions as F

    size = F.abs(F.col(quoted(name)).cast("double"))
    if frame.filter((size > SHORT) & (size < float("inf"))).limit(1).count():
        raise OnlyDuckDB(f"long numbers in {name}")


def _masked(session: "SparkSession", frame: "DataFrame", name: str, mask: Show) -> "DataFrame":
    """The rows with a column as the mask shows it."""
    from pyspark.sql import functions as F

    found = frame.select(F.col(quoted(name)).alias(AS_SENT)).distinct().limit(MOST_TEXTS + 1).toArrow()
    if found.num_rows > MOST_TEXTS:
        raise OnlyDuckDB(f"more than {MOST_TEXTS:,} texts in {name}")
    texts = [text for text in found[AS_SENT].to_pylist() if text is not None]
    shown = {text: seen for text in texts if (seen := mask(text)) != text}
    if not shown:
        return frame
    changed: Mapping[str, list[str | None]] = {AS_SENT: list(shown), SHOWN: list(shown.values())}
    words = session.createDataFrame(pa.table(changed, schema=pa.schema([(AS_SENT, pa.string()), (SHOWN, pa.string())])))
    joined = frame.join(F.broadcast(words), F.col(quoted(name)) == F.col(AS_SENT), "left")
    new = F.when(F.col(AS_SENT).isNull(), F.col(quoted(name))).otherwise(F.col(SHOWN))
    return joined.withColumn(name, new).drop(AS_SENT, SHOWN)
