"""The zone of local times: by the hours that its clock changes leave out and double, and by nothing less."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from jobs.ingest.kinds import LocalFile
from jobs.ingest.proposal import propose

START = datetime(2024, 3, 1, tzinfo=UTC)
SEEN = "的夏令时一致"


def proposed(folder: Path, times: list[str]) -> str:
    file = folder / "d.csv"
    lines = [f"{time},{n % 17}.5" for n, time in enumerate(times)]
    file.write_text("\n".join(("采集时间,温度", *lines)), "utf-8")
    return propose(LocalFile(file.name, file), "d", "p", folder)


def readings(zone: str, days: int = 30, minutes: int = 15) -> list[str]:
    """Local times of readings that come at equal intervals."""
    moments = [START + timedelta(minutes=minutes * n) for n in range(days * 24 * 60 // minutes)]
    return [f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" for at in moments]


@pytest.mark.parametrize(
    ("zone", "named", "days", "shown"),
    [
        ("Europe/Belgrade", "Europe/Berlin", 40, "2024-03-31 02 时缺失"),
        ("Europe/Rome", "Europe/Berlin", 250, "2024-03-31 02 时缺失、2024-10-27 02 时重复"),
        ("America/Toronto", "America/New_York", 40, "2024-03-10 02 时缺失"),
        ("Europe/Kyiv", "Europe/Helsinki", 40, "2024-03-31 03 时缺失"),
    ],
)
def test_hours_left_out_and_doubled_name_the_zone(tmp_path: Path, zone: str, named: str, days: int, shown: str) -> None:
    text = proposed(tmp_path, readings(zone, days, 30))
    assert f"{shown}，与 {named} {SEEN}" in text


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC"])
def test_a_clock_without_changes_is_no_pattern(tmp_path: Path, zone: str) -> None:
    assert SEEN not in proposed(tmp_path, readings(zone, 250, 30))


def test_an_empty_hour_among_many_empty_hours_says_nothing(tmp_path: Path) -> None:
    times = [time for n, time in enumerate(readings("UTC", 40, 60)) if n % 5 and "03-31 02" not in time]
    assert SEEN not in proposed(tmp_path, times)


def test_one_change_that_the_readings_contradict_outweighs_another(tmp_path: Path) -> None:
    times = [time for time in readings("UTC", 250, 30) if "03-31 02" not in time]
    assert SEEN not in proposed(tmp_path, times)
