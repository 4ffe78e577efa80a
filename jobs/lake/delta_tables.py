"""Delta tables written by the client: bronze, quarantine, evidence, results, small deliveries; put-if-absent commits (ADR 0011)."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import pyarrow as pa
from deltalake import (
    CommitProperties,
    DeltaTable,
    Schema,
    Transaction,
    write_deltalake,
)
from deltalake.exceptions import TableNotFoundError

from jobs.errors import OutdatedTable, ServiceUnavailable
from jobs.lake.delta_writing import (
    COMMIT_TRIES,
    LOG_RETENTION,
    LOG_STAYS,
    RETENTION,
    WRITER,
    commit_attempts,
    storage_options,
    writer,
)
from jobs.lake.key_merge import Replacement, replacement, within_range, without
from jobs.lake.merge import Merge
from jobs.lake.open_tables import OpenTables
from jobs.lake.row_filter import RowFilter, rows_of
from jobs.lake.store import NO_STORE
from jobs.lake.system_tables import SystemTable
from jobs.lake.table_schema import ColumnSpec
from jobs.lake.zones import TablePath
from jobs.model.delivery import Delivery
from jobs.settings import Settings


class DeltaTables:
    """Reads any Delta table's metadata, and writes those that the client owns."""

    def __init__(self, settings: Settings) -> None:
        self._options = storage_options(settings)
        self._tables = OpenTables(self._options)

    def url(self, path: TablePath) -> str:
        """The URL of the table; ServiceUnavailable where no S3 server is configured."""
        if not self._options["AWS_ENDPOINT_URL"]:
            raise ServiceUnavailable(NO_STORE)
        return path.delta_url

    def open(self, path: TablePath, version: int | None = None) -> DeltaTable | None:
        """The table, at its newest version or a given one; None where it does not exist yet."""
        url = self.url(path)
        if version is None:
            return self._tables.newest(url)
        try:
            return DeltaTable(url, version=version, storage_options=self._options)
        except TableNotFoundError:
            return None

    def version(self, path: TablePath) -> int | None:
        """Newest version of the table; None where it does not exist yet."""
        table = self.open(path)
        return None if table is None else table.version()

    def version_at(self, path: TablePath, moment: datetime) -> int | None:
        """Newest version that was committed by the moment; None where the table did not exist then."""
        table = self.open(path)
        commits = table.history() if table is not None else []
        before = [int(c["version"]) for c in commits if c["timestamp"] <= moment.timestamp() * 1000]
        return max(before, default=None)

    def count(self, path: TablePath) -> int:
        """Number of rows, from the log alone; 0 where it does not exist yet."""
        table = self.open(path)
        return 0 if table is None else int(table.count())

    def columns(self, path: TablePath, version: int | None, names: Sequence[str]) -> pa.Table:
        """Those of the columns that the table has, at a version; kept in memory, since a version never changes."""
        return _columns(self, path, version, tuple(names))

    def ensure(
        self, path: TablePath, columns: Sequence[ColumnSpec], comment: str, partition: Sequence[str] = ()
    ) -> bool:
        """Create the table, or add the columns that it lacks; True where it is new."""
        for attempt in commit_attempts():
            with attempt:
                table = self.open(path)
                if table is None:
                    self._create(path, columns, comment, partition)
                    return True
                existing = {field.name for field in table.schema().fields}
                missing = [column.delta() for column in columns if column.name not in existing]
                if missing:
                    table.alter.add_columns(missing)
        return False

    def _create(self, path: TablePath, columns: Sequence[ColumnSpec], comment: str, partition: Sequence[str]) -> None:
        DeltaTable.create(
            self.url(path),
            Schema([column.delta() for column in columns]),
            mode="ignore",
            partition_by=list(partition),
            description=comment,
            configuration=RETENTION,
            storage_options=self._options,
        )

    def replace(
        self,
        path: TablePath,
        table: SystemTable,
        batches: Iterable[pa.RecordBatch],
        value: str,
        received_date: date | None = None,
    ) -> None:
        """Write rows in place of those that have the same value in the table's `replace_by`, in one commit.

        `received_date`: the day of all these rows, of a table partitioned by it.

        On a conflict, a sequence of batches is retried on the newer table; a stream cannot be, and its caller retries
        with `commit_attempts`.
        """
        rows = RowFilter(table.replace_by, value, received_date)
        for attempt in commit_attempts(COMMIT_TRIES if isinstance(batches, Sequence) else 1):
            with attempt:
                self._replace(path, table, batches, rows)

    def _replace(self, path: TablePath, table: SystemTable, batches: Iterable[pa.RecordBatch], rows: RowFilter) -> None:
        reader = pa.RecordBatchReader.from_batches(table.schema, batches)
        existing = self.open(path)
        options = self._write_options(path, table)
        if existing is None:
            write_deltalake(self.url(path), reader, mode="append", configuration=RETENTION, **options)
            return
        if not is_laid_out(existing, table):
            raise OutdatedTable(
                f"{path} has the partitions of an earlier release; run `lake upkeep` once to repartition it"
            )
        if set(table.schema.names) != {f.name for f in existing.schema().fields}:
            options["schema_mode"] = "merge"
        if has_rows(existing, rows):
            write_deltalake(existing, reader, mode="overwrite", predicate=rows.predicate(), **options)
        else:
            write_deltalake(existing, reader, mode="append", **options)

    def append(self, path: TablePath, rows: pa.Table, once: tuple[str, int] | None = None) -> bool:
        """Add rows to a table that exists, in one commit; False where the table has them already.

        `once`: who writes, and the number of this write; a lower or equal number of the same writer was written before.
        """
        table = self.open(path)
        if table is None:
            raise TableNotFoundError(f"{path} does not exist")
        options: dict[str, Any] = {}
        if once is not None:
            last = table.transaction_version(once[0])
            if last is not None and last >= once[1]:
                return False
            options["commit_properties"] = CommitProperties(app_transactions=[Transaction(*once)])
        write_deltalake(
            table,
            _as_in(table, rows),
            mode="append",
            storage_options=self._options,
            writer_properties=WRITER,
            **options,
        )
        return True

    def may_have_keys(self, path: TablePath, key: Sequence[str], batches: Iterable[pa.RecordBatch]) -> bool:
        """Whether the table has rows within the range of the keys; mostly answered from the log's statistics."""
        table = self.open(path)
        return table is not None and table.to_pyarrow_dataset().count_rows(filter=within_range(batches, key)) > 0

    def merge(self, path: TablePath, rows: pa.Table, merge: Merge) -> None:
        """Merge one delivery's rows by key into a table that exists, in one commit.

        Not by the merge of delta-rs: it writes texts as Arrow views, which pyarrow cannot filter by.
        """
        for attempt in commit_attempts():
            with attempt:
                table = self.open(path)
                if table is None:
                    raise TableNotFoundError(f"{path} does not exist")
                change = replacement(table, _as_in(table, rows), merge)
                self._commit(table, change)

    def remove(self, path: TablePath, rows: pa.Table) -> None:
        """Remove rows from a table, by delivery, file and row number, in one commit."""
        for attempt in commit_attempts():
            with attempt:
                table = self.open(path)
                if table is not None and rows.num_rows:
                    self._commit(table, without(table, rows))

    def _commit(self, table: DeltaTable, change: Replacement) -> None:
        """Commit on this very version of the table, since the change was made from it."""
        if not change.rows.num_rows and not change.predicate:
            return
        options: dict[str, Any] = {"storage_options": self._options, "writer_properties": WRITER}
        options["commit_properties"] = CommitProperties(max_commit_retries=0)
        if change.predicate:
            write_deltalake(table, change.rows, mode="overwrite", predicate=change.predicate, **options)
        else:
            write_deltalake(table, change.rows, mode="append", **options)

    def rewrite(
        self, path: TablePath, existing: DeltaTable, table: SystemTable, batches: Iterable[pa.RecordBatch]
    ) -> None:
        """Rewrite the table with other columns and partitions, in one commit; earlier versions stay readable.

        CommitFailedError where the table has a newer version than `existing`.
        """
        reader = pa.RecordBatchReader.from_batches(table.schema, batches)
        options = self._write_options(path, table)
        # delta-rs would otherwise rebase on a concurrent commit, and retain its files in the old partitions
        options["commit_properties"] = CommitProperties(max_commit_retries=0)
        write_deltalake(existing, reader, mode="overwrite", schema_mode="overwrite", **options)

    def _write_options(self, path: TablePath, table: SystemTable) -> dict[str, Any]:
        partitions = list(table.partition_by) or None
        return {"storage_options": self._options, "writer_properties": writer(path), "partition_by": partitions}

    def rows(self, path: TablePath, delivery: Delivery) -> pa.Table | None:
        """The rows of one delivery; None where the table does not exist yet."""
        table = self.open(path)
        return None if table is None else table.to_pyarrow_table(filters=rows_of(delivery).terms(table))

    def compact_part(self, path: TablePath, partition: str, value: str) -> None:
        """Make one partition's small files large ones; a reader keeps its version."""
        table = self.open(path)
        if table is not None:
            table.optimize.compact(partition_filters=[(partition, "=", value)], writer_properties=writer(path))

    def compact(self, path: TablePath) -> None:
        """Compact small files."""
        table = self.open(path)
        if table is not None:
            table.optimize.compact(writer_properties=writer(path))

    def vacuum(self, path: TablePath, keep_hours: int, keep_versions: Sequence[int] = ()) -> None:
        """Remove older files that no version of the last `keep_hours` needs, those of writers that died before they committed too.

        The files of `keep_versions` stay.
        """
        table = self.open(path)
        if table is not None:
            kept = list(keep_versions) or None
            table.vacuum(retention_hours=keep_hours, dry_run=False, full=True, keep_versions=kept)

    def keep_log(self, path: TablePath) -> None:
        """From now on the table's log stays, so that each version whose files stay can be opened."""
        for attempt in commit_attempts():
            with attempt:
                table = self.open(path)
                if table is not None and table.metadata().configuration.get(LOG_RETENTION) != LOG_STAYS:
                    table.alter.set_table_properties({LOG_RETENTION: LOG_STAYS})

    def holds(self, path: TablePath, rows: RowFilter) -> bool:
        """Whether the table has such rows."""
        table = self.open(path)
        return table is not None and has_rows(table, rows)


def is_laid_out(existing: DeltaTable, table: SystemTable) -> bool:
    """Whether a table has the partitions of its contract."""
    return tuple(existing.metadata().partition_columns) == table.partition_by


def has_rows(table: DeltaTable, rows: RowFilter) -> bool:
    """Whether the table has such rows; answered from the log where no file can match."""
    terms = rows.terms(table)
    if not table.file_uris(file_pruning_predicate=terms):
        return False
    return bool(table.to_pyarrow_table(columns=[rows.column], filters=terms).num_rows)


@lru_cache(maxsize=16)
def _columns(tables: DeltaTables, path: TablePath, version: int | None, names: tuple[str, ...]) -> pa.Table:
    table = tables.open(path, version)
    if table is None:
        raise TableNotFoundError(f"{path} has no version {version}")
    present = {field.name for field in table.schema().fields}
    return table.to_pyarrow_table(columns=[name for name in names if name in present])


def _as_in(table: DeltaTable, rows: pa.Table) -> pa.Table:
    """The rows with the columns and types of the table, null where they lack one."""
    schema = pa.schema(table.schema().to_arrow())
    columns = [rows[f.name] if f.name in rows.column_names else pa.nulls(rows.num_rows, f.type) for f in schema]
    return pa.table(columns, names=schema.names).cast(schema)
