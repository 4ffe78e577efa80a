"""Hourly air quality of the automatic stations: one wide table, `—` where there is no value."""

from datetime import timedelta
from itertools import pairwise
from math import ceil
from random import Random

from jobs.simulator.curves import TRAFFIC, hour_of_day
from jobs.simulator.feed import Feed
from jobs.simulator.forms import CsvForm
from jobs.simulator.planting import breaks, change, copied, misshapen, repairs, warns
from jobs.simulator.registers import Device, devices
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

HEADERS = {
    "device_id": "站点编码",
    "device_name": "站点名称",
    "hour_end_at": "监测时间",
    "pm25_ug_m3": "PM2.5",
    "pm10_ug_m3": "PM10",
    "so2_ug_m3": "SO2",
    "no2_ug_m3": "NO2",
    "co_mg_m3": "CO",
    "o3_ug_m3": "O3",
    "aqi": "AQI",
    "primary_pollutant": "首要污染物",
    "data_flag": "数据标记",
}
PM25_STEPS = ((0, 0), (35, 50), (75, 100), (115, 150), (150, 200))
PM10_STEPS = ((0, 0), (50, 50), (150, 100), (250, 150), (350, 200))


def _rows(setting: Setting) -> list[Row]:
    rows: list[Row] = []
    haze = setting.rng("haze").uniform(35, 65)
    for station in devices(setting, "AQ"):
        rng = setting.rng("air", station.index)
        rows.extend(_row(setting, station, hour, haze, rng) for hour in range(1, 25))
    return rows


def _row(setting: Setting, station: Device, hour: int, haze: float, rng: Random) -> Row:
    moment = setting.midnight() + timedelta(hours=hour)
    busy = TRAFFIC.at(hour_of_day(moment))
    pm25 = round(haze * busy * rng.uniform(0.9, 1.1))
    pm10 = round(pm25 * rng.uniform(1.4, 1.7)) + 8
    aqi, primary = _hourly_aqi(pm25, pm10)
    return Row(
        {
            "device_id": station.id,
            "device_name": station.name,
            "hour_end_at": moment.strftime("%Y-%m-%d %H:%M"),
            "pm25_ug_m3": pm25,
            "pm10_ug_m3": pm10,
            "so2_ug_m3": round(12 * rng.uniform(0.7, 1.3)),
            "no2_ug_m3": round(34 * busy * rng.uniform(0.9, 1.1)),
            "co_mg_m3": f"{0.8 * busy * rng.uniform(0.9, 1.1):.2f}",
            "o3_ug_m3": round(48 * (2 - busy) * rng.uniform(0.9, 1.1)),
            "aqi": aqi,
            "primary_pollutant": primary or "—",
            "data_flag": None,
        }
    )


def _hourly_aqi(pm25: float, pm10: float) -> tuple[int, str | None]:
    """AQI of HJ 633-2012 where the particles decide, as they do in winter; the primary pollutant above 50."""
    fine, coarse = _index(pm25, PM25_STEPS), _index(pm10, PM10_STEPS)
    highest = max(fine, coarse)
    return highest, None if highest <= 50 else ("PM2.5" if fine >= coarse else "PM10")


def _index(value: float, steps: tuple[tuple[int, int], ...]) -> int:
    for (low, low_index), (high, high_index) in pairwise(steps):
        if value <= high:
            return ceil((high_index - low_index) / (high - low) * (value - low) + low_index)
    return 200


def _inverted(row: Row, rng: Random) -> dict[str, Cell]:
    return {"pm25_ug_m3": int(row.text("pm10_ug_m3")) + 15}


def _polluted(row: Row) -> bool:
    return int(row.text("aqi")) > 50


def _wide_digits(row: Row, rng: Random) -> Cell:
    return row.text("so2_ug_m3").translate(str.maketrans("0123456789", "０１２３４５６７８９"))


def _slashed(row: Row, rng: Random) -> Cell:
    return row.text("hour_end_at").replace("-", "/")


FEED = Feed(
    dataset="air_quality_hourly",
    provider="ecology_environment",
    sender="聊城市生态环境局监测科",
    stem="空气质量小时值_%Y%m%d.csv",
    key=("device_id", "hour_end_at"),
    rows=_rows,
    form=lambda setting: CsvForm(HEADERS, "utf-8-sig"),
    plans=(
        warns("pm_inverted", "pm25_ug_m3", change(_inverted), "pm10_not_below_pm25", times=3),
        breaks("sentinel", "so2_ug_m3", change(-999), "so2_ug_m3_range", times=2),
        breaks("sentinel", "o3_ug_m3", change(9999), "o3_ug_m3_range", "o3_limit"),
        breaks("out_of_band", "no2_ug_m3", change(-5), "no2_ug_m3_range"),
        breaks("unit_wrong", "co_mg_m3", change("850"), "co_mg_m3_range", "co_unit_plausible", "co_limit", times=2),
        warns("regulatory_exceedance", "o3_ug_m3", change(215), "o3_limit"),
        warns("regulatory_exceedance", "so2_ug_m3", change(560), "so2_limit"),
        warns("regulatory_exceedance", "aqi", change(265, _polluted), "aqi_heavy_pollution", times=2),
        warns("missing_required", "primary_pollutant", change("—", _polluted), "primary_pollutant_given"),
        breaks("bad_enum", "data_flag", change("X"), "data_flag_enum"),
        breaks("bad_pattern", "pm10_ug_m3", change("故障"), "pm10_ug_m3_type"),
        breaks("missing_required", "device_id", change(None), "device_id_required"),
        breaks("orphan_reference", "device_id", change("AQ-371502-999"), "device_id_reference"),
        repairs("synonym", "primary_pollutant", change("细颗粒物", _polluted), "mapping"),
        repairs("full_width", "so2_ug_m3", change(_wide_digits), "full_width"),
        repairs("date_format", "hour_end_at", change(_slashed), "date_format"),
        breaks("malformed_row", "data_flag", misshapen(1), "row_shape"),
        repairs("duplicate_row", "hour_end_at", copied(), "duplicates", times=2),
        breaks("key_conflict", "no2_ug_m3", copied(99), "primary_key"),
    ),
)
