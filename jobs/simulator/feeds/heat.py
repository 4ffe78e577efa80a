"""Heat stations: both sides of the exchanger, every five minutes; idle outside the season. GB 18030 text."""

from datetime import datetime, timedelta
from random import Random

from jobs.simulator.curves import HEAT, hour_of_day, hours_since_start, is_heating, outdoor_c
from jobs.simulator.feed import Feed
from jobs.simulator.feed_file import feed_file
from jobs.simulator.feeds.water import CLOCK, between
from jobs.simulator.forms import CsvForm
from jobs.simulator.registers import devices
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

DATASET = "heat_station_minutes"
GJ_PER_T_K = 0.0041868


def station_mean_gj_h(index: int) -> float:
    """Mean heat of the station with that number."""
    return 9 + 1.5 * (index % 7)


def _rows(setting: Setting) -> list[Row]:
    rows: list[Row] = []
    running = is_heating(setting.day)
    for station in devices(setting, "HS"):
        rng = setting.rng("heat", station.index)
        mean = station_mean_gj_h(station.index)
        for second in range(0, 86400, station.interval_s):
            moment = setting.midnight() + timedelta(seconds=second)
            values = _running(mean, moment, rng) if running else _idle(mean)
            rows.append(Row({"device_id": station.id, "read_at": moment.strftime(CLOCK), **values}))
    return rows


def _running(mean: float, moment: datetime, rng: Random) -> dict[str, Cell]:
    cold = outdoor_c(moment)
    load = HEAT.at(hour_of_day(moment))
    supply = round(90 - cold + rng.uniform(-0.5, 0.5), 1)
    back = round(42 - 0.3 * cold + rng.uniform(-0.5, 0.5), 1)
    rate = mean * load * rng.uniform(0.99, 1.01)
    return {
        "primary_supply_temp_c": f"{supply:.1f}",
        "primary_return_temp_c": f"{back:.1f}",
        "primary_supply_pressure_mpa": f"{0.82 + rng.uniform(-0.01, 0.01):.3f}",
        "primary_return_pressure_mpa": f"{0.55 + rng.uniform(-0.01, 0.01):.3f}",
        "primary_flow_t_h": f"{rate / (GJ_PER_T_K * (supply - back)):.2f}",
        "heat_rate_gj_h": f"{rate:.3f}",
        "heat_total_gj": f"{400_000 + mean * HEAT.until(hours_since_start(moment)):.2f}",
        "secondary_supply_temp_c": f"{46 - 0.5 * cold + rng.uniform(-0.3, 0.3):.1f}",
        "secondary_return_temp_c": f"{38 - 0.4 * cold + rng.uniform(-0.3, 0.3):.1f}",
        "secondary_supply_pressure_mpa": f"{0.42 + rng.uniform(-0.01, 0.01):.3f}",
        "secondary_return_pressure_mpa": f"{0.30 + rng.uniform(-0.01, 0.01):.3f}",
        "valve_opening_pct": f"{55 * load:.0f}",
        "pump_frequency_hz": f"{40 * load:.1f}",
        "tank_level_m": f"{1.5 + rng.uniform(-0.05, 0.05):.2f}",
    }


def _idle(mean: float) -> dict[str, Cell]:
    fields = feed_file(DATASET).headers
    still = dict.fromkeys(fields, "0")
    temps = {name: "22.0" for name in fields if name.endswith("_temp_c")}
    total = f"{400_000 + mean * 1000:.2f}"
    values: dict[str, Cell] = {**still, **temps, "heat_total_gj": total, "tank_level_m": "1.50"}
    return {name: value for name, value in values.items() if name not in ("device_id", "read_at")}


def _primary_swapped(row: Row, rng: Random) -> dict[str, Cell]:
    supply, back = row.cells["primary_supply_temp_c"], row.cells["primary_return_temp_c"]
    return {"primary_supply_temp_c": back, "primary_return_temp_c": supply}


def _secondary_swapped(row: Row, rng: Random) -> dict[str, Cell]:
    supply, back = row.cells["secondary_supply_temp_c"], row.cells["secondary_return_temp_c"]
    return {"secondary_supply_temp_c": back, "secondary_return_temp_c": supply}


def _pressures_swapped(row: Row, rng: Random) -> dict[str, Cell]:
    supply, back = row.cells["primary_supply_pressure_mpa"], row.cells["primary_return_pressure_mpa"]
    return {"primary_supply_pressure_mpa": back, "primary_return_pressure_mpa": supply}


def _in_kw(row: Row, rng: Random) -> Cell:
    return f"{float(row.text('heat_rate_gj_h')) * 277.78:.1f}"


FEED = Feed(
    dataset=DATASET,
    rows=_rows,
    form=lambda setting, file: CsvForm(file.headers, "gb18030"),
    values={
        "primary_swapped": _primary_swapped,
        "secondary_swapped": _secondary_swapped,
        "pressures_swapped": _pressures_swapped,
        "in_kw": _in_kw,
    },
    where={"between": between},
)
