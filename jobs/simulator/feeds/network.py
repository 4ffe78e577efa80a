"""Inlets of the metering zones of the water network: pressure, flow and totals, every fifteen minutes."""

from datetime import datetime, timedelta
from random import Random

from jobs.simulator.balances import Balance, balanced_means
from jobs.simulator.curves import WATER, hour_of_day, hours_since_start
from jobs.simulator.feed import Feed
from jobs.simulator.feeds.water import CLOCK, plant_mean_m3_h
from jobs.simulator.registers import Device, devices
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

# What a county's plants supply reaches its zones but for leaks and the works' own use.
SUPPLY = Balance("WP", plant_mean_m3_h, shares=(0.925, 0.93, 0.94, 0.95), elsewhere=600)


def _rows(setting: Setting) -> list[Row]:
    rows: list[Row] = []
    means = balanced_means(setting, "WN", SUPPLY)
    for point in devices(setting, "WN"):
        rng = setting.rng("network", point.index)
        moments = (setting.midnight() + timedelta(seconds=s) for s in range(0, 86400, point.interval_s))
        rows.extend(_row(point, means[point.id], moment, rng) for moment in moments)
    return rows


def _row(point: Device, mean: float, moment: datetime, rng: Random) -> Row:
    demand = WATER.at(hour_of_day(moment))
    return Row(
        {
            "device_id": point.id,
            "read_at": moment.strftime(CLOCK),
            "network_pressure_mpa": f"{0.31 - 0.06 * (demand - 1) + rng.uniform(-0.005, 0.005):.3f}",
            "network_flow_m3_h": f"{mean * demand * rng.uniform(0.98, 1.02):.1f}",
            "forward_total_m3": f"{2_000_000 + mean * WATER.until(hours_since_start(moment)):.1f}",
            "reverse_total_m3": f"{120 + 15 * point.index:.1f}",
            "battery_v": f"{3.6 + rng.uniform(-0.02, 0.02):.2f}",
        }
    )


def _grouped(row: Row, rng: Random) -> Cell:
    return f"{float(row.text('forward_total_m3')):,.1f}"


def _backwards(row: Row, rng: Random) -> Cell:
    return f"-{row.text('network_flow_m3_h')}"


def not_first(row: Row) -> bool:
    """Not the first reading of the day: only a reading with a predecessor can be lower than it."""
    return not row.text("read_at").endswith("00:00:00")


FEED = Feed(
    dataset="water_network_readings",
    rows=_rows,
    values={"grouped": _grouped, "backwards": _backwards},
    where={"not_first": not_first},
)
