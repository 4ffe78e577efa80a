"""Faults that the simulated city plants, by class: how many the lake finds where they stand, and what else it finds."""

from datetime import date
from pathlib import Path

from jobs.lake.lake import Lake
from jobs.simulator.faults import KINDS
from tests.bench.common import Measures, stopwatch
from tests.planted import Day, places, taken

DAY = date(2026, 1, 12)
SEED = 11
STATISTICAL = ("stuck", "spike", "drift", "unit_wrong")


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """A day that no test has seen: another seed. A finding at a row that holds no fault of its rule is a false one."""
    with stopwatch("fidelity"):
        day = taken(lake, DAY, SEED, folder)
    _say(measures, day)


def _say(measures: Measures, day: Day) -> None:
    """Recall of each class; a false finding counts against the classes whose rules it shares."""
    false = day.found - places(day.faults)
    for kind in sorted({fault.kind for fault in day.faults}):
        planted = places(tuple(fault for fault in day.faults if fault.kind == kind))
        if not planted:
            continue
        rules = {rule for _, _, rule in planted}
        caught = planted & day.found
        wrong = {place for place in false if place[2] in rules}
        precision = len(caught) / (len(caught) + len(wrong)) if caught or wrong else 0.0
        aim = "≥ 0.95" if kind in STATISTICAL else "1.00"
        note = f"{KINDS[kind]}: {len(caught)} of {len(planted)} places found, {len(wrong)} false; precision {precision:.3f}"
        measures.say(f"recall_{kind}", len(caught) / len(planted), aim, note)
    measures.say("false_findings", len(false), "0", f"{len(day.found):,} findings in all")
