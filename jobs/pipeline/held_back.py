"""Values of another dataset's key that are in quarantine there: delivered, but not yet corrected by their own department."""

import json

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.dataset import field as column

from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.pipeline.versions import Versions


def held_back_values(lake: Lake, versions: Versions, dataset: str, field: str) -> pa.Array:
    """The distinct values as text; of deliveries that no other has replaced. Read only where a value is unknown."""
    path = lake.path(Zone.EVIDENCE, dataset)
    version = versions(path)
    table = None if version is None else lake.delta.open(path, version)
    if table is None:
        return pa.array([], pa.string())
    chosen = (column("severity") == "critical") & ~column("_delivery").isin(
        pa.array(_replaced(lake, versions, dataset), pa.string())
    )
    keys: set[str] = set()
    for batch in table.to_pyarrow_dataset().to_batches(columns=["key"], filter=chosen):
        keys.update(key for key in pc.unique(batch["key"]).to_pylist() if key)
    return pa.array(sorted({value for key in keys if (value := json.loads(key).get(field))}), pa.string())


def _replaced(lake: Lake, versions: Versions, dataset: str) -> list[str]:
    """Deliveries that had been replaced by others, at the moment of the versions."""
    replaced = {d.id: d.superseded_by for d in lake.ledger.deliveries(dataset) if d.superseded_by}
    if versions.moment is None or not replaced:
        return sorted(replaced)
    results = Results(lake.delta, lake.settings.s3_bucket)
    verdicts = results.verdicts([("delivery", "in", sorted(set(replaced.values())))])
    judged = {verdict.delivery for verdict in verdicts if verdict.judged_at <= versions.moment}
    return sorted(delivery for delivery, by in replaced.items() if by in judged)
