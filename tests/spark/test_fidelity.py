"""Every fault that the simulated city plants is found where it was planted, by the rules named, and nothing else is."""

from datetime import date
from pathlib import Path

from jobs.lake.lake import Lake
from tests.planted import places, taken


def test_recall_and_precision_are_one(lake: Lake, tmp_path: Path) -> None:
    day = taken(lake, date(2026, 1, 12), 7, tmp_path)
    planted = places(day.faults)
    assert planted
    assert sorted(planted - day.found) == [], "planted and not found"
    assert sorted(day.found - planted) == [], "found and not planted"
