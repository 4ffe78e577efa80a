"""Gas regulators: pressures on both sides, flow and leak sensor, every fifteen minutes, as JSON lines."""

from datetime import datetime, timedelta
from random import Random

from jobs.simulator.curves import GAS, hour_of_day, hours_since_start, outdoor_c
from jobs.simulator.feed import Feed
from jobs.simulator.forms import JsonLinesForm
from jobs.simulator.registers import Device, devices
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

BEIJING_EPOCH = datetime(1970, 1, 1, 8)
MIDNIGHT = 16 * 3_600_000
"""Midnight in Beijing, in milliseconds of the day in UTC."""


def regulator_mean_m3_h(index: int) -> float:
    """Mean standard flow of the regulator with that number."""
    return 60 + 10 * (index % 9)


def _rows(setting: Setting) -> list[Row]:
    rows: list[Row] = []
    for box in devices(setting, "GR"):
        rng = setting.rng("gas", box.index)
        mean = regulator_mean_m3_h(box.index)
        moments = (setting.midnight() + timedelta(seconds=s) for s in range(0, 86400, box.interval_s))
        rows.extend(_row(box, mean, moment, rng) for moment in moments)
    return rows


def _row(box: Device, mean: float, moment: datetime, rng: Random) -> Row:
    demand = GAS.at(hour_of_day(moment))
    return Row(
        {
            "device_id": box.id,
            "read_at": int((moment - BEIJING_EPOCH).total_seconds()) * 1000,
            "inlet_pressure_mpa": round(0.24 - 0.01 * (demand - 1) + rng.uniform(-0.003, 0.003), 4),
            "outlet_pressure_kpa": round(2.5 + rng.uniform(-0.15, 0.15), 3),
            "gas_temp_c": round(outdoor_c(moment) + rng.uniform(2, 4), 1),
            "std_flow_m3_h": round(mean * demand * rng.uniform(0.98, 1.02), 2),
            "std_total_m3": round(800_000 + mean * GAS.until(hours_since_start(moment)), 2),
            "leak_lel_pct": round(rng.uniform(0, 1.5), 1),
            "alarm_state": "normal",
        }
    )


def _crossed(row: Row, rng: Random) -> dict[str, Cell]:
    inlet, outlet = float(row.text("inlet_pressure_mpa")), float(row.text("outlet_pressure_kpa"))
    return {"inlet_pressure_mpa": round(outlet / 1000, 5), "outlet_pressure_kpa": round(inlet * 1000, 1)}


def not_first(row: Row) -> bool:
    """Not the first reading of the day: only a reading with a predecessor can be lower than it."""
    return int(row.text("read_at")) % 86_400_000 != MIDNIGHT


def clock_text(row: Row, rng: Random) -> Cell:
    """The time of reading as text, in Beijing time."""
    return (BEIJING_EPOCH + timedelta(milliseconds=int(row.text("read_at")))).strftime("%Y-%m-%d %H:%M:%S")


FEED = Feed(
    dataset="gas_regulator_readings",
    rows=_rows,
    form=lambda setting, file: JsonLinesForm(file.headers),
    values={"crossed": _crossed, "clock_text": clock_text},
    where={"not_first": not_first},
)
