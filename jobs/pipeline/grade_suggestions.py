"""Fields whose curated values suggest a higher grade than their contract declares."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from jobs.access.recognisers import Recognition, recognise
from jobs.contracts import Contract, Field
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone

ROWS = 5000
"""Rows of a table that are looked at, from its first files."""


@dataclass(frozen=True)
class Suggestion:
    """A field, and what its values seem to be."""

    dataset: str
    field: Field
    recognition: Recognition


def suggestions(lake: Lake, contracts: Iterable[Contract]) -> Iterator[Suggestion]:
    """The fields of text whose values suggest a higher grade, of datasets that have rows."""
    for contract in contracts:
        zone = Zone.GOLD if contract.kind == "product" else Zone.SILVER
        table = lake.delta.open(lake.path(zone, contract.id))
        if table is None:
            continue
        present = {field.name for field in table.schema().fields}
        names = [field.name for field in contract.fields if field.type == "string" and field.name in present]
        rows = table.to_pyarrow_dataset().scanner(columns=names).head(ROWS)
        yield from suggestions_of(contract, rows)


def suggestions_of(contract: Contract, rows: pa.Table) -> Iterator[Suggestion]:
    """The same for rows of one dataset."""
    for name in rows.column_names:
        field = contract.field(name)
        values = Counter(value for value in rows[name].to_pylist() if value)
        recognition = recognise(field.headers()[0], values)
        if recognition is not None and recognition.grade > field.classification:
            yield Suggestion(contract.id, field, recognition)
