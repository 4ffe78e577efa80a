"""Received files → bronze: every row as text, with its delivery, its file and its row number."""

import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from jobs.contracts import Contract, layout_digest
from jobs.contracts.correction import correction
from jobs.contracts.names import DELIVERY, RECEIVED
from jobs.contracts.telemetry import telemetry
from jobs.errors import DeliveryError
from jobs.ingest.correction_answers import answered_ticket
from jobs.ingest.earlier import earlier_deliveries
from jobs.ingest.reading import LocalFile, Reading, read
from jobs.lake.delta_writing import commit_attempts
from jobs.lake.lake import Lake
from jobs.lake.system_tables import bronze_table
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, State

logger = logging.getLogger(__name__)


def load(lake: Lake, contract: Contract, delivery: Delivery) -> Delivery:
    """The delivery with its rows in bronze; one that cannot be read becomes UNREADABLE, with the reason in Chinese."""
    with TemporaryDirectory(prefix="lake-load-") as scratch:
        try:
            files = _fetch(lake, delivery, Path(scratch))
            ticket = answered_ticket(files)
            layout = _layout(contract, delivery, ticket)
            for attempt in commit_attempts():
                with attempt:
                    reading = read(files, layout, Path(scratch))
                    _write(lake, contract, delivery, reading)
        except DeliveryError as error:
            logger.warning("%s: delivery %s cannot be read", contract.id, delivery.id)
            digest = layout_digest(contract)
            return lake.ledger.move(delivery.id, State.UNREADABLE, findings=[], layout_digest=digest, reason=str(error))
    if ticket:
        lake.ledger.answer(delivery.id, ticket)
    logger.info("%s: delivery %s has %s rows in bronze", contract.id, delivery.id, reading.counted_rows)
    before = earlier_deliveries(lake, contract, delivery, reading.digest)
    return lake.ledger.move(
        delivery.id,
        State.LOADED,
        findings=[*reading.findings, *before.findings],
        counted_rows=reading.counted_rows,
        rows_digest=reading.digest,
        layout_digest=layout_digest(contract),
        supersedes=delivery.supersedes or before.replaces,
        reason="",
    )


def _layout(contract: Contract, delivery: Delivery, ticket: str | None) -> Contract:
    """The contract by which the files are read: a correction workbook and an hour of readings have layouts of their own."""
    if ticket:
        return correction(contract)
    return telemetry(contract) if delivery.is_sealed_hour() else contract


def _fetch(lake: Lake, delivery: Delivery, scratch: Path) -> list[LocalFile]:
    files = []
    for index, key in enumerate(delivery.objects):
        name = key.split("/", 4)[-1]
        path = scratch / "received" / str(index)
        lake.store.get_file(key, path)
        files.append(LocalFile(name, path))
    return files


def _write(lake: Lake, contract: Contract, delivery: Delivery, reading: Reading) -> None:
    path, table = lake.path(Zone.BRONZE, contract.id), bronze_table(reading.columns)
    batches = _stamped(reading, delivery, table.schema)
    lake.delta.replace(path, table, batches, delivery.id, delivery.received_date())


def _stamped(reading: Reading, delivery: Delivery, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    stamps = {DELIVERY: pa.scalar(delivery.id, pa.string()), RECEIVED: pa.scalar(delivery.received_date())}
    for batch in reading.batches:
        columns = {name: pa.repeat(stamp, batch.num_rows) for name, stamp in stamps.items()}
        columns |= zip(batch.schema.names, batch.columns, strict=True)
        yield pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)
