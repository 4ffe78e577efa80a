"""Heat stations: both sides of the exchanger, every five minutes; idle outside the season. GB 18030 text."""

from datetime import datetime, timedelta
from random import Random

from jobs.simulator.curves import HEAT, hour_of_day, hours_since_start, is_heating, outdoor_c
from jobs.simulator.feed import Feed
from jobs.simulator.feeds.water import CLOCK, glued
from jobs.simulator.forms import CsvForm
from jobs.simulator.planting import breaks, change, copied, drifting, frozen, misshapen, repairs, warns
from jobs.simulator.registers import devices
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

HEADERS = {
    "device_id": "换热站编码",
    "read_at": "采集时间",
    "primary_supply_temp_c": "一网供温(℃)",
    "primary_return_temp_c": "一网回温(℃)",
    "primary_supply_pressure_mpa": "一网供压(MPa)",
    "primary_return_pressure_mpa": "一网回压(MPa)",
    "primary_flow_t_h": "瞬时流量(t/h)",
    "heat_rate_gj_h": "瞬时热量(GJ/h)",
    "heat_total_gj": "累计热量(GJ)",
    "secondary_supply_temp_c": "二网供温(℃)",
    "secondary_return_temp_c": "二网回温(℃)",
    "secondary_supply_pressure_mpa": "二网供压(MPa)",
    "secondary_return_pressure_mpa": "二网回压(MPa)",
    "valve_opening_pct": "调节阀开度(%)",
    "pump_frequency_hz": "循环泵频率(Hz)",
    "tank_level_m": "水箱液位(m)",
}
GJ_PER_T_K = 0.0041868
IN_KPA = ("primary_supply_pressure_mpa_range", "pressure_within_design")


def _rows(setting: Setting) -> list[Row]:
    rows: list[Row] = []
    running = is_heating(setting.day)
    for station in devices(setting, "HS"):
        rng = setting.rng("heat", station.index)
        mean = 9 + 1.5 * (station.index % 7)
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
    still = dict.fromkeys(HEADERS, "0")
    temps = {name: "22.0" for name in HEADERS if name.endswith("_temp_c")}
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


def _slashed(row: Row, rng: Random) -> Cell:
    return row.text("read_at").replace("-", "/")


def _wide(row: Row, rng: Random) -> Cell:
    return row.text("secondary_return_temp_c").translate(str.maketrans("0123456789.", "０１２３４５６７８９．"))


def _between(row: Row) -> bool:
    """Not the first nor the last reading of the day: only such a reading has two neighbours to differ from."""
    return not row.text("read_at").endswith(("00:00:00", "23:55:00"))


SWAPPED_PRIMARY_RULES = (
    "primary_supply_above_return",
    "primary_above_secondary",
    "heat_balance",
    "primary_supply_operating",
    "primary_return_operating",
)
FEED = Feed(
    dataset="heat_station_minutes",
    provider="liaocheng_heat",
    sender="聊城市供热单位调度中心",
    stem="换热站_%Y%m%d.csv",
    key=("device_id", "read_at"),
    rows=_rows,
    form=lambda setting: CsvForm(HEADERS, "gb18030"),
    plans=(
        warns(
            "stuck",
            "secondary_supply_pressure_mpa",
            frozen(15, "read_at", "device_id", "0.4444"),
            "secondary_supply_pressure_stuck",
        ),
        warns(
            "drift",
            "secondary_return_pressure_mpa",
            drifting(48, "read_at", "device_id", 0.03, 0.0005),
            "secondary_return_pressure_drift",
        ),
        warns("spike", "tank_level_m", change("2.90", _between), "tank_level_spike", times=2),
        breaks("cumulative_fall", "heat_total_gj", change("1000.00", _between), "heat_total_not_falling"),
        breaks(
            "missing_required", "secondary_supply_temp_c", change("--"), "secondary_supply_temp_c_required", times=2
        ),
        breaks(
            "supply_return_swapped", "primary_supply_temp_c", change(_primary_swapped), *SWAPPED_PRIMARY_RULES, times=3
        ),
        breaks(
            "supply_return_swapped",
            "secondary_supply_temp_c",
            change(_secondary_swapped),
            "secondary_supply_above_return",
            times=3,
        ),
        warns(
            "supply_return_swapped",
            "primary_supply_pressure_mpa",
            change(_pressures_swapped),
            "primary_pressure_drop",
            times=2,
        ),
        breaks(
            "sentinel",
            "secondary_return_temp_c",
            change("-273.15"),
            "secondary_return_temp_c_range",
            "secondary_return_operating",
        ),
        breaks("out_of_band", "valve_opening_pct", change("655.35"), "valve_opening_pct_range"),
        warns("wrong_season", "primary_flow_t_h", change("0.00"), "flows_in_season", times=2),
        breaks("out_of_band", "pump_frequency_hz", change("65"), "pump_frequency_hz_range"),
        breaks("unit_wrong", "primary_supply_pressure_mpa", change("820"), *IN_KPA),
        breaks("unit_wrong", "heat_rate_gj_h", change(_in_kw), "heat_rate_gj_h_range", "heat_balance"),
        warns("unit_wrong", "heat_rate_gj_h", change("1.000"), "heat_balance", times=2),
        warns("operating_exceedance", "secondary_supply_temp_c", change("76.0"), "secondary_supply_operating", times=2),
        breaks("bad_pattern", "primary_flow_t_h", change("通讯中断"), "primary_flow_t_h_type"),
        breaks("orphan_reference", "device_id", change("HS-371502-999"), "device_id_reference"),
        repairs(
            "unit_glued", "secondary_supply_temp_c", change(glued("secondary_supply_temp_c", "℃")), "unit", times=2
        ),
        repairs("unit_glued", "primary_supply_pressure_mpa", change("820kPa"), "unit"),
        repairs("full_width", "secondary_return_temp_c", change(_wide), "full_width", times=2),
        repairs("date_format", "read_at", change(_slashed), "date_format"),
        breaks("malformed_row", "tank_level_m", misshapen(1), "row_shape"),
        breaks("malformed_row", "tank_level_m", misshapen(-2), "row_shape"),
        repairs("duplicate_row", "read_at", copied(), "duplicates", times=3),
        breaks("key_conflict", "tank_level_m", copied("1.11"), "primary_key"),
    ),
)
