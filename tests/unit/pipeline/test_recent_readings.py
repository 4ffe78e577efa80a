"""How many readings a batch sees: few of each device, and what rules with an alarm reach; of very many devices, equal shares."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.contracts import Registry, load
from jobs.lake.lake import Lake
from jobs.pipeline import recent_readings
from jobs.pipeline.recent_readings import IS_WRONG, MOST_AT_ONCE, RecentReadings
from jobs.settings import Settings
from tests.contract_texts import stream_contract

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
LEVEL = "series: [station], at: read_at, limit: 5, period_s: 600, back: 3, least: 2, readings: 1"
META = "dimension: 准确性, message: 不对, remedy: 请核对, basis: 约定"


def registry(folder: Path, alarm: str, level: str = LEVEL) -> Registry:
    rule = (
        f"{{id: level, type: expect_column_values_to_not_depart, kwargs: {{column: temp_c, {level}}}, severity: warning"
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


def remembered(folder: Path, alarm: str, *rows: pa.Table) -> tuple[Registry, RecentReadings]:
    known, recent = registry(folder, alarm), RecentReadings(Lake(Settings(home=folder)))
    for part in rows:
        recent.remember(known.contract("station"), known.rules["station"], [part])
    return known, recent


def seen(known: Registry, recent: RecentReadings, devices: list[str]) -> pa.Table | None:
    names = pa.chunked_array([devices])
    return recent.of(known.contract("station"), known.rules["station"], names, BEGIN)


@pytest.mark.parametrize(
    ("alarm", "devices", "kept"),
    [("", 2, MOST_AT_ONCE), (", alarm: {}", 2, 41), (", alarm: {}", 1_000, 41)],
    ids=["no alarm", "alarm", "alarm, many devices"],
)
def test_rules_with_an_alarm_see_as_far_as_they_reach(tmp_path: Path, alarm: str, devices: int, kept: int) -> None:
    _, recent = remembered(tmp_path, alarm, readings(devices, 50))
    assert recent.count("station") == kept * devices  # three periods of ten minutes, and the reading's own


def test_what_is_usual_for_earlier_readings_is_known_from_readings_before_these(tmp_path: Path) -> None:
    known = registry(tmp_path, ", alarm: {}", f"{LEVEL}, spreads: 3")
    recent = RecentReadings(Lake(Settings(home=tmp_path)))
    recent.remember(known.contract("station"), known.rules["station"], [readings(1, 100)])
    assert recent.count("station") == 71  # three periods of ten minutes before the three, and the reading's own


def test_of_too_many_devices_each_keeps_and_each_batch_sees_an_equal_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_readings, "MOST_KEPT", 80)
    monkeypatch.setattr(recent_readings, "MOST_SEEN", 10)
    known, recent = remembered(tmp_path, ", alarm: {}", readings(20, 50))
    assert recent.count("station") == 20 * (MOST_AT_ONCE + 4)
    for devices, each in ((1, 4), (5, 2), (20, 1)):
        rows = seen(known, recent, [f"S{n}" for n in range(devices)])
        assert rows is not None
        assert rows.num_rows == devices * (MOST_AT_ONCE + each)


def test_what_is_kept_is_the_same_however_readings_are_cut_into_batches(tmp_path: Path) -> None:
    rows = readings(1, 50)
    known, recent = remembered(tmp_path, ", alarm: {}", *(rows.slice(n, 1) for n in range(50)))
    own = seen(known, recent, ["S0", "S1"])
    assert own is not None
    assert sorted(own["read_at"].to_pylist())[-41:] == rows["read_at"].to_pylist()[-41:]
    assert seen(known, recent, ["S1"]) is None


def test_a_clock_that_is_ahead_makes_no_reading_old(tmp_path: Path) -> None:
    ahead = readings(1, 1).set_column(1, "read_at", pa.array([BEGIN.replace(year=2999)]))
    _, recent = remembered(tmp_path, "", readings(2, 50), ahead)
    assert recent.count("station") == 2 * MOST_AT_ONCE
