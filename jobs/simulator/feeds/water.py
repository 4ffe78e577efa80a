"""Water plants: quality, flow and pressure of the outlet, every five minutes."""

from datetime import datetime, timedelta
from random import Random

from jobs.simulator.curves import WATER, hour_of_day, hours_since_start, outdoor_c
from jobs.simulator.feed import Feed
from jobs.simulator.forms import CsvForm
from jobs.simulator.planting import Plan, Value, breaks, change, copied, frozen, misshapen, repairs, warns
from jobs.simulator.registers import Device, devices
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

HEADERS = {
    "device_id": "水厂编码",
    "read_at": "采集时间",
    "received_at": "接收时间",
    "raw_turbidity_ntu": "原水浊度(NTU)",
    "out_turbidity_ntu": "出厂水浊度(NTU)",
    "ph": "pH",
    "free_chlorine_mg_l": "游离氯(mg/L)",
    "water_temp_c": "水温(℃)",
    "out_flow_m3_h": "出厂流量(m³/h)",
    "out_total_m3": "出厂累计水量(m³)",
    "out_pressure_mpa": "出厂压力(MPa)",
}
SWAPPED_TURBIDITY: dict[str, Cell] = {"raw_turbidity_ntu": "0.240", "out_turbidity_ntu": "0.950"}
IN_KPA = ("out_pressure_mpa_range", "pressure_operating", "pressure_within_design")
CLOCK = "%Y-%m-%d %H:%M:%S"


def _rows(setting: Setting) -> list[Row]:
    rows: list[Row] = []
    for plant in devices(setting, "WP"):
        rng = setting.rng("water", plant.index)
        mean = 1200 + 300 * (plant.index % 5)
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


def glued(field: str, unit: str) -> Value:
    """Makes the cell with a unit behind its value."""
    return lambda row, rng: row.text(field) + unit


def _grouped(row: Row, rng: Random) -> Cell:
    return f"{float(row.text('out_total_m3')):,.1f}"


def _slashed(row: Row, rng: Random) -> Cell:
    return row.text("read_at").replace("-", "/")


def _between(row: Row) -> bool:
    """Not the first nor the last reading of the day: only such a reading has two neighbours to differ from."""
    return not row.text("read_at").endswith(("00:00:00", "23:55:00"))


def _moved(seconds: int) -> Value:
    def to(row: Row, rng: Random) -> Cell:
        return (datetime.strptime(row.text("read_at"), CLOCK) + timedelta(seconds=seconds)).strftime(CLOCK)

    return to


FEED = Feed(
    dataset="water_plant_minutes",
    provider="liaocheng_water",
    sender="聊城市供水单位调度中心",
    stem="水厂在线_%Y%m%d.csv",
    key=("device_id", "read_at"),
    rows=_rows,
    form=lambda setting: CsvForm(HEADERS),
    plans=(
        warns("stuck", "out_turbidity_ntu", frozen(15, "read_at", "device_id", "0.333"), "turbidity_stuck"),
        warns("spike", "water_temp_c", change("31.0", _between), "water_temp_spike"),
        breaks("cumulative_fall", "out_total_m3", change("100.0", _between), "out_total_not_falling"),
        breaks("missing_required", "out_total_m3", change("--"), "out_total_m3_required", times=2),
        breaks("out_of_band", "ph", change("15.20"), "ph_range", "ph_limit", times=2),
        warns("unit_wrong", "out_flow_m3_h", change("5200.0"), "flow_within_rating"),
        breaks("unit_wrong", "out_pressure_mpa", change("1.580"), "pressure_within_design", "pressure_operating"),
        breaks("sentinel", "water_temp_c", change("-999"), "water_temp_c_range"),
        breaks("sentinel", "out_flow_m3_h", change("9999"), "flow_not_sentinel", "flow_within_rating"),
        breaks("zero_for_lost", "out_pressure_mpa", change("0"), "no_zero_pressure_with_flow", "pressure_operating"),
        breaks("unit_wrong", "out_pressure_mpa", change("420"), *IN_KPA),
        warns("regulatory_exceedance", "out_turbidity_ntu", change("1.800"), "turbidity_limit", times=4),
        warns("regulatory_exceedance", "ph", change("8.90"), "ph_limit", times=2),
        warns("regulatory_exceedance", "free_chlorine_mg_l", change("0.12"), "chlorine_limit", times=2),
        warns("censored", "free_chlorine_mg_l", change("<0.05"), "chlorine_limit"),
        warns("operating_exceedance", "out_pressure_mpa", change("0.150"), "pressure_operating", times=2),
        warns("supply_return_swapped", "raw_turbidity_ntu", change(SWAPPED_TURBIDITY), "raw_not_below_out"),
        warns("clock", "received_at", change(_moved(-28800)), "received_after_read", times=2),
        Plan("late", "received_at", change(_moved(7200)), ("received_in_time",), severity="info", times=3),
        breaks("bad_pattern", "device_id", change("WP371502001"), "device_id_pattern", "device_id_reference"),
        breaks("orphan_reference", "device_id", change("WP-371502-999"), "device_id_reference"),
        breaks("bad_date", "read_at", change("2026-13-01 00:00:00"), "read_at_type"),
        repairs("unit_glued", "out_pressure_mpa", change(glued("out_pressure_mpa", "MPa")), "unit", times=2),
        repairs("unit_glued", "out_pressure_mpa", change("420kPa"), "unit"),
        repairs("thousands", "out_total_m3", change(_grouped), "thousands"),
        repairs("full_width", "ph", change("７．６"), "full_width"),
        repairs("date_format", "read_at", change(_slashed), "date_format"),
        breaks("malformed_row", "out_total_m3", misshapen(1), "row_shape"),
        repairs("duplicate_row", "read_at", copied(), "duplicates", times=3),
        breaks("key_conflict", "ph", copied("7.01"), "primary_key"),
    ),
)
