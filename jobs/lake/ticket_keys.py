"""By which fields of the key open requests and objections name their records."""

from collections.abc import Sequence

import pyarrow.compute as pc

from jobs.lake.delta_tables import DeltaTables
from jobs.lake.zones import TablePath


def key_fields(delta: DeltaTables, tickets: TablePath, dataset: str) -> Sequence[Sequence[str]]:
    """Choices of key fields in `results.tickets`, each once, in order; none without such tickets of the dataset."""
    table = delta.open(tickets)
    if table is None or "key_fields" not in {field.name for field in table.schema().fields}:
        return ()
    found = table.to_pyarrow_table(columns=["key_fields"], filters=[("dataset", "=", dataset)])["key_fields"]
    return [fields.split(",") for fields in sorted(filter(None, pc.unique(found).to_pylist()))]
