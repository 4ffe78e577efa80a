"""Every fault that the simulated city plants is found where it was planted, by the rules named, and nothing else is."""

from datetime import date
from pathlib import Path

from jobs.contracts import load
from jobs.lake.lake import Lake
from jobs.pipeline.fidelity import Place, fidelity, places, simulated_day
from jobs.settings import PROJECT


def test_recall_and_precision_are_one(lake: Lake, tmp_path: Path) -> None:
    day = simulated_day(lake, load(PROJECT / "schemas", PROJECT / "expectations"), date(2026, 1, 12), 7, tmp_path)
    planted = places(day.faults)
    assert planted
    assert _told(planted - day.found) == "", "planted and not found"
    assert _told(day.found - planted) == "", "found and not planted"
    kinds, false = fidelity(day)
    assert false == 0 and {(one.recall(), one.precision()) for one in kinds} == {(1.0, 1.0)}


def _told(places: set[Place]) -> str:
    return "; ".join(" ".join(map(str, place)) for place in sorted(places))
