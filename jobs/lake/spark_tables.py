"""Delta tables written by Spark: silver and gold. The Spark server is their only writer."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from jobs.contracts.names import DELIVERY, RECEIVED
from jobs.lake.delta_tables import RETENTION, DeltaTables
from jobs.lake.merge import Merge, quoted_list
from jobs.lake.table_schema import ColumnSpec
from jobs.lake.zones import TablePath
from jobs.model.delivery import Delivery

KEEP = ", ".join(f"'{name}' = '{value}'" for name, value in RETENTION.items())
FEW_ROWS = 50_000
"""Up to so many rows, interpreting a plan is faster than compiling it (measured: ten deliveries in 86 s, not 123 s)."""


def in_engine(spark: SparkSession, table: pa.Table) -> DataFrame:
    """Rows in memory as rows of the engine; pyspark itself refuses a table without rows."""
    if table.num_rows:
        return spark.createDataFrame(table)
    return spark.createDataFrame([], from_arrow_schema(table.schema))


class SparkTables:
    """Creates, writes and names the Delta tables of one bucket."""

    def __init__(self, spark: SparkSession, delta: DeltaTables) -> None:
        self.spark = spark
        self._arrow = delta

    def interpret(self, rows: int) -> None:
        """Set the session to interpret plans for few rows, where compiling takes longer, and to compile them for many."""
        is_few = rows <= FEW_ROWS
        self.spark.conf.set("spark.sql.codegen.wholeStage", str(not is_few).lower())
        self.spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN" if is_few else "FALLBACK")

    def exists(self, path: TablePath) -> bool:
        return self._arrow.version(path) is not None

    def version(self, path: TablePath) -> int:
        """Newest version; -1 where the table does not exist."""
        version = self._arrow.version(path)
        return -1 if version is None else version

    def ensure(
        self, path: TablePath, columns: Sequence[ColumnSpec], comment: str, partition: Sequence[str] = ()
    ) -> bool:
        """Create the table, or add missing columns; True where it is new."""
        table = self._arrow.open(path)
        if table is None:
            parts = f" PARTITIONED BY ({', '.join(f'`{p}`' for p in partition)})" if partition else ""
            words = comment.replace("'", "\\'")
            self.spark.sql(
                f"CREATE TABLE IF NOT EXISTS {path.sql} ({', '.join(c.ddl() for c in columns)}) "
                f"USING DELTA{parts} COMMENT '{words}' TBLPROPERTIES ({KEEP})"
            )
            return True
        existing = {f.name for f in table.schema().fields}
        missing = [c for c in columns if c.name not in existing]
        if missing:
            self.spark.sql(f"ALTER TABLE {path.sql} ADD COLUMNS ({', '.join(c.ddl() for c in missing)})")
        return False

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
        rows.write.format("delta").mode("overwrite").option("replaceWhere", predicate).save(path.spark_url)

    def overwrite(self, rows: DataFrame, path: TablePath) -> None:
        """Replace all rows; readers see the old ones until the commit."""
        rows.write.format("delta").mode("overwrite").save(path.spark_url)

    def compact(self, path: TablePath, keep_hours: int) -> None:
        """Compact small files, and remove those that no version of the last `keep_hours` needs."""
        self.spark.sql(f"OPTIMIZE {path.sql}").collect()
        self.spark.sql(f"VACUUM {path.sql} RETAIN {keep_hours} HOURS").collect()

    def merge(self, rows: DataFrame, path: TablePath, merge: Merge) -> None:
        """Merge rows into the table by key, in one commit."""
        view = "_merge_source"
        rows.createOrReplaceTempView(view)
        self.spark.sql(merge.sql(path.sql, view, rows.columns)).collect()
