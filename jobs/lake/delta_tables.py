"""Delta tables whose rows are born in the client: bronze, quarantine, evidence, results; put-if-absent commits.

Each of these tables has this writer alone (ADR 0003); Spark reads them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from jobs.lake.zones import TablePath
from jobs.settings import Settings

# Versions that a report may cite stay readable for 90 days.
RETENTION = {
    "delta.deletedFileRetentionDuration": "interval 90 days",
    "delta.logRetentionDuration": "interval 90 days",
}
COMMIT_TRIES = 12
# A row group is read by one core: with the million rows that are usual, most deliveries would keep the others waiting.
WRITER = WriterProperties(compression="SNAPPY", max_row_group_size=200_000)


def storage_options(settings: Settings) -> dict[str, str]:
    """Options for delta-rs: path-style S3 with conditional puts, so that two commits never meet."""
    return {
        "AWS_ENDPOINT_URL": settings.s3_endpoint,
        "AWS_ACCESS_KEY_ID": settings.s3_access_key,
        "AWS_SECRET_ACCESS_KEY": settings.s3_secret_key.get_secret_value(),
        "AWS_REGION": settings.s3_region,
        "AWS_ALLOW_HTTP": str(settings.s3_endpoint.startswith("http://")).lower(),
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
        # The commit fails where the object is already there; without it, two writers could both write one version.
        "aws_conditional_put": "etag",
    }


def read_spool(file: Path) -> Iterator[pa.RecordBatch]:
    """Batches of a local Arrow file, one at a time; none of an empty one."""
    if file.stat().st_size == 0:
        return
    with pa.memory_map(str(file)) as source:
        reader = pa.ipc.open_file(source)
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)


class DeltaTables:
    """Reads any Delta table's metadata, and writes those that the client owns."""

    def __init__(self, settings: Settings) -> None:
        self._options = storage_options(settings)

    def open(self, path: TablePath, version: int | None = None) -> DeltaTable | None:
        """The table, at its newest version or a given one; None where it does not exist yet."""
        try:
            return DeltaTable(path.delta_url, version=version, storage_options=self._options)
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
        """Rows of the table by its log alone, without its files; 0 where it does not exist yet."""
        table = self.open(path)
        return 0 if table is None else int(table.count())

    def replace(  # noqa: PLR0913 - where, what, and which rows give way
        self,
        path: TablePath,
        schema: pa.Schema,
        batches: Iterable[pa.RecordBatch],
        delivery: str,
        column: str = "_delivery",
        partition_by: tuple[str, ...] = ("_delivery",),
    ) -> None:
        """Write the rows of one delivery in place of any earlier ones of that delivery, in one commit.

        Where another commit came first, rows that are at hand are tried again on the newer table; a stream cannot be.
        """
        # A stream is used up by the first try: writing what is left of it would lose rows silently.
        tries = stop_after_attempt(COMMIT_TRIES if isinstance(batches, Sequence) else 1)
        wait = wait_random_exponential(multiplier=0.05, max=2)
        for attempt in Retrying(retry=retry_if_exception_type(CommitFailedError), stop=tries, wait=wait, reraise=True):
            with attempt:
                self._replace(path, schema, batches, delivery, column, partition_by)

    def _replace(  # noqa: PLR0913 - as above
        self,
        path: TablePath,
        schema: pa.Schema,
        batches: Iterable[pa.RecordBatch],
        delivery: str,
        column: str,
        partition_by: tuple[str, ...],
    ) -> None:
        reader = pa.RecordBatchReader.from_batches(schema, batches)
        existing = self.open(path)
        options: dict[str, Any] = {"storage_options": self._options, "writer_properties": WRITER}
        options["partition_by"] = list(partition_by) or None
        if existing is None:
            write_deltalake(path.delta_url, reader, mode="append", configuration=RETENTION, **options)
            return
        if set(schema.names) != {f.name for f in existing.schema().fields}:
            options["schema_mode"] = "merge"
        # Appending meets no other commit, overwriting may; so only a delivery that ran before is overwritten.
        if self._has(existing, column, delivery):
            write_deltalake(existing, reader, mode="overwrite", predicate=f"{column} = '{delivery}'", **options)
        else:
            write_deltalake(existing, reader, mode="append", **options)

    def rows(self, path: TablePath, delivery: str) -> pa.Table | None:
        """The rows of one delivery; None where the table does not exist yet."""
        table = self.open(path)
        if table is None:
            return None
        return table.to_pyarrow_table(filters=[("_delivery", "=", delivery)])

    def compact(self, path: TablePath, keep_hours: int) -> None:
        """Join small files, and remove those that no version of the last `keep_hours` needs."""
        table = self.open(path)
        if table is not None:
            table.optimize.compact(writer_properties=WRITER)
            table.vacuum(retention_hours=keep_hours, dry_run=False)

    def holds(self, path: TablePath, column: str, value: str) -> bool:
        """Whether the table has a row with this value."""
        table = self.open(path)
        return table is not None and self._has(table, column, value)

    @staticmethod
    def _has(table: DeltaTable, column: str, delivery: str) -> bool:
        # The log alone answers for a partition; other columns need a read.
        if column in table.metadata().partition_columns:
            return bool(table.file_uris(file_pruning_predicate=[(column, "=", delivery)]))
        found = table.to_pyarrow_table(columns=[column], filters=[(column, "=", delivery)])
        return bool(found.num_rows)
