"""Gas regulators: pressures on both sides, flow and leak sensor, every fifteen minutes, as JSON lines."""

from datetime import datetime, timedelta
from random import Random

from jobs.simulator.curves import GAS, hour_of_day, hours_since_start, outdoor_c
from jobs.simulator.feed import Feed
from jobs.simulator.forms import JsonLinesForm
from jobs.simulator.planting import breaks, change, copied, frozen, harmless, repairs, rolled, warns
from jobs.simulator.registers import Device, devices
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

PATHS = {
    "device_id": "deviceId",
    "read_at": "ts",
    "inlet_pressure_mpa": "inlet",
    "outlet_pressure_kpa": "outlet",
    "gas_temp_c": "temp",
    "std_flow_m3_h": "stdFlow",
    "std_total_m3": "stdTotal",
    "leak_lel_pct": "lel",
    "alarm_state": "alarm",
}
BEIJING_EPOCH = datetime(1970, 1, 1, 8)
MIDNIGHT = 16 * 3_600_000
"""Midnight in Beijing, in milliseconds of the day in UTC."""


def _rows(setting: Setting) -> list[Row]:
    rows: list[Row] = []
    for box in devices(setting, "GR"):
        rng = setting.rng("gas", box.index)
        mean = 60 + 10 * (box.index % 9)
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


def _with_unit(row: Row, rng: Random) -> Cell:
    return f"{row.text('outlet_pressure_kpa')}kPa"


def _not_first(row: Row) -> bool:
    """Not the first reading of the day: only a reading with a predecessor can be lower than it."""
    return int(row.text("read_at")) % 86_400_000 != MIDNIGHT


def _clock_text(row: Row, rng: Random) -> Cell:
    return (BEIJING_EPOCH + timedelta(milliseconds=int(row.text("read_at")))).strftime("%Y-%m-%d %H:%M:%S")


CROSSED = ("outlet_below_inlet", "outlet_pressure_kpa_range", "outlet_class", "outlet_operating", "inlet_operating")
LEAK_1: dict[str, Cell] = {"leak_lel_pct": 31.5, "alarm_state": "level_1"}
LEAK_2: dict[str, Cell] = {"leak_lel_pct": 56.0, "alarm_state": "level_2"}
HIGH = ("outlet_class", "outlet_operating")
LOW = ("outlet_operating",)

FEED = Feed(
    dataset="gas_regulator_readings",
    provider="liaocheng_gas",
    sender="聊城市燃气单位调度中心",
    stem="regulators_%Y%m%d.jsonl",
    key=("device_id", "read_at"),
    rows=_rows,
    form=lambda setting: JsonLinesForm(PATHS),
    plans=(
        warns("stuck", "outlet_pressure_kpa", frozen(10, "read_at", "device_id", 2.2222), "outlet_pressure_stuck"),
        harmless("rollover", "std_total_m3", rolled(8, "read_at", "device_id", before=300)),
        breaks("cumulative_fall", "std_total_m3", change(100.0, _not_first), "std_total_not_falling"),
        breaks("missing_required", "inlet_pressure_mpa", change(None), "inlet_pressure_mpa_required", times=2),
        breaks("supply_return_swapped", "outlet_pressure_kpa", change(_crossed), *CROSSED, times=2),
        breaks("zero_for_lost", "outlet_pressure_kpa", change(0), "no_zero_pressure_with_flow", *LOW),
        breaks("sentinel", "std_flow_m3_h", change(9999), "flow_not_sentinel", "flow_within_rating"),
        breaks("sentinel", "gas_temp_c", change(-273.15), "gas_temp_c_range"),
        warns("unit_wrong", "std_flow_m3_h", change(900.0), "flow_within_rating"),
        breaks("unit_wrong", "inlet_pressure_mpa", change(0.9), "pressure_within_design", "inlet_operating"),
        breaks("out_of_band", "leak_lel_pct", change(120), "leak_lel_pct_range", "leak_alarm", "alarm_level_2_agrees"),
        warns("regulatory_exceedance", "outlet_pressure_kpa", change(12.4), *HIGH),
        warns("regulatory_exceedance", "leak_lel_pct", change(LEAK_1), "leak_alarm", times=2),
        warns("regulatory_exceedance", "leak_lel_pct", change(LEAK_2), "leak_alarm"),
        warns("operating_exceedance", "outlet_pressure_kpa", change(1.2), *LOW, times=2),
        warns("category_mismatch", "alarm_state", change("level_1"), "alarm_normal_agrees", times=2),
        breaks("bad_enum", "alarm_state", change("报警中"), "alarm_state_enum", "alarm_normal_agrees"),
        warns("unit_wrong", "outlet_pressure_kpa", change(0.0025), *LOW),
        breaks("orphan_reference", "device_id", change("GR-371502-999"), "device_id_reference"),
        repairs("synonym", "alarm_state", change("正常"), "mapping", times=2),
        repairs("lower_case", "device_id", change(lambda row, rng: row.text("device_id").lower()), "case"),
        repairs("unit_glued", "outlet_pressure_kpa", change(_with_unit), "unit", times=2),
        repairs("date_format", "read_at", change(_clock_text), "date_format"),
        repairs("duplicate_row", "read_at", copied(), "duplicates", times=3),
        breaks("key_conflict", "gas_temp_c", copied(1.1), "primary_key"),
    ),
)
