"""Temperatures in homes: one sensor a home, every hour; kept by the heating in its season, following the weather outside it."""

from datetime import datetime, timedelta
from random import Random

from jobs.simulator.curves import hour_of_day, is_heating, outdoor_c
from jobs.simulator.feed import Feed
from jobs.simulator.feeds.network import not_first
from jobs.simulator.feeds.water import CLOCK
from jobs.simulator.registers import Device, devices
from jobs.simulator.rows import Row
from jobs.simulator.setting import Setting

WARMEST_H = 15
LAST = "23:00:00"


def _rows(setting: Setting) -> list[Row]:
    rows: list[Row] = []
    for sensor in devices(setting, "IT"):
        rng = setting.rng("indoor", sensor.index)
        moments = (setting.midnight() + timedelta(seconds=s) for s in range(0, 86400, sensor.interval_s))
        rows.extend(_row(sensor, moment, rng) for moment in moments)
    return rows


def _row(sensor: Device, moment: datetime, rng: Random) -> Row:
    kept = 19.6 + 0.3 * (sensor.index % 8) if is_heating(moment.date()) else 12 + 0.5 * outdoor_c(moment)
    afternoon = 0.8 - 0.1 * abs(hour_of_day(moment) - WARMEST_H)
    return Row(
        {
            "device_id": sensor.id,
            "read_at": moment.strftime(CLOCK),
            "room_temp_c": f"{kept + afternoon + rng.uniform(-0.2, 0.2):.1f}",
        }
    )


def _between(row: Row) -> bool:
    """Neither the first nor the last reading of the day: only such a reading has two neighbours to differ from."""
    return not_first(row) and not row.text("read_at").endswith(LAST)


FEED = Feed(dataset="indoor_temperatures", rows=_rows, where={"between": _between})
