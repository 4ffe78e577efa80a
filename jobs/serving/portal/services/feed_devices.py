"""The devices of a stream: last reading, faults (silence, alarms, clock offset) and location."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from jobs.contracts.place import place
from jobs.contracts.stream import Stream
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone

REGISTER, IN_SERVICE = "devices", "在用"
PLATE = ("device_id", "device_name", "device_type", "device_status", "longitude_deg", "latitude_deg")
WIDTH, MARGIN = 720.0, 24.0
"""Width of the map and its margin, in units of the drawing."""
WIDTH_OF_A_DEGREE = 0.81
"""Of longitude at 36° north, in degrees of latitude."""


@dataclass(frozen=True)
class Device:
    """A device of the register, or of the last 24 hours.

    `interval_s` is the median of its steps, None with less than two readings; `clock_offset_s`: by how much its clock is behind
    in the newest sealed hour, negative where it is ahead, None where it is right or unknown.
    """

    id: str
    last_at: datetime | None
    readings: int
    interval_s: float | None
    is_silent: bool
    alarms: int
    clock_offset_s: int | None = None
    name: str = ""
    place: tuple[float, float] | None = None
    """Longitude and latitude, in degrees."""

    def state(self) -> str:
        """How it is, as a colour's name."""
        if self.alarms:
            return "bad"
        return "wait" if self.is_silent or self.clock_offset_s is not None else "good"


@dataclass(frozen=True)
class Plate:
    """What the register says of a device."""

    name: str
    place: tuple[float, float] | None
    is_expected: bool
    """It is in service, and of the type that sends to this dataset."""


def plates(lake: Lake, stream: Stream) -> dict[str, Plate]:
    """The register of devices by id, of those in homes neither name nor place; empty before it was delivered."""
    path = lake.path(Zone.SILVER, REGISTER)
    version = lake.delta.version(path)
    if version is None:
        return {}
    rows = lake.delta.columns(path, version, PLATE)
    return {row["device_id"]: _plate(row, stream) for row in rows.to_pylist()}


def _plate(row: Mapping[str, Any], stream: Stream) -> Plate:
    lon, lat = row.get("longitude_deg"), row.get("latitude_deg")
    known = (float(lon), float(lat)) if lon is not None and lat is not None else None
    is_type = bool(stream.device_type) and row.get("device_type") == stream.device_type
    name, spot = ("", None) if stream.in_homes else (row.get("device_name") or "", known)
    return Plate(name, spot, is_type and row.get("device_status") == IN_SERVICE)


@dataclass(frozen=True)
class Known:
    """What is known of devices besides their readings: a device for each alarm, offsets of clocks, and the register."""

    alarms: Sequence[str]
    offsets: Mapping[str, int]
    plates: Mapping[str, Plate]

    def add_to(self, one: Device) -> Device:
        """The device with all that."""
        plate = self.plates.get(one.id, Plate("", None, False))
        alarms, offset = self.alarms.count(one.id), self.offsets.get(one.id)
        return replace(one, alarms=alarms, clock_offset_s=offset, name=plate.name, place=plate.place)


def devices(readings: pa.Table, stream: Stream, now: datetime, known: Known) -> tuple[Device, ...]:
    """Devices that read, from columns of devices and times, and those that should have; what needs a look comes first."""
    rows: Any = readings.to_pandas()
    rows.columns = ["device", "at"]
    found = {str(name): _read(str(name), times, stream, now) for name, times in rows.dropna().groupby("device")["at"]}
    for name, plate in known.plates.items():
        if plate.is_expected and name not in found:
            found[name] = Device(name, None, 0, None, True, 0)
    complete = map(known.add_to, found.values())
    return tuple(sorted(complete, key=lambda one: (-one.alarms, not one.is_silent, one.clock_offset_s is None, one.id)))


def _read(name: str, times: Any, stream: Stream, now: datetime) -> Device:
    ordered = times.drop_duplicates().sort_values()
    interval = ordered.diff().dt.total_seconds().median()
    last_at, interval_s = ordered.iloc[-1].to_pydatetime(), None if pd.isna(interval) else float(interval)
    silent_s = (stream.silent_intervals + 1) * interval_s if interval_s is not None else None
    is_silent = silent_s is not None and (now - last_at).total_seconds() > silent_s
    return Device(name, last_at, len(times), interval_s, is_silent, 0)


@dataclass(frozen=True)
class Dot:
    """A device or the name of a county on the map, in units of the drawing."""

    x: float
    y: float
    text: str
    device: Device | None = None


@dataclass(frozen=True)
class StationMap:
    """Devices and the names of counties at their locations, north up; both axes have the same scale."""

    width: float
    height: float
    counties: tuple[Dot, ...]
    stations: tuple[Dot, ...]


@dataclass(frozen=True)
class Projection:
    """Degrees → units of the drawing; `west` and `north` are its upper left corner."""

    west: float
    north: float
    scale: float

    def dot(self, spot: tuple[float, float], text: str, device: Device | None = None) -> Dot:
        """Where a place is on the map."""
        x, y = (spot[0] - self.west) * WIDTH_OF_A_DEGREE * self.scale, (self.north - spot[1]) * self.scale
        return Dot(round(MARGIN + x, 1), round(MARGIN + y, 1), text, device)


def station_map(found: Iterable[Device]) -> StationMap | None:
    """The map of the devices whose places are known; None where none is."""
    placed = [(one, one.place) for one in found if one.place is not None]
    if not placed:
        return None
    seats = [(county.name, (county.lon, county.lat)) for county in place().counties]
    longitudes, latitudes = zip(*(spot for _, spot in (*placed, *seats)), strict=True)
    width = max(max(longitudes) - min(longitudes), 0.01) * WIDTH_OF_A_DEGREE
    drawing = Projection(min(longitudes), max(latitudes), (WIDTH - 2 * MARGIN) / width)
    height = round((max(latitudes) - min(latitudes)) * drawing.scale + 2 * MARGIN, 1)
    stations = tuple(drawing.dot(spot, one.name or one.id, one) for one, spot in placed)
    return StationMap(WIDTH, height, tuple(drawing.dot(spot, name) for name, spot in seats), stations)
