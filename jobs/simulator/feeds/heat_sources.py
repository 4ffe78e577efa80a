"""Heat sources: supply and return at the outlet, heat and make-up water, every five minutes; idle outside the season."""

from datetime import datetime, timedelta
from random import Random

from jobs.simulator.balances import Balance, balanced_means
from jobs.simulator.curves import HEAT, hour_of_day, hours_since_start, is_heating, outdoor_c
from jobs.simulator.feed import Feed
from jobs.simulator.feeds.heat import GJ_PER_T_K, station_mean_gj_h
from jobs.simulator.feeds.network import not_first
from jobs.simulator.feeds.water import CLOCK
from jobs.simulator.forms import CsvForm
from jobs.simulator.registers import devices
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

# A source gives what its county's stations take, and the losses of the pipes between them.
STATIONS = Balance("HS", station_mean_gj_h, shares=(1.03, 1.04, 1.05, 1.06), elsewhere=15)
TOTAL_GJ = 900_000


def _rows(setting: Setting) -> list[Row]:
    rows: list[Row] = []
    means = balanced_means(setting, "HP", STATIONS)
    running = is_heating(setting.day)
    for source in devices(setting, "HP"):
        rng = setting.rng("heat_source", source.index)
        for second in range(0, 86400, source.interval_s):
            moment = setting.midnight() + timedelta(seconds=second)
            values = _running(means[source.id], moment, rng) if running else _idle(means[source.id])
            rows.append(Row({"device_id": source.id, "read_at": moment.strftime(CLOCK), **values}))
    return rows


def _running(mean: float, moment: datetime, rng: Random) -> dict[str, Cell]:
    cold = outdoor_c(moment)
    supply = round(92 - cold + rng.uniform(-0.4, 0.4), 1)
    back = round(41.5 - 0.3 * cold + rng.uniform(-0.4, 0.4), 1)
    rate = mean * HEAT.at(hour_of_day(moment)) * rng.uniform(0.99, 1.01)
    flow = rate / (GJ_PER_T_K * (supply - back))
    return {
        "source_supply_temp_c": f"{supply:.1f}",
        "source_return_temp_c": f"{back:.1f}",
        "source_supply_pressure_mpa": f"{1.05 + rng.uniform(-0.01, 0.01):.3f}",
        "source_return_pressure_mpa": f"{0.38 + rng.uniform(-0.01, 0.01):.3f}",
        "source_flow_t_h": f"{flow:.2f}",
        "source_heat_rate_gj_h": f"{rate:.3f}",
        "source_total_gj": f"{TOTAL_GJ + mean * HEAT.until(hours_since_start(moment)):.2f}",
        "makeup_water_t_h": f"{flow * rng.uniform(0.005, 0.009):.2f}",
    }


def _idle(mean: float) -> dict[str, Cell]:
    return {
        "source_supply_temp_c": "22.0",
        "source_return_temp_c": "22.0",
        "source_supply_pressure_mpa": "0",
        "source_return_pressure_mpa": "0",
        "source_flow_t_h": "0",
        "source_heat_rate_gj_h": "0",
        "source_total_gj": f"{TOTAL_GJ + mean * 1000:.2f}",
        "makeup_water_t_h": "0",
    }


def _temps_swapped(row: Row, rng: Random) -> dict[str, Cell]:
    supply, back = row.cells["source_supply_temp_c"], row.cells["source_return_temp_c"]
    return {"source_supply_temp_c": back, "source_return_temp_c": supply}


def _pressures_swapped(row: Row, rng: Random) -> dict[str, Cell]:
    supply, back = row.cells["source_supply_pressure_mpa"], row.cells["source_return_pressure_mpa"]
    return {"source_supply_pressure_mpa": back, "source_return_pressure_mpa": supply}


def _in_mw(row: Row, rng: Random) -> Cell:
    return f"{float(row.text('source_heat_rate_gj_h')) / 3.6:.3f}"


FEED = Feed(
    dataset="heat_source_minutes",
    rows=_rows,
    form=lambda setting, file: CsvForm(file.headers, "gb18030"),
    values={
        "temps_swapped": _temps_swapped,
        "pressures_swapped": _pressures_swapped,
        "in_mw": _in_mw,
    },
    where={"not_first": not_first},
)
