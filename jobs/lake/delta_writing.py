"""How the client writes Delta tables: options of the store, properties of files, and attempts at a commit."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from deltalake import ColumnProperties, WriterProperties
from deltalake.exceptions import CommitFailedError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from jobs.lake.zones import TablePath, Zone
from jobs.settings import Settings

# Versions that a report may cite stay readable for 90 days.
LOG_RETENTION = "delta.logRetentionDuration"
RETENTION = {
    "delta.deletedFileRetentionDuration": "interval 90 days",
    LOG_RETENTION: "interval 90 days",
}
LOG_STAYS = "interval 36500 days"
"""The log of a table of which a version is registered."""
COMMIT_TRIES = 12
# A row group is read by one core: with the default of a million rows, most deliveries would use a single core.
WRITER = WriterProperties(compression="ZSTD", compression_level=1, max_row_group_size=200_000)
# Bronze is mostly read whole, once. The engine reads plain texts twice as fast as those of a dictionary.
TEXT_WRITER = WriterProperties(
    compression="ZSTD",
    compression_level=1,
    max_row_group_size=200_000,
    default_column_properties=ColumnProperties(dictionary_enabled=False),
)


def storage_options(settings: Settings) -> dict[str, str]:
    """Options for delta-rs: path-style S3 with conditional puts, so that two commits never collide."""
    return {
        "AWS_ENDPOINT_URL": settings.s3_endpoint,
        "AWS_ACCESS_KEY_ID": settings.s3_access_key,
        "AWS_SECRET_ACCESS_KEY": settings.s3_secret_key.get_secret_value(),
        "AWS_REGION": settings.s3_region,
        "AWS_ALLOW_HTTP": str(settings.s3_endpoint.startswith("http://")).lower(),
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
        # The commit fails where the object exists; otherwise two writers could write the same version.
        "aws_conditional_put": "etag",
    }


def read_spool(file: Path) -> Iterator[pa.RecordBatch]:
    """Batches of a local Arrow file, one at a time; none of an empty file."""
    if file.stat().st_size == 0:
        return
    with pa.memory_map(str(file)) as source:
        reader = pa.ipc.open_file(source)
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)


def commit_attempts(tries: int = COMMIT_TRIES) -> Retrying:
    """Attempts at a commit: on a conflict, the next starts from the newer table."""
    wait = wait_random_exponential(multiplier=0.05, max=2)
    retry = retry_if_exception_type(CommitFailedError)
    return Retrying(retry=retry, stop=stop_after_attempt(tries), wait=wait, reraise=True)


def writer(path: TablePath) -> WriterProperties:
    """Properties of a table's files."""
    return TEXT_WRITER if path.zone == Zone.BRONZE else WRITER
