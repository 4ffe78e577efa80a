"""Division codes and the register of devices: small tables that the others refer to."""

from random import Random

from jobs.contracts.place import place
from jobs.simulator.feed import Feed, first_day_of_week
from jobs.simulator.forms import CsvForm
from jobs.simulator.planting import Plan, Value, breaks, change, copied, repairs, spare, warns, when
from jobs.simulator.register_words import words
from jobs.simulator.registers import Device, device
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

DIVISION_HEADERS = {
    "division_code": "行政区划代码",
    "division_name": "行政区划名称",
    "division_level": "行政级别",
    "code_valid_from": "代码启用日期",
    "code_valid_to": "代码停用日期",
    "successor_code": "承继代码",
}
DEVICE_HEADERS = {
    "device_id": "设备编码",
    "device_name": "设备名称",
    "device_type": "设备类型",
    "operator_name": "运行单位",
    "division_code": "行政区划代码",
    "township_code": "乡镇街道代码",
    "address": "地址",
    "longitude_deg": "经度",
    "latitude_deg": "纬度",
    "interval_s": "采集间隔",
    "dial_digits": "累计量位数",
    "rated_flow": "额定流量",
    "design_pressure_mpa": "设计压力",
    "installed_date": "安装日期",
    "removed_date": "拆除日期",
    "device_status": "设备状态",
}
SPARE_DEVICES = 5
"""Devices out of service, of each kind: their rows may hold faults."""
UNKNOWN_DIVISION = ("division_code_reference", "township_within_county")
SWAPPED_RULES = ("latitude_deg_range", "latitude_in_city", "longitude_in_city")
REMOVED_EARLY: dict[str, Cell] = {"removed_date": "2014-06-01", "device_status": "拆除"}


def _divisions(setting: Setting) -> list[Row]:
    return [
        Row(
            dict(zip(DIVISION_HEADERS, division.model_dump().values(), strict=True)),
            spare=division.successor is not None,
        )
        for division in place().divisions
    ]


def _devices(setting: Setting) -> list[Row]:
    rows: list[Row] = []
    for prefix, plate in words().devices.items():
        active = setting.count(plate.count)
        for index in range(active + setting.count(SPARE_DEVICES)):
            rows.append(_device_row(device(setting, prefix, index), index >= active))
    return rows


def _device_row(entry: Device, is_spare: bool) -> Row:
    cells: dict[str, Cell] = {
        "device_id": entry.id,
        "device_name": entry.name,
        "device_type": entry.kind,
        "operator_name": entry.operator,
        "division_code": entry.county.code,
        "township_code": entry.township,
        "address": entry.address,
        "longitude_deg": f"{entry.lon:.6f}",
        "latitude_deg": f"{entry.lat:.6f}",
        "interval_s": entry.interval_s,
        "dial_digits": entry.dial_digits,
        "rated_flow": entry.rated_flow,
        "design_pressure_mpa": entry.design_pressure_mpa,
        "installed_date": entry.installed.isoformat(),
        "removed_date": None,
        "device_status": "停用" if is_spare else "在用",
    }
    return Row(cells, spare=is_spare)


def _swapped(row: Row, rng: Random) -> dict[str, Cell]:
    return {"longitude_deg": row.cells["latitude_deg"], "latitude_deg": row.cells["longitude_deg"]}


def _shifted(east_deg: float, north_deg: float) -> Value:
    def to(row: Row, rng: Random) -> dict[str, Cell]:
        lon, lat = float(row.text("longitude_deg")) + east_deg, float(row.text("latitude_deg")) + north_deg
        return {"longitude_deg": f"{lon:.6f}", "latitude_deg": f"{lat:.6f}"}

    return to


def _surveyed(row: Row) -> bool:
    """Devices in service: only those were surveyed."""
    return not row.spare


def _not_in_guan(row: Row) -> bool:
    return row.spare and row.cells["division_code"] != "371525"


def _unknown_township(row: Row, rng: Random) -> Cell:
    return row.text("division_code") + "999"


def _spare_heat_station(row: Row) -> bool:
    return row.spare and row.cells["device_type"] == "heat_station"


def _underscored(row: Row, rng: Random) -> Cell:
    return "HS_" + row.text("device_id")[3:]


DIVISIONS_FEED = Feed(
    dataset="divisions",
    provider="civil_affairs",
    sender="聊城市民政局区划地名科",
    stem="行政区划代码_%Y%m%d.csv",
    key=("division_code", "code_valid_from"),
    rows=_divisions,
    form=lambda setting: CsvForm(DIVISION_HEADERS),
    comes=first_day_of_week,
    plans=(
        warns(
            "missing_required",
            "successor_code",
            change(None, when("division_code", "372500")),
            "retired_code_has_successor",
        ),
        repairs("full_width", "division_code", change("３７２５２４", when("division_code", "372524")), "full_width"),
    ),
)
DEVICES_FEED = Feed(
    dataset="devices",
    provider="bureau",
    sender="聊城市大数据局台账专员",
    stem="感知设备台账_%Y%m%d.csv",
    key=("device_id",),
    rows=_devices,
    form=lambda setting: CsvForm(DEVICE_HEADERS, "utf-8-sig"),
    plans=(
        breaks("missing_required", "device_name", change(None, spare), "device_name_required"),
        breaks(
            "bad_pattern",
            "device_id",
            change(_underscored, _spare_heat_station),
            "device_id_pattern",
            "heat_station_code",
        ),
        breaks("bad_enum", "device_status", change("使用中", spare), "device_status_enum"),
        breaks("orphan_reference", "division_code", change("371599", spare), *UNKNOWN_DIVISION),
        breaks("category_mismatch", "latitude_deg", change(_swapped, spare), *SWAPPED_RULES),
        breaks("missing_required", "removed_date", change({"device_status": "拆除"}, spare), "removed_has_date"),
        breaks("order_of_dates", "removed_date", change(REMOVED_EARLY, spare), "removed_after_installed"),
        breaks("key_conflict", "device_name", copied("重名设备", spare), "primary_key"),
        warns(
            "datum", "longitude_deg", change(_shifted(0.0057, 0.00015), _surveyed), "coordinates_not_shifted", times=2
        ),
        warns("datum", "latitude_deg", change(_shifted(0.0123, 0.00585), _surveyed), "coordinates_not_shifted"),
        warns("remapped", "latitude_deg", change(_shifted(0.0, 0.05), _surveyed), "coordinates_near_survey"),
        warns("category_mismatch", "township_code", change("371525001", _not_in_guan), "township_within_county"),
        breaks("orphan_reference", "township_code", change(_unknown_township, spare), "township_code_reference"),
        Plan("unit_wrong", "interval_s", change(5, spare), ("interval_usual",), severity="info"),
        repairs("date_format", "installed_date", change("2019/3/8", spare), "date_format"),
    ),
)
