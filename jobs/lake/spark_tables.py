"""Delta tables written by Spark: silver and gold, where the rows are too many for the client's memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from jobs.contracts.names import DELIVERY, RECEIVED
from jobs.lake import prepared_plans
from jobs.lake.delta_tables import DeltaTables
from jobs.lake.merge import Merge, quoted_list
from jobs.lake.zones import TablePath
from jobs.model.delivery import Delivery

TRIES = 8
FEW_ROWS = 50_000
"""Up to so many rows, interpreting a plan is faster than compiling it (measured: ten deliveries in 86 s, not 123 s)."""

MOST_LOCAL_CELLS = 60_000
"""Up to so many cells, the optimizer's own evaluation costs less than a job; 8,800 rows of 30 take 4.3 s, by a job 2.6 s."""
LOCAL_ROWS = "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation"


def to_arrow(rows: DataFrame) -> pa.Table:
    """The rows in memory, moments in UTC; without pyspark's own question for the schema, which sends the plan once more."""
    client = rows._session.client
    plan = prepared_plans.request(rows) or rows._plan.to_proto(client)
    table, _, _ = client.to_table(plan, rows._plan.observations)
    schema = [field.with_type(_in_utc(field.type)) for field in table.schema]
    return table.cast(pa.schema(schema))


def _in_utc(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp(kind.unit, "UTC") if pa.types.is_timestamp(kind) and kind.tz else kind


class SparkTables:
    """Creates, writes and names the Delta tables of one bucket."""

    def __init__(self, spark: SparkSession, delta: DeltaTables) -> None:
        self.spark = spark
        self._arrow = delta

    def interpret(self, rows: int, columns: int, few: int | None = None) -> None:
        """Set the session to interpret plans for few rows, where compiling takes longer, and to compile them for many."""
        is_few = rows <= (FEW_ROWS if few is None else few)
        settings = {
            "spark.sql.codegen.wholeStage": not is_few,
            "spark.sql.codegen.factoryMode": "NO_CODEGEN" if is_few else "FALLBACK",
            # The optimizer evaluates rows from a client itself, in one thread; of many cells, tasks on all cores are faster.
            # Its time for a row grows with the square of the columns (1,314 rows of 454: 55 s; by tasks 2 s).
            "spark.sql.optimizer.excludedRules": LOCAL_ROWS if rows * columns > MOST_LOCAL_CELLS else "",
            # Interpreted, it costs a new cache for each projection and row: half of the time of windows.
            "spark.sql.subexpressionElimination.enabled": not is_few,
            # A prepared plan runs as it is: those of a stream, whatever the size of a batch.
            "spark.sql.adaptive.enabled": few is None and rows > FEW_ROWS,
        }
        self.spark.conf._set_all(settings, silent=True)  # in one request

    @contextmanager
    def in_parts(self) -> Iterator[None]:
        """Compile each step of a plan by itself: as one, the code of a contract is longer than the JVM compiles well."""
        before = self.spark.conf.get("spark.sql.codegen.wholeStage")
        self.spark.conf.set("spark.sql.codegen.wholeStage", "false")
        try:
            yield
        finally:
            self.spark.conf.set("spark.sql.codegen.wholeStage", before)

    def exists(self, path: TablePath) -> bool:
        return self._arrow.version(path) is not None

    def version(self, path: TablePath) -> int:
        """Newest version; -1 where the table does not exist."""
        version = self._arrow.version(path)
        return -1 if version is None else version

    def register(self, path: TablePath) -> None:
        """Register the table under its SQL name: `silver.heat_station`."""
        self.spark.sql(f"CREATE DATABASE IF NOT EXISTS {path.zone}")
        self.spark.sql(f"CREATE TABLE IF NOT EXISTS {path} USING DELTA LOCATION '{path.spark_url}'")

    def read(self, path: TablePath, version: int | None = None) -> DataFrame:
        """The table's rows, of its newest version or of a given one."""
        reader = self.spark.read.format("delta")
        return (reader if version is None else reader.option("versionAsOf", version)).load(path.spark_url)

    def read_deliveries(self, path: TablePath, deliveries: Sequence[Delivery]) -> DataFrame:
        """Rows of the named deliveries in bronze, quarantine or evidence; only their days of receipt are read."""
        rows = self.read(path)
        delivery_rows = rows.filter(F.col(DELIVERY).isin(*(delivery.id for delivery in deliveries)))
        if RECEIVED not in rows.columns:  # partitioned by an earlier release
            return delivery_rows
        return delivery_rows.filter(
            F.col(RECEIVED).isin(*sorted({delivery.received_date() for delivery in deliveries}))
        )

    def spool(self, rows: DataFrame, file: Path) -> None:
        """Write rows to a local Arrow file, batch by batch as the engine sends them."""
        client = rows._session.client  # pyspark has no public way to stream Arrow batches
        writer = None
        with pa.OSFile(str(file), "wb") as sink:
            for part in client.to_table_as_iterator(rows._plan.to_proto(client), rows._plan.observations):
                if not isinstance(part, pa.Table):
                    continue
                writer = writer or pa.ipc.new_file(sink, part.schema)
                writer.write_table(part)
            if writer is not None:
                writer.close()

    def replace_any(self, rows: DataFrame, path: TablePath, deliveries: Sequence[str]) -> None:
        """Write rows in place of all rows of the named deliveries, in one commit."""
        predicate = f"_delivery IN ({quoted_list(deliveries)})"
        for attempt in _attempts():
            with attempt:
                rows.write.format("delta").mode("overwrite").option("replaceWhere", predicate).save(path.spark_url)

    def overwrite(self, rows: DataFrame, path: TablePath) -> None:
        """Replace all rows; readers see the old ones until the commit."""
        rows.write.format("delta").mode("overwrite").save(path.spark_url)

    def compact(self, path: TablePath) -> None:
        """Compact small files."""
        self.spark.sql(f"OPTIMIZE {path.sql}").collect()

    def merge(self, rows: DataFrame, path: TablePath, merge: Merge) -> None:
        """Merge rows into the table by key, in one commit."""
        view = "_merge_source"
        rows.createOrReplaceTempView(view)
        statement = merge.sql(path.sql, view, rows.columns)
        for attempt in _attempts():
            with attempt:
                self.spark.sql(statement).collect()


def _attempts() -> Retrying:
    """Attempts at a commit of the engine: on a conflict with another writer, the next starts from the newer table."""
    wait = wait_random_exponential(multiplier=0.2, max=5)
    return Retrying(retry=retry_if_exception(_is_conflict), stop=stop_after_attempt(TRIES), wait=wait, reraise=True)


def _is_conflict(error: BaseException) -> bool:
    return "[DELTA_CONCURRENT_" in str(error)
