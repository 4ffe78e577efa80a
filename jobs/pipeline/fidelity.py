"""One day of the simulated city run through the pipeline: planted faults, and those the lake found."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from jobs.simulator.city import send
from jobs.simulator.faults import KINDS, Fault, read_ledger

Place = tuple[str, int, str]
"""Dataset, row, rule."""


@dataclass(frozen=True)
class Day:
    """Faults of the day's ledger, and the places where the lake found something."""

    faults: tuple[Fault, ...]
    found: frozenset[Place]


def simulated_day(lake: Lake, registry: Registry, day: date, seed: int, folder: Path) -> Day:
    """The day's feeds, landed, loaded and conformed one by one."""
    places_found: set[Place] = set()
    for feed in send(day, seed, folder):
        deliver(
            lake.store,
            [feed.path],
            feed.dataset,
            feed.provider,
            Manifest(rows=feed.declared_rows, sent_on=date.fromisoformat(feed.sidecar["sent_on"])),
        )
        for landed in land(lake, registry):
            load(lake, registry, landed.delivery.id)
            conform(lake, registry, landed.delivery.id)
            evidence = lake.delta.rows(lake.path(Zone.EVIDENCE, feed.dataset), landed.delivery)
            if evidence is not None:
                pairs = zip(evidence["_row"].to_pylist(), evidence["rule"].to_pylist(), strict=True)
                places_found |= {(feed.dataset, row, rule) for row, rule in pairs}
    return Day(read_ledger(folder / day.isoformat() / "faults.jsonl"), frozenset(places_found))


def places(faults: tuple[Fault, ...]) -> set[Place]:
    """Where the faults must be found; faults of a file as a whole have no row."""
    return {(fault.dataset, fault.row, rule) for fault in faults if fault.row for rule in fault.rules}


@dataclass(frozen=True)
class Fidelity:
    """One class of faults: places where it was planted, those found, and findings of its rules where no fault is."""

    kind: str
    title: str
    planted: int
    found: int
    false: int

    def recall(self) -> float:
        """Share of the planted places that were found."""
        return self.found / self.planted

    def precision(self) -> float:
        """Share of true findings among those of its rules; 0 where there are none."""
        findings = self.found + self.false
        return self.found / findings if findings else 0.0


def fidelity(day: Day) -> tuple[tuple[Fidelity, ...], int]:
    """Each planted class, and the number of all false findings; one counts against every class with its rule."""
    false = day.found - places(day.faults)
    by_kind = []
    for kind in sorted({fault.kind for fault in day.faults}):
        planted = places(tuple(fault for fault in day.faults if fault.kind == kind))
        rules = {rule for _, _, rule in planted}
        wrong = sum(place[2] in rules for place in false)
        if planted:
            by_kind.append(Fidelity(kind, KINDS[kind], len(planted), len(planted & day.found), wrong))
    return tuple(by_kind), len(false)
