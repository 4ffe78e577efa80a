"""Values of another dataset's key that are held back there: delivered, but not yet corrected by their own department."""

import json
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.dataset import field as column

from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, State
from jobs.pipeline.versions import Versions


def held_back_values(lake: Lake, versions: Versions, dataset: str, field: str) -> pa.Array:
    """The distinct values as text; of deliveries that no other has replaced. Read only where a value is unknown.

    Of a delivery that was refused, all rows are held back, also those that break no rule; their values are as sent.
    """
    deliveries = lake.ledger.deliveries(dataset)
    replaced = _replaced(lake, versions, deliveries)
    values = _failed(lake, versions, dataset, field, replaced)
    for delivery in _judged(lake, versions, [d for d in deliveries if d.state is State.REFUSED]):
        if delivery.id not in replaced:
            values |= _sent(lake, delivery, field)
    return pa.array(sorted(values), pa.string())


def _failed(lake: Lake, versions: Versions, dataset: str, field: str, replaced: set[str]) -> set[str]:
    """Values of the rows that break a rule, other than those of the replaced deliveries."""
    path = lake.path(Zone.EVIDENCE, dataset)
    version = versions(path)
    table = None if version is None else lake.delta.open(path, version)
    if table is None:
        return set()
    standing = ~column("_delivery").isin(pa.array(sorted(replaced), pa.string()))
    keys: set[str] = set()
    for batch in table.to_pyarrow_dataset().to_batches(
        columns=["key"], filter=standing & (column("severity") == "critical")
    ):
        keys.update(key for key in pc.unique(batch["key"]).to_pylist() if key)
    return {value for key in keys if (value := json.loads(key).get(field))}


def _sent(lake: Lake, delivery: Delivery, field: str) -> set[str]:
    """The field's values in a delivery, as text."""
    rows = lake.delta.rows(lake.path(Zone.BRONZE, delivery.dataset), delivery)
    if rows is None or field not in rows.column_names:
        return set()
    return set(filter(None, pc.unique(pc.utf8_trim_whitespace(rows[field])).to_pylist()))


def _replaced(lake: Lake, versions: Versions, deliveries: Sequence[Delivery]) -> set[str]:
    """Deliveries that had been replaced by others, at the moment of the versions."""
    by_id = {delivery.id: delivery for delivery in deliveries}
    replaced = {d.id: d.superseded_by for d in deliveries if d.superseded_by}
    judged = _judged(lake, versions, [by_id[by] for by in sorted(set(replaced.values())) if by in by_id])
    return {delivery for delivery, by in replaced.items() if by in {other.id for other in judged}}


def _judged(lake: Lake, versions: Versions, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Those that had their verdict at the moment of the versions."""
    if versions.moment is None or not deliveries:
        return list(deliveries)
    verdicts = Results(lake.delta, lake.settings.s3_bucket).verdicts([("delivery", "in", [d.id for d in deliveries])])
    judged = {verdict.delivery for verdict in verdicts if verdict.judged_at <= versions.moment}
    return [delivery for delivery in deliveries if delivery.id in judged]
