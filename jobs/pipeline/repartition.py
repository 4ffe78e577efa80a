"""Tables of an earlier release repartitioned by the day on which each row's delivery was received."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from jobs.contracts import Contract
from jobs.contracts.names import RECEIVED
from jobs.errors import UserError
from jobs.lake.delta_tables import is_laid_out
from jobs.lake.delta_writing import commit_attempts, read_spool
from jobs.lake.lake import Lake
from jobs.lake.system_tables import SystemTable, bronze_table, system_table
from jobs.lake.zones import Zone

logger = logging.getLogger(__name__)


def repartition(lake: Lake, zone: Zone, contract: Contract) -> bool:
    """Whether the dataset's table of the zone was rewritten, because its partitions differ from its contract; one commit.

    Earlier versions stay readable.
    """
    path = lake.path(zone, contract.id)
    for attempt in commit_attempts():
        with attempt:
            existing = lake.delta.open(path)
            if existing is None or is_laid_out(existing, system_table(zone)):
                return False
            columns = [field.name for field in existing.schema().fields]
            table = bronze_table(columns) if zone is Zone.BRONZE else system_table(zone)
            days = {delivery.id: delivery.received_date() for delivery in lake.ledger.deliveries(contract.id)}
            with TemporaryDirectory(prefix="lake-repartition-") as folder:
                spool = Path(folder) / "rows.arrow"
                _spool(_dated(existing, table, days), table.schema, spool)
                lake.delta.rewrite(path, existing, table, read_spool(spool))
    logger.info("%s: %s is now partitioned by %s", contract.id, path, ", ".join(table.partition_by))
    return True


def _spool(batches: Iterable[pa.RecordBatch], schema: pa.Schema, file: Path) -> None:
    """Spool rows to a local file, so that memory stays flat: delta-rs cannot read a table while it writes it."""
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _dated(existing: DeltaTable, table: SystemTable, days: Mapping[str, date]) -> Iterator[pa.RecordBatch]:
    ids, dates = pa.array(list(days), pa.string()), pa.array(list(days.values()), pa.date32())
    for batch in existing.to_pyarrow_dataset().to_batches():
        places = pc.index_in(batch[table.replace_by].cast(pa.string()), ids)
        if places.null_count:
            unknown = batch[table.replace_by].filter(pc.is_null(places))[0]
            raise UserError(f"delivery '{unknown}' is not in the ledger, so the partition of its rows is unknown")
        columns = {name: batch[name] for name in batch.schema.names} | {RECEIVED: dates.take(places)}
        arrays = [
            columns[field.name].cast(field.type) if field.name in columns else pa.nulls(batch.num_rows, field.type)
            for field in table.schema
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=table.schema)
