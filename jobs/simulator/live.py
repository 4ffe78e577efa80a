"""A day of water readings with one limit broken and kept again: what a live demonstration sends."""

from datetime import date
from pathlib import Path

from jobs.simulator.feeds.water import FEED
from jobs.simulator.forms import CsvForm
from jobs.simulator.setting import Setting

DATASET = FEED.dataset
SIMULATED = date(2026, 1, 12)
FIELD, BROKEN, WAVE = "out_turbidity_ntu", 1.85, (0.0, 0.013, -0.021, 0.034, -0.008)
FROM, UNTIL = 0.5, 0.62
"""The part of the day during which the first plant's turbidity is beyond its limit."""


def water_day(day: date, seed: int, folder: Path) -> Path:
    """The file of the day, without other faults."""
    rows = FEED.rows(Setting(seed, day, 1.0))
    plant = [row for row in rows if row.text("device_id") == rows[0].text("device_id")]
    for number, row in enumerate(plant[int(len(plant) * FROM) : int(len(plant) * UNTIL) + 1]):
        row.cells[FIELD] = f"{BROKEN + WAVE[number % len(WAVE)]:.3f}"
    path = folder / f"{DATASET}.csv"
    CsvForm(FEED.file().headers).write(path, rows)
    return path
