"""Hourly air quality of the automatic stations: one wide table, `—` where there is no value."""

from datetime import timedelta
from itertools import pairwise
from math import ceil
from random import Random

from jobs.simulator.curves import TRAFFIC, hour_of_day
from jobs.simulator.feed import Feed, csv_utf8_with_bom
from jobs.simulator.registers import Device, devices
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

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


FEED = Feed(
    dataset="air_quality_hourly",
    rows=_rows,
    form=csv_utf8_with_bom,
    values={"inverted": _inverted},
    where={"polluted": _polluted},
)
