"""Reference tables of lookup rules: working days, heating seasons, townships with their zones, surveyed points."""

from datetime import date, timedelta

import chinese_calendar

from jobs.contracts.place import place
from jobs.simulator.feed import Feed, first_day_of_week
from jobs.simulator.forms import CsvForm
from jobs.simulator.places import township_code
from jobs.simulator.planting import breaks, change, warns
from jobs.simulator.register_words import words
from jobs.simulator.registers import device
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

NOTICES = {2025: "国办发明电〔2024〕12号", 2026: "国办发明电〔2025〕7号"}
"""Year → the notice on its holidays, as the provider cites it."""
NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
}
ZONES = {"新区街道": "聊城高新技术产业开发区", "古楼街道": "聊城江北水城旅游度假区"}
"""Townships that a zone administers; their codes stay those of the county."""
CALENDAR_HEADERS = {
    "calendar_day": "日期",
    "day_kind": "日期类别",
    "holiday_name": "节日名称",
    "working_no": "累计工作日数",
    "arrangement_no": "依据文号",
}
SEASON_HEADERS = {
    "season_year": "供暖季年度",
    "season_from": "开始日期",
    "season_to": "结束日期",
    "arrangement_no": "依据文号",
}
TOWNSHIP_HEADERS = {
    "township_code": "乡镇街道代码",
    "township_name": "乡镇街道名称",
    "division_code": "行政区划代码",
    "zone_name": "所在功能区",
}
POINT_HEADERS = {
    "device_id": "设备编码",
    "longitude_deg": "经度",
    "latitude_deg": "纬度",
    "surveyed_date": "测绘日期",
}


def _calendar(setting: Setting) -> list[Row]:
    rows, worked = [], 0
    for year, notice in NOTICES.items():
        for offset in range((date(year + 1, 1, 1) - date(year, 1, 1)).days):
            on = date(year, 1, 1) + timedelta(days=offset)
            is_off, name = chinese_calendar.get_holiday_detail(on)
            worked += not is_off
            cells: dict[str, Cell] = {
                "calendar_day": on.isoformat(),
                "day_kind": _day_kind(on, is_off, name),
                "working_no": worked,
            }
            holiday = NAMES[str(name)] if is_off and name else None
            rows.append(Row({**cells, "holiday_name": holiday, "arrangement_no": notice}, spare=year == 2025))
    return rows


def _day_kind(on: date, is_off: bool, name: object) -> str:
    if is_off:
        return "节假日" if name else "休息日"
    return "调休上班" if on.weekday() >= 5 else "工作日"


def _seasons(setting: Setting) -> list[Row]:
    years = range(setting.day.year - 3, setting.day.year + 1)
    return [
        Row(
            {
                "season_year": year,
                "season_from": f"{year}-11-15",
                "season_to": f"{year + 1}-03-15",
                "arrangement_no": f"聊政办〔{year}〕第9号",
            },
            spare=year < setting.day.year - 1,
        )
        for year in years
    ]


def _townships(setting: Setting) -> list[Row]:
    return [
        Row(
            {
                "township_code": township_code(county, town),
                "township_name": town,
                "division_code": county.code,
                "zone_name": ZONES.get(town),
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
    provider="bureau",
    sender="聊城市大数据局台账专员",
    stem="工作日历_%Y%m%d.csv",
    key=("calendar_day",),
    rows=_calendar,
    form=lambda setting: CsvForm(CALENDAR_HEADERS),
    comes=first_day_of_week,
    plans=(
        warns(
            "missing_required",
            "holiday_name",
            change(None, lambda row: row.spare and row.cells["day_kind"] == "节假日"),
            "holiday_has_name",
        ),
        breaks(
            "category_mismatch",
            "day_kind",
            change("调休上班", lambda row: row.spare and row.cells["calendar_day"] == "2025-03-05"),
            "make_up_on_weekend",
        ),
    ),
)
SEASONS_FEED = Feed(
    dataset="heating_seasons",
    provider="housing_construction",
    sender="聊城市住房和城乡建设局供热科",
    stem="供暖季_%Y%m%d.csv",
    key=("season_year",),
    rows=_seasons,
    form=lambda setting: CsvForm(SEASON_HEADERS),
    comes=first_day_of_week,
)
TOWNSHIPS_FEED = Feed(
    dataset="townships",
    provider="civil_affairs",
    sender="聊城市民政局区划地名科",
    stem="乡镇街道代码_%Y%m%d.csv",
    key=("township_code",),
    rows=_townships,
    form=lambda setting: CsvForm(TOWNSHIP_HEADERS),
    comes=first_day_of_week,
)
POINTS_FEED = Feed(
    dataset="facility_points",
    provider="natural_resources",
    sender="聊城市自然资源和规划局测绘科",
    stem="公用设施测绘点位_%Y%m%d.csv",
    key=("device_id",),
    rows=_points,
    form=lambda setting: CsvForm(POINT_HEADERS),
    comes=first_day_of_week,
)
