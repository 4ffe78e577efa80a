"""Gate stations: pressures on both sides, flow and odorant of a county's gas, every fifteen minutes, as JSON lines."""

from datetime import datetime, timedelta
from random import Random

from jobs.simulator.balances import Balance, balanced_means
from jobs.simulator.curves import GAS, hour_of_day, hours_since_start, outdoor_c
from jobs.simulator.feed import Feed
from jobs.simulator.feeds.gas import BEIJING_EPOCH, clock_text, not_first, regulator_mean_m3_h
from jobs.simulator.forms import JsonLinesForm
from jobs.simulator.registers import Device, devices
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

# A gate passes what its county's regulators deliver, and what is lost or stored between them.
REGULATORS = Balance("GR", regulator_mean_m3_h, shares=(1.02, 1.03, 1.04), elsewhere=100)


def _rows(setting: Setting) -> list[Row]:
    rows: list[Row] = []
    means = balanced_means(setting, "GG", REGULATORS)
    for gate in devices(setting, "GG"):
        rng = setting.rng("gas_gate", gate.index)
        moments = (setting.midnight() + timedelta(seconds=s) for s in range(0, 86400, gate.interval_s))
        rows.extend(_row(gate, means[gate.id], moment, rng) for moment in moments)
    return rows


def _row(gate: Device, mean: float, moment: datetime, rng: Random) -> Row:
    demand = GAS.at(hour_of_day(moment))
    return Row(
        {
            "device_id": gate.id,
            "read_at": int((moment - BEIJING_EPOCH).total_seconds()) * 1000,
            "gate_inlet_pressure_mpa": round(1.35 - 0.05 * (demand - 1) + rng.uniform(-0.01, 0.01), 4),
            "gate_outlet_pressure_mpa": round(0.34 - 0.01 * (demand - 1) + rng.uniform(-0.003, 0.003), 4),
            "gas_temp_c": round(8 + 0.3 * outdoor_c(moment) + rng.uniform(-0.5, 0.5), 1),
            "std_flow_m3_h": round(mean * demand * rng.uniform(0.985, 1.015), 2),
            "std_total_m3": round(6_000_000 + mean * GAS.until(hours_since_start(moment)), 2),
            "odorant_mg_m3": round(24 + rng.uniform(-1.5, 1.5), 1),
        }
    )


def _crossed(row: Row, rng: Random) -> dict[str, Cell]:
    inlet, outlet = row.cells["gate_inlet_pressure_mpa"], row.cells["gate_outlet_pressure_mpa"]
    return {"gate_inlet_pressure_mpa": outlet, "gate_outlet_pressure_mpa": inlet}


FEED = Feed(
    dataset="gas_gate_readings",
    rows=_rows,
    form=lambda setting, file: JsonLinesForm(file.headers),
    values={"crossed": _crossed, "clock_text": clock_text},
    where={"not_first": not_first},
)
