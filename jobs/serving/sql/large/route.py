"""Which engine answers: DuckDB, or Spark where the tables are very large and the query is one that both answer alike."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from jobs.errors import ServiceUnavailable
from jobs.serving.sql.answer import Prepared
from jobs.serving.sql.engine import Rows
from jobs.serving.sql.large.dialect import OnlyDuckDB
from jobs.serving.sql.large.spark_engine import SparkEngine, for_spark
from jobs.serving.sql.limits import Limits, size_bytes
from jobs.serving.sql.stopping import Stop
from jobs.settings import Settings

logger = logging.getLogger(__name__)
DUCKDB, SPARK = "duckdb", "spark"


@dataclass(frozen=True)
class Route:
    """The engine that will be tried first, and why it is not Spark though the tables are large."""

    engine: str
    note: str = ""


class Large:
    """Queries over tables larger than `LAKE_SQL_READ`, which need the user's confirmation."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._spark = SparkEngine(settings)

    def size(self, prepared: Prepared) -> int:
        """Bytes that the question reads at most."""
        return sum(opened.snapshot.size_bytes for opened in prepared.tables)

    def is_large(self, prepared: Prepared) -> bool:
        """Whether that is over `LAKE_SQL_READ`, so that the user has to confirm."""
        return self.size(prepared) > size_bytes(self._settings.sql_read)

    def route(self, prepared: Prepared) -> Route:
        """Where the question would be answered; nothing is read."""
        if not self.is_large(prepared):
            return Route(DUCKDB)
        if not self._settings.spark_remote:
            return Route(DUCKDB, "no Spark server")
        try:
            for_spark(prepared)
        except OnlyDuckDB as error:
            return Route(DUCKDB, f"not on Spark: {error}")
        return Route(SPARK)

    def rows(self, prepared: Prepared, schema: Callable[[], pa.Schema], limits: Limits, stop: Stop) -> Rows | None:
        """The answer by Spark, with names and types of `schema`; None where DuckDB has to give it."""
        if not self._settings.spark_remote or not self.is_large(prepared):
            return None
        try:
            return self._spark.rows(prepared, for_spark(prepared), schema(), limits, stop)
        except (OnlyDuckDB, ServiceUnavailable) as error:
            logger.info("a large query is answered by DuckDB: %s", error)
            return None

    def close(self) -> None:
        """End the session with Spark, if there is one."""
        self._spark.close()
