"""One day of the simulated city, taken through the lake: what was planted, and what was found."""

from dataclasses import dataclass
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
from jobs.simulator.faults import Fault, read_ledger

Place = tuple[str, int, str]
"""Dataset, row, rule."""


@dataclass(frozen=True)
class Day:
    """Faults of the day's ledger, and the places where the lake found something."""

    faults: tuple[Fault, ...]
    found: frozenset[Place]


def taken(lake: Lake, day: date, seed: int, folder: Path) -> Day:
    """The day's feeds, landed, loaded and judged one by one."""
    catalogue = contracts.load(PROJECT / "schemas", PROJECT / "expectations")
    found: set[Place] = set()
    for one in send(day, seed, folder):
        deliver(
            lake.store,
            [one.path],
            one.dataset,
            one.provider,
            Manifest(rows=one.declared_rows, sent_on=date.fromisoformat(one.sidecar["sent_on"])),
        )
        for landed in land(lake, catalogue):
            load(lake, catalogue, landed.delivery.id)
            conform(lake, catalogue, landed.delivery.id)
            evidence = lake.arrow.rows(lake.path(Zone.EVIDENCE, one.dataset), landed.delivery.id)
            if evidence is not None:
                pairs = zip(evidence["_row"].to_pylist(), evidence["rule"].to_pylist(), strict=True)
                found |= {(one.dataset, row, rule) for row, rule in pairs}
    return Day(read_ledger(folder / day.isoformat() / "faults.jsonl"), frozenset(found))


def places(faults: tuple[Fault, ...]) -> set[Place]:
    """Where the faults must be found; faults of a whole file have no row."""
    return {(fault.dataset, fault.row, rule) for fault in faults if fault.row for rule in fault.rules}
