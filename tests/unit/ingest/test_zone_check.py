"""A delivery whose hours contradict the contract's zone: said, with the hours; nothing is said of outages."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jobs.contracts import Field, Source
from jobs.model.delivery import Finding
from tests.unit.ingest.test_delimited import Read, contract

SPRING, AUTUMN = datetime(2024, 3, 30, tzinfo=UTC), datetime(2024, 10, 26, tzinfo=UTC)


def times(zone: str, start: datetime, hours: int = 48, minutes: int = 15) -> list[str]:
    """Local times of readings that come at equal intervals."""
    moments = [start + timedelta(minutes=minutes * n) for n in range(hours * 60 // minutes)]
    return [f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" for at in moments]


def doubts(read_bytes: Read, sent: Sequence[str], zone: str, *formats: str) -> list[Finding]:
    read_at = Source(header=("采集时间",), formats=formats, timezone=zone)
    at = Field("at", "采集时间", "timestamp", key_position=1, source=read_at)
    text = "\n".join(("采集时间,温度", *(f"{time},{n % 17}.5" for n, time in enumerate(sent))))
    _, reading = read_bytes(text.encode(), contract(at, Field("value", "温度", "number")))
    return [f for f in reading.findings if f.kind == "zone_doubtful"]


def test_a_doubled_hour_names_the_zone_that_has_it(read_bytes: Read) -> None:
    (doubt,) = doubts(read_bytes, times("Europe/Berlin", AUTUMN), "Asia/Shanghai", "yyyy-MM-dd HH:mm")
    assert (
        "时间「采集时间」2024-10-27 02 时重复，与 Europe/Berlin 的夏令时一致，而合同按 Asia/Shanghai 读取"
        in doubt.message
    )


def test_formats_that_are_not_declared_are_tried_and_a_few_bad_times_do_not_count(read_bytes: Read) -> None:
    sent = [time.replace("-", "/") for time in times("America/New_York", AUTUMN + timedelta(days=7), 60)]
    (doubt,) = doubts(read_bytes, [*sent, "不详", "24:61"], "Europe/Berlin")
    assert "2024-11-03 01 时重复" in doubt.message and "America/New_York" in doubt.message


def test_readings_in_an_hour_that_the_zone_skips_contradict_it(read_bytes: Read) -> None:
    (doubt,) = doubts(read_bytes, times("UTC", SPRING), "Europe/Berlin", "yyyy-MM-dd HH:mm")
    assert "在 2024-03-31 02 时照常有读数，而 Europe/Berlin 的夏令时跳过该小时" in doubt.message


@pytest.mark.parametrize("start", [SPRING, AUTUMN])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Shanghai"])
def test_a_right_zone_is_not_doubted(read_bytes: Read, zone: str, start: datetime) -> None:
    assert doubts(read_bytes, times(zone, start), zone, "yyyy-MM-dd HH:mm") == []


def test_a_single_empty_hour_is_an_outage(read_bytes: Read) -> None:
    sent = [time for time in times("Asia/Shanghai", SPRING) if "03-31 02" not in time]
    assert doubts(read_bytes, sent, "Asia/Shanghai", "yyyy-MM-dd HH:mm") == []


def test_times_with_an_offset_have_no_zone_to_doubt(read_bytes: Read) -> None:
    sent = [f"{time}:00Z" for time in times("UTC", SPRING)]
    assert (
        doubts(read_bytes, [time.replace(" ", "T") for time in sent], "Europe/Berlin", "yyyy-MM-dd'T'HH:mm:ssXXX") == []
    )
