"""Reference tables of lookup rules: working days, heating seasons, townships with their zones, surveyed points."""

from datetime import date, timedelta

import chinese_calendar

from jobs.contracts.place import place
from jobs.simulator.feed import Feed, first_day_of_week
from jobs.simulator.feeds.contents import contents
from jobs.simulator.places import township_code
from jobs.simulator.register_words import words
from jobs.simulator.registers import device
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting


def _calendar(setting: Setting) -> list[Row]:
    rows, worked = [], 0
    for year, notice in contents().holiday_notices.items():
        for offset in range((date(year + 1, 1, 1) - date(year, 1, 1)).days):
            on = date(year, 1, 1) + timedelta(days=offset)
            is_off, name = chinese_calendar.get_holiday_detail(on)
            worked += not is_off
            cells: dict[str, Cell] = {
                "calendar_day": on.isoformat(),
                "day_kind": _day_kind(on, is_off, name),
                "working_no": worked,
            }
            holiday = contents().holidays[str(name)] if is_off and name else None
            rows.append(Row({**cells, "holiday_name": holiday, "arrangement_no": notice}, spare=year == 2025))
    return rows


def _day_kind(on: date, is_off: bool, name: object) -> str:
    if is_off:
        return "节假日" if name else "休息日"
    return "调休上班" if on.weekday() >= 5 else "工作日"


def _spare_holiday(row: Row) -> bool:
    return row.spare and row.cells["day_kind"] == "节假日"


def _spare_fifth_of_march(row: Row) -> bool:
    return row.spare and row.cells["calendar_day"] == "2025-03-05"


def _seasons(setting: Setting) -> list[Row]:
    years = range(setting.day.year - 3, setting.day.year + 1)
    return [
        Row(
            {
                "season_year": year,
                "season_from": f"{year}-11-15",
                "season_to": f"{year + 1}-03-15",
                "arrangement_no": contents().season_notice.format(year=year),
            },
            spare=year < setting.day.year - 1,
        )
        for year in years
    ]


def _townships(setting: Setting) -> list[Row]:
    zones = {zone.township: zone.name for zone in place().zones}
    return [
        Row(
            {
                "township_code": township_code(county, town),
                "township_name": town,
                "division_code": county.code,
                "zone_name": zones.get(town),
            }
        )
        for county in place().counties
        for town in county.towns
    ]


def _points(setting: Setting) -> list[Row]:
    surveyed = [
        device(setting, prefix, index)
        for prefix, plate in words().devices.items()
        for index in range(setting.count(plate.count))
    ]
    return [
        Row(
            {
                "device_id": point.id,
                "longitude_deg": f"{point.lon:.6f}",
                "latitude_deg": f"{point.lat:.6f}",
                "surveyed_date": (point.installed + timedelta(days=30)).isoformat(),
            }
        )
        for point in surveyed
    ]


CALENDAR_FEED = Feed(
    dataset="calendar_days",
    rows=_calendar,
    comes=first_day_of_week,
    where={"spare_holiday": _spare_holiday, "spare_fifth_of_march": _spare_fifth_of_march},
)
SEASONS_FEED = Feed(dataset="heating_seasons", rows=_seasons, comes=first_day_of_week)
TOWNSHIPS_FEED = Feed(dataset="townships", rows=_townships, comes=first_day_of_week)
POINTS_FEED = Feed(dataset="facility_points", rows=_points, comes=first_day_of_week)
