"""Evaluated rows in files within a table's folder that no version of the table has, until they are committed.

They are a Delta table of their own, so that its writer chooses names and counts statistics; adding its files to the
table's log makes the rows visible, without writing them again. Columns that the table does not have stay in the files;
readers of the table ignore them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import AddAction
from pyspark.sql import Column, DataFrame

from jobs.lake.delta_tables import DeltaTables
from jobs.lake.spark_tables import SparkTables
from jobs.lake.store import Store
from jobs.lake.zones import TablePath

HELD = "held-back"
"""Partition of the staged files: whether a row breaks a critical rule. No field of a contract has a hyphen."""


@dataclass(frozen=True)
class Stage:
    """Staged rows of one evaluation; `release` removes what was not committed."""

    tables: SparkTables
    delta: DeltaTables
    store: Store
    target: TablePath
    partition_by: tuple[str, ...] = ()
    counted_columns: int = 32
    """Statistics of values are kept for so many columns, the first ones: those of the table."""

    @cached_property
    def path(self) -> TablePath:
        """The staged rows as a table."""
        return TablePath(self.target.zone, f"{self.target.name}/staged-{uuid4().hex}", self.target.bucket)

    def write(self, rows: DataFrame, held: Column) -> None:
        """Write the rows; one pass of the engine."""
        with self.tables.in_parts():
            self._write(rows, held)

    def _write(self, rows: DataFrame, held: Column) -> None:
        writer = rows.withColumn(HELD, held).write.format("delta").partitionBy(HELD, *self.partition_by)
        writer.option("delta.dataSkippingNumIndexedCols", self.counted_columns).save(self.path.spark_url)

    def columns(self) -> list[str]:
        """Names of the staged columns, in order."""
        return [name for name in self._dataset.schema.names if name != HELD]

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Columns of all staged rows, a part at a time; one file is read ahead, whatever their number."""
        yield from self._dataset.to_batches(columns=list(columns), fragment_readahead=1, batch_readahead=4)

    def all_rows(self) -> DataFrame:
        """All staged rows, for the engine."""
        return self.tables.read(self.path)

    def good_rows(self, columns: Sequence[str]) -> DataFrame:
        """Those that break no critical rule."""
        rows = self.all_rows()
        return rows.filter(~rows[f"`{HELD}`"]).select(*(f"`{name}`" for name in columns))

    def commit(self, mode: str = "append", partitions: Sequence[tuple[str, str, str]] = ()) -> None:
        """Make the good rows visible in the table, which exists, in one commit: beside its rows, or instead ("overwrite").

        `partitions`: those alone whose rows they replace; none: all.
        """
        table = self.delta.open(self.target)
        if table is None:
            raise LookupError(f"{self.target} does not exist")
        actions = [self._added(add) for add in self._adds() if add["partitionValues"][HELD] == "false"]
        if actions or mode == "overwrite":
            table.create_write_transaction(
                actions,
                mode=mode,
                schema=table.schema(),
                partition_by=list(self.partition_by),
                partition_filters=list(partitions) or None,
                commit_properties=CommitProperties(max_commit_retries=0),
            )

    def release(self) -> None:
        """Remove the files that the table does not have."""
        table = self.delta.open(self.target)
        committed = set() if table is None else {f"{self.target.key}/{name}" for name in _files_of(table)}
        for found in list(self.store.list(f"{self.path.key}/")):
            if found.key not in committed:
                self.store.delete(found.key)

    @cached_property
    def _table(self) -> DeltaTable:
        table = self.delta.open(self.path)
        if table is None:
            raise LookupError(f"nothing was staged in {self.path}")
        return table

    @cached_property
    def _dataset(self) -> ds.Dataset:
        return self._table.to_pyarrow_dataset()

    def _adds(self) -> Iterator[dict[str, Any]]:
        """Entries of the staged log, with the engine's own statistics."""
        log = self.store.get_bytes(f"{self.path.key}/_delta_log/{0:020}.json")
        for line in log.splitlines():
            entry = json.loads(line)
            if "add" in entry:
                yield entry["add"]

    def _added(self, add: dict[str, Any]) -> AddAction:
        folder = self.path.key.removeprefix(f"{self.target.key}/")
        values = {name: value for name, value in add["partitionValues"].items() if name != HELD}
        path = f"{folder}/{unquote(add['path'])}"
        return AddAction(path, add["size"], values, add["modificationTime"], True, add["stats"])


def _files_of(table: DeltaTable) -> list[str]:
    """The table's files as the store names them, below its folder.

    Paths in Delta's log are URIs. `file_uris` is no help: it gives one name to two files, one of Spark's and one of delta-rs.
    """
    actions = pa.table(table.get_add_actions(flatten=True)) if table.file_uris() else None
    return [] if actions is None else [unquote(path) for path in actions["path"].to_pylist()]
