"""Faults that the simulated city plants, by class: how many the lake finds where they stand, and what else it finds."""

from datetime import date
from pathlib import Path

from jobs import contracts
from jobs.lake.lake import Lake
from jobs.pipeline.fidelity import fidelity, simulated_day
from jobs.settings import PROJECT
from tests.bench.common import Measures, stopwatch

DAY = date(2026, 1, 12)
SEED = 11
STATISTICAL = ("stuck", "spike", "drift", "unit_wrong")


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """A day that no test has seen: another seed. A finding at a row that holds no fault of its rule is a false one."""
    registry = contracts.load(PROJECT / "schemas", PROJECT / "expectations")
    with stopwatch("fidelity"):
        day = simulated_day(lake, registry, DAY, SEED, folder)
    kinds, false = fidelity(day)
    for one in kinds:
        aim = "≥ 0.95" if one.kind in STATISTICAL else "1.00"
        found = f"{one.found} of {one.planted} places found, {one.false} false; precision {one.precision():.3f}"
        measures.say(f"recall_{one.kind}", one.recall(), aim, f"{one.title}: {found}")
    measures.say("false_findings", false, "0", f"{len(day.found):,} findings in all")
