"""Division codes and the register of devices: small tables that the others refer to."""

from random import Random

from jobs.contracts.place import place
from jobs.simulator.feed import Feed, csv_utf8_with_bom, first_day_of_week
from jobs.simulator.feed_file import feed_file
from jobs.simulator.places import township_code
from jobs.simulator.planting import Value
from jobs.simulator.register_words import words
from jobs.simulator.registers import Device, device
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

DIVISIONS = "divisions"
OTHER_COUNTY = 5
"""Position of the county whose township is planted in rows of other counties."""
SPARE_DEVICES = 5
"""Devices out of service, of each kind: their rows may hold faults."""


def _divisions(setting: Setting) -> list[Row]:
    return [
        Row(
            dict(zip(feed_file(DIVISIONS).headers, division.model_dump().values(), strict=True)),
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
        "metering_zone": entry.metering_zone,
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


def _in_other_county(row: Row) -> bool:
    return row.spare and row.cells["division_code"] != place().counties[OTHER_COUNTY].code


def _other_countys_township(row: Row, rng: Random) -> Cell:
    county = place().counties[OTHER_COUNTY]
    return township_code(county, county.towns[0])


def _unknown_township(row: Row, rng: Random) -> Cell:
    return row.text("division_code") + "999"


def _spare_heat_station(row: Row) -> bool:
    return row.spare and row.cells["device_type"] == "heat_station"


def _spare_network_point(row: Row) -> bool:
    return row.spare and row.cells["device_type"] == "network_point"


def _underscored(row: Row, rng: Random) -> Cell:
    return "HS_" + row.text("device_id")[3:]


DIVISIONS_FEED = Feed(dataset=DIVISIONS, rows=_divisions, comes=first_day_of_week)
DEVICES_FEED = Feed(
    dataset="devices",
    rows=_devices,
    form=csv_utf8_with_bom,
    values={
        "swapped": _swapped,
        "in_gcj_02": _shifted(0.0057, 0.00015),
        "in_bd_09": _shifted(0.0123, 0.00585),
        "farther_north": _shifted(0.0, 0.05),
        "unknown_township": _unknown_township,
        "other_countys_township": _other_countys_township,
        "underscored": _underscored,
    },
    where={
        "surveyed": _surveyed,
        "in_other_county": _in_other_county,
        "spare_heat_station": _spare_heat_station,
        "spare_network_point": _spare_network_point,
    },
)
