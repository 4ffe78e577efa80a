"""How many readings a batch sees: few of each device, and what rules with an alarm reach, as long as devices are few."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.contracts import Registry, load
from jobs.lake.lake import Lake
from jobs.pipeline.neighbours import IS_WRONG, MOST_AT_ONCE, RecentReadings
from jobs.settings import Settings
from tests.contract_texts import stream_contract

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
LEVEL = "series: [station], at: read_at, limit: 5, period_s: 600, back: 3, least: 2, readings: 1"
META = "dimension: 准确性, message: 不对, remedy: 请核对, basis: 约定"


def registry(folder: Path, alarm: str) -> Registry:
    rule = (
        f"{{id: level, type: expect_column_values_to_not_depart, kwargs: {{column: temp_c, {LEVEL}}}, severity: warning"
    )
    texts = {
        "schemas": stream_contract("station"),
        "expectations": f"name: station\nexpectations:\n  - {rule}, meta: {{{META}{alarm}}}}}\n",
    }
    for kind, text in texts.items():
        path = folder / kind / "sources/heat/station.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")
    return load(folder / "schemas", folder / "expectations")


def readings(devices: int, each: int) -> pa.Table:
    return pa.table(
        {
            "station": [f"S{device}" for device in range(devices) for _ in range(each)],
            "read_at": [BEGIN + timedelta(minutes=n) for _ in range(devices) for n in range(each)],
            "temp_c": [60.0] * (devices * each),
            IS_WRONG: [False] * (devices * each),
        }
    )


@pytest.mark.parametrize(
    ("alarm", "devices", "kept"),
    [("", 2, MOST_AT_ONCE), (", alarm: {}", 2, 50), (", alarm: {}", 1_000, MOST_AT_ONCE)],
    ids=["no alarm", "alarm", "alarm, many devices"],
)
def test_rules_with_an_alarm_see_as_far_as_they_reach(tmp_path: Path, alarm: str, devices: int, kept: int) -> None:
    known = registry(tmp_path, alarm)
    recent = RecentReadings(Lake(Settings(home=tmp_path)))
    recent.remember(known.contract("station"), known.rules["station"], [readings(devices, 50)])
    assert recent.count("station") == kept * devices
