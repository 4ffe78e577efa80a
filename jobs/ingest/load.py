"""Received bytes → bronze: every row as text, with its delivery, its file and its row number."""

import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from jobs.contracts import Contract
from jobs.contracts.correction import correction
from jobs.contracts.names import DELIVERY, ROW
from jobs.errors import DeliveryError
from jobs.ingest.correction_answers import answered_ticket
from jobs.ingest.reading import LocalFile, Reading, read
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, State

logger = logging.getLogger(__name__)


def load(lake: Lake, contract: Contract, delivery: Delivery) -> Delivery:
    """The delivery with its rows in bronze; one that cannot be read ends as UNREADABLE with the reason in Chinese."""
    with TemporaryDirectory(prefix="lake-load-") as scratch:
        try:
            files = _fetch(lake, delivery, Path(scratch))
            ticket = answered_ticket(files)
            reading = read(files, correction(contract) if ticket else contract, Path(scratch))
            _write(lake, contract, delivery, reading)
        except DeliveryError as error:
            logger.warning("%s: delivery %s cannot be read", contract.id, delivery.id)
            return lake.ledger.move(delivery.id, State.UNREADABLE, findings=[], reason=str(error))
    if ticket:
        lake.ledger.answer(delivery.id, ticket)
    logger.info("%s: delivery %s has %s rows in bronze", contract.id, delivery.id, reading.counted_rows)
    return lake.ledger.move(
        delivery.id, State.LOADED, findings=reading.findings, counted_rows=reading.counted_rows, reason=""
    )


def _fetch(lake: Lake, delivery: Delivery, scratch: Path) -> list[LocalFile]:
    files = []
    for index, key in enumerate(delivery.objects):
        name = key.split("/", 4)[-1]
        path = scratch / "received" / str(index)
        lake.store.get_file(key, path)
        files.append(LocalFile(name, path))
    return files


def _write(lake: Lake, contract: Contract, delivery: Delivery, reading: Reading) -> None:
    path = lake.path(Zone.BRONZE, contract.id)
    schema = pa.schema(
        [
            *((name, pa.int64() if name == ROW else pa.string()) for name in reading.columns),
            (DELIVERY, pa.string()),
        ]
    )
    lake.delta.replace(path, schema, _stamped(reading, delivery.id, schema), delivery.id)


def _stamped(reading: Reading, delivery: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in reading.batches:
        stamp = pa.repeat(pa.scalar(delivery, pa.string()), batch.num_rows)
        yield pa.RecordBatch.from_arrays([*batch.columns, stamp], schema=schema)
