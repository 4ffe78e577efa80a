"""Every fault that the simulated city plants is found where it was planted, by the rules named, and nothing else is."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from jobs import contracts
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.arrival import land, load
from jobs.pipeline.judging import conform
from jobs.settings import PROJECT
from jobs.simulator.city import send
from jobs.simulator.faults import read_ledger

DAY = date(2026, 1, 12)
SEED = 7
Found = set[tuple[str, int, str]]


def found(lake: Lake, folder: Path) -> Iterator[tuple[str, int, str]]:
    """Dataset, row and rule of everything that the lake found in a day's feeds."""
    catalogue = contracts.load(PROJECT / "schemas", PROJECT / "expectations")
    for one in send(DAY, SEED, folder):
        deliver(lake.store, [one.path], one.dataset, one.provider, Manifest(rows=one.declared_rows))
        for landed in land(lake, catalogue):
            load(lake, catalogue, landed.delivery.id)
            conform(lake, catalogue, landed.delivery.id)
            evidence = lake.arrow.rows(lake.path(Zone.EVIDENCE, one.dataset), landed.delivery.id)
            if evidence is not None:
                pairs = zip(evidence["_row"].to_pylist(), evidence["rule"].to_pylist(), strict=True)
                yield from ((one.dataset, row, rule) for row, rule in pairs)


def test_recall_and_precision_are_one(lake: Lake, tmp_path: Path) -> None:
    got = set(found(lake, tmp_path))
    faults = read_ledger(tmp_path / DAY.isoformat() / "faults.jsonl")
    planted = {(f.dataset, f.row, rule) for f in faults if f.row for rule in f.rules}
    assert planted
    assert sorted(planted - got) == [], "planted and not found"
    assert sorted(got - planted) == [], "found and not planted"
