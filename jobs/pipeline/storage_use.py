"""How much each dataset and product occupies in the object store, measured once a day."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.system_tables import system_table
from jobs.lake.zones import Zone

TABLE = "storage"
ZONES = (Zone.TELEMETRY, Zone.BRONZE, Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE, Zone.PROOFS, Zone.GOLD)
"""Zones with one folder for each dataset."""


def measure_storage(lake: Lake, registry: Registry) -> Mapping[str, int]:
    """Bytes by dataset and product, which become the rows of the local day in `results.storage`."""
    known = {contract.id for contract in (*registry.sources(), *registry.products())}
    files, sizes = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for dataset, zone, size in _objects(lake):
        if dataset in known:
            files[dataset, zone] += 1
            sizes[dataset, zone] += size
    day = datetime.now(UTC).astimezone(ZoneInfo(lake.settings.timezone)).date().isoformat()
    table = system_table(TABLE)
    rows: list[dict[str, str | int]] = [
        {"measured_day": day, "dataset": dataset, "zone": zone, "files": files[dataset, zone], "bytes": size}
        for (dataset, zone), size in sorted(sizes.items())
    ]
    batches = pa.Table.from_pylist(rows, schema=table.schema).to_batches()
    lake.delta.replace(lake.path(Zone.RESULTS, TABLE), table, batches, day)
    return _by_dataset(rows)


def newest_storage(lake: Lake) -> tuple[str, Mapping[str, int]]:
    """The newest day that was measured, and bytes by dataset and product; empty where nothing was measured yet."""
    table = lake.delta.open(lake.path(Zone.RESULTS, TABLE))
    if table is None:
        return "", {}
    rows = table.to_pyarrow_table(columns=["measured_day", "dataset", "bytes"]).to_pylist()
    day = max((row["measured_day"] for row in rows), default="")
    return day, _by_dataset([row for row in rows if row["measured_day"] == day])


def _by_dataset(rows: Sequence[Mapping[str, str | int]]) -> Mapping[str, int]:
    found = Counter[str]()
    for row in rows:
        found[str(row["dataset"])] += int(row["bytes"])
    return found


def _objects(lake: Lake) -> list[tuple[str, str, int]]:
    """Dataset, zone and size in bytes of each object."""
    found = []
    for zone in ZONES:
        for stored in lake.store.list(f"{zone}/"):
            parts = stored.key.split("/")
            if len(parts) > 2:
                found.append((parts[1], str(zone), stored.size))
    return found
