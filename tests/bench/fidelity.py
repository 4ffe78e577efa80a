"""Faults that the simulated city plants, by class: how many the lake finds where they stand, and what else it finds."""

from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

from jobs import contracts
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.arrival import land, load
from jobs.pipeline.judging import conform
from jobs.simulator.city import send
from jobs.simulator.faults import KINDS, read_ledger
from tests.bench.common import Measures, stopwatch

START = date(2026, 1, 12)
DAYS = 1
SEED = 11
STATISTICAL = ("stuck", "spike", "drift", "unit_wrong")
Place = tuple[str, int, str]
"""Delivery's file, row, rule."""


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """A day that no test has seen: another seed. A finding at a row that holds no fault of its rule is a false one."""
    catalogue = contracts.load(lake.settings.schemas, lake.settings.expectations)
    found: set[Place] = set()
    planted: dict[str, set[Place]] = defaultdict(set)
    for number in range(DAYS):
        day = START + timedelta(days=number)
        with stopwatch(f"fidelity, {day}"):
            for one in send(day, SEED, folder):
                deliver(lake.store, [one.path], one.dataset, one.provider, Manifest(rows=one.declared_rows))
                for landed in land(lake, catalogue):
                    load(lake, catalogue, landed.delivery.id)
                    conform(lake, catalogue, landed.delivery.id)
                    evidence = lake.arrow.rows(lake.path(Zone.EVIDENCE, one.dataset), landed.delivery.id)
                    if evidence is not None:
                        pairs = zip(evidence["_row"].to_pylist(), evidence["rule"].to_pylist(), strict=True)
                        found |= {(f"{day}/{one.key}", row, rule) for row, rule in pairs}
        for fault in read_ledger(folder / day.isoformat() / "faults.jsonl"):
            planted[fault.kind] |= {(f"{day}/{fault.delivery}", fault.row, rule) for rule in fault.rules if fault.row}
    _say(measures, found, planted)


def _say(measures: Measures, found: set[Place], planted: dict[str, set[Place]]) -> None:
    """Recall of each class; a false finding counts against the classes whose rules it shares."""
    everything = set().union(*planted.values())
    false = found - everything
    for kind in sorted(planted):
        places = planted[kind]
        if not places:
            continue
        rules = {rule for _, _, rule in places}
        caught = places & found
        wrong = {place for place in false if place[2] in rules}
        precision = len(caught) / (len(caught) + len(wrong)) if caught or wrong else 0.0
        aim = "≥ 0.95" if kind in STATISTICAL else "1.00"
        note = (
            f"{KINDS[kind]}: {len(caught)} of {len(places)} places found, {len(wrong)} false; precision {precision:.3f}"
        )
        measures.say(f"recall_{kind}", len(caught) / len(places), aim, note)
    measures.say("false_findings", len(false), "0", f"{len(found):,} findings in all")
