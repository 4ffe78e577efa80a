"""What can be said of a small file at once, before the lake reads it: its header, its rows, its keys."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from jobs.contracts import Contract
from jobs.contracts.correction import correction
from jobs.errors import DeliveryError
from jobs.ingest.correction_answers import answered_ticket
from jobs.ingest.reading import LocalFile, Reading, read
from jobs.ingest.wordings import wording

MOST_BYTES = 8 << 20
"""Larger files take longer to read than a person waits for a page: the caller does not look at them."""
ABOUT_THE_HEADER = ("column_missing", "column_extra", "column_duplicate", "column_renamed")


def later() -> tuple[str, ...]:
    """What is said of a file that is not looked at."""
    return (wording("look_later"),)


def first_look(contract: Contract, file: LocalFile) -> tuple[str, ...]:
    """Sentences in Chinese about the file's header, rows and keys; the reason alone where it cannot be read."""
    with TemporaryDirectory(prefix="first-look-") as scratch:
        try:
            layout = correction(contract) if answered_ticket([file]) else contract
            reading = read([file], layout, Path(scratch))
            rows = _key_columns(reading, layout)
        except DeliveryError as error:
            return (str(error),)
    header = [finding.message for finding in reading.findings if finding.kind in ABOUT_THE_HEADER]
    lines = [wording("look_rows", rows=reading.counted_rows), *(header or [wording("look_header")])]
    return (*lines, *_about_keys(layout, rows))


def _key_columns(reading: Reading, contract: Contract) -> pa.Table:
    """The key's columns of all rows; without columns where a part of the key is computed later."""
    sent = {field.name for field in contract.fields if not field.is_computed()}
    names = [name for name in contract.key() if name in sent]
    names = names if len(names) == len(contract.key()) else []
    schema = pa.schema([reading.schema.field(name) for name in names])
    return pa.Table.from_batches([batch.select(names) for batch in reading.batches], schema)


def _about_keys(contract: Contract, rows: pa.Table) -> Sequence[str]:
    if not rows.column_names or not rows.num_rows:
        return ()
    titles = "、".join(contract.field(name).title or name for name in rows.column_names)
    whole = rows.drop_null()
    groups = whole.group_by(rows.column_names).aggregate([([], "count_all")])
    empty, repeated = rows.num_rows - whole.num_rows, whole.num_rows - groups.num_rows
    if not empty and not repeated:
        return (wording("look_keys_whole", titles=titles),)
    lines = [wording("look_keys_empty", titles=titles, rows=empty)] if empty else []
    return (*lines, *([wording("look_keys_repeated", titles=titles, rows=repeated)] if repeated else []))
