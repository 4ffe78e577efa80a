"""Water plants: quality, flow and pressure of the outlet, every five minutes."""

from datetime import datetime, timedelta
from random import Random

from jobs.simulator.curves import WATER, hour_of_day, hours_since_start, outdoor_c
from jobs.simulator.feed import Feed
from jobs.simulator.planting import Value
from jobs.simulator.registers import Device, devices
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

CLOCK = "%Y-%m-%d %H:%M:%S"


def plant_mean_m3_h(index: int) -> float:
    """Mean flow of the plant with that number."""
    return 1200 + 300 * (index % 5)


def _rows(setting: Setting) -> list[Row]:
    rows: list[Row] = []
    for plant in devices(setting, "WP"):
        rng = setting.rng("water", plant.index)
        mean = plant_mean_m3_h(plant.index)
        moments = (setting.midnight() + timedelta(seconds=s) for s in range(0, 86400, plant.interval_s))
        rows.extend(_row(plant, mean, moment, rng) for moment in moments)
    return rows


def _row(plant: Device, mean: float, moment: datetime, rng: Random) -> Row:
    demand = WATER.at(hour_of_day(moment))
    temp = max(3.0, 8 + 0.6 * outdoor_c(moment))
    return Row(
        {
            "device_id": plant.id,
            "read_at": moment.strftime(CLOCK),
            "received_at": (moment + timedelta(seconds=rng.randrange(2, 40))).strftime(CLOCK),
            "raw_turbidity_ntu": f"{6 + rng.uniform(-1, 1):.2f}",
            "out_turbidity_ntu": f"{0.25 + rng.uniform(-0.05, 0.05):.3f}",
            "ph": f"{7.6 + rng.uniform(-0.1, 0.1):.2f}",
            "free_chlorine_mg_l": f"{0.65 + rng.uniform(-0.08, 0.08):.2f}",
            "water_temp_c": f"{temp + rng.uniform(-0.2, 0.2):.1f}",
            "out_flow_m3_h": f"{mean * demand * rng.uniform(0.985, 1.015):.1f}",
            "out_total_m3": f"{5_000_000 + mean * WATER.until(hours_since_start(moment)):.1f}",
            "out_pressure_mpa": f"{0.42 - 0.05 * (demand - 1) + rng.uniform(-0.005, 0.005):.3f}",
        }
    )


def _grouped(row: Row, rng: Random) -> Cell:
    return f"{float(row.text('out_total_m3')):,.1f}"


def between(row: Row) -> bool:
    """Not the first nor the last reading of the day: only such a reading has two neighbours to differ from."""
    return not row.text("read_at").endswith(("00:00:00", "23:55:00"))


def _moved(seconds: int) -> Value:
    def to(row: Row, rng: Random) -> Cell:
        return (datetime.strptime(row.text("read_at"), CLOCK) + timedelta(seconds=seconds)).strftime(CLOCK)

    return to


FEED = Feed(
    dataset="water_plant_minutes",
    rows=_rows,
    values={"grouped": _grouped, "eight_hours_early": _moved(-28800), "two_hours_late": _moved(7200)},
    where={"between": between},
)
