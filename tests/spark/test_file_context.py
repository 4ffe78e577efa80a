"""Rules over neighbouring readings see past a file's ends: what is curated around it, as an hour of a stream sees it."""

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.contracts.names import DELIVERY, MARKS
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline import bronze
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land
from jobs.pipeline.reports import report
from jobs.pipeline.verification import verify
from tests.contract_texts import STATION_FIELDS, STREAM_PROPERTIES, stream_contract
from tests.spark.readings import all_rows

META = "meta: {dimension: 准确性, message: 不对, remedy: 请核对, basis: 约定}"
ORDER = "series: [station], at: read_at"
SUITE = f"""name: station
expectations:
  - {{id: stuck, type: expect_column_values_to_not_be_stuck, kwargs: {{column: temp_c, {ORDER}, intervals: 30}}, severity: warning, {META}}}
  - {{id: spike, type: expect_column_values_to_not_spike, kwargs: {{column: temp_c, {ORDER}, limit: 20}}, severity: warning, {META}}}
  - {{id: fall, type: expect_column_values_to_not_fall, kwargs: {{column: return_c, {ORDER}}}, severity: warning, {META}}}
"""
DAY = datetime(2026, 3, 1, tzinfo=UTC)
Values = Mapping[str, Sequence[tuple[float, float]]]
"""By station, temperature and counter of each hour."""


@pytest.fixture(params=("small", "large"))
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of a delivery through the engine."""
    if request.param == "large":
        monkeypatch.setattr(bronze, "FEW_ROWS", -1)
    return str(request.param)


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    properties = STREAM_PROPERTIES.replace("device: station", "device: station, context_min: 2880")
    assert properties != STREAM_PROPERTIES
    return write_contracts(
        {
            "schemas/sources/heat/station.yaml": stream_contract("station", properties=properties),
            "expectations/sources/heat/station.yaml": SUITE,
        }
    )


def send_file(lake: Lake, registry: Registry, path: Path, begin: datetime, values: Values) -> str:
    """Deliver one file of hourly readings; the delivery's id."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["站点", "时间", "温度", "回温"])
        for station, hours in values.items():
            for number, (temp, total) in enumerate(hours):
                writer.writerow([station, (begin + timedelta(hours=number)).isoformat(), temp, total])
    deliver(lake.store, [path], "station", "heat", Manifest())
    (landed,) = land(lake, registry)
    conform(lake, registry, landed.delivery.id)
    return landed.delivery.id


def marks(lake: Lake, delivery: str) -> dict[tuple[str, int], set[str]]:
    """By station and hour of the day, the rules that the delivery's silver rows break."""
    rows = [row for row in all_rows(lake, Zone.SILVER, "station") if row[DELIVERY] == delivery]
    return {(row["station"], row["read_at"].astimezone(UTC).hour): set(row[MARKS] or []) for row in rows}


def broken(lake: Lake, delivery: str) -> dict[tuple[str, int], set[str]]:
    return {place: own for place, own in marks(lake, delivery).items() if own}


def rising(first: float = 100.0, count: int = 24) -> list[tuple[float, float]]:
    return [(60 + n % 5, first + n) for n in range(count)]


@pytest.mark.usefixtures("way")
def test_a_value_that_stays_over_two_days_is_found_in_the_second_file(
    lake: Lake, registry: Registry, tmp_path: Path
) -> None:
    same = [(60.0, 100.0 + n) for n in range(24)]
    first = send_file(lake, registry, tmp_path / "1.csv", DAY, {"A": same, "B": rising()})
    second = send_file(lake, registry, tmp_path / "2.csv", DAY + timedelta(days=1), {"A": same[:8], "B": rising(124)})
    assert broken(lake, first) == {}  # 24 readings, and 30 are needed
    assert {place for place, own in broken(lake, second).items() if "stuck" in own} == {("A", n) for n in range(8)}
    assert {station for station, _ in marks(lake, second)} == {"A", "B"}


@pytest.mark.usefixtures("way")
def test_a_counter_that_falls_between_two_files_is_found(lake: Lake, registry: Registry, tmp_path: Path) -> None:
    send_file(lake, registry, tmp_path / "1.csv", DAY, {"A": rising(), "B": rising()})
    second = send_file(lake, registry, tmp_path / "2.csv", DAY + timedelta(days=1), {"A": rising(124), "B": rising(50)})
    assert broken(lake, second) == {("B", 0): {"fall"}}


@pytest.mark.usefixtures("way")
def test_an_earlier_day_that_comes_later_sees_the_day_after_it(lake: Lake, registry: Registry, tmp_path: Path) -> None:
    send_file(lake, registry, tmp_path / "2.csv", DAY + timedelta(days=1), {"A": rising(124)})
    ends_high = [*rising()[:-1], (99.0, 123.0)]
    first = send_file(lake, registry, tmp_path / "1.csv", DAY, {"A": ends_high})
    assert broken(lake, first) == {("A", 23): {"spike"}}


@pytest.mark.usefixtures("way")
def test_what_a_file_replaces_is_no_neighbour_of_its_own_readings(
    lake: Lake, registry: Registry, tmp_path: Path
) -> None:
    high = [(60 + n % 5, 900.0 + n) for n in range(24)]
    send_file(lake, registry, tmp_path / "wrong.csv", DAY, {"A": high})
    corrected = send_file(lake, registry, tmp_path / "right.csv", DAY, {"A": rising()})
    assert broken(lake, corrected) == {}


@pytest.mark.usefixtures("way")
def test_readings_that_a_file_leaves_in_place_are_neighbours(lake: Lake, registry: Registry, tmp_path: Path) -> None:
    send_file(lake, registry, tmp_path / "1.csv", DAY, {"A": rising()})
    half_past = DAY + timedelta(minutes=30)
    part = {"A": [(60.0, 106.5), (60.0, 50.0), (60.0, 108.5)]}  # between those of six to nine o'clock
    between = send_file(lake, registry, tmp_path / "2.csv", half_past + timedelta(hours=6), part)
    assert broken(lake, between) == {("A", 7): {"fall"}}


@pytest.mark.parametrize(
    "source",
    [
        "{case: upper}",
        "{extract: '^站-(.*)$', case: upper}",
        "{mapping: {甲站: A, 乙站: B, a: A, Ｂ: B}}",
    ],
)
def test_a_device_is_the_same_however_it_is_written(
    lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path, source: str
) -> None:
    properties = STREAM_PROPERTIES.replace("device: station", "device: station, context_min: 2880")
    named = "{name: station, businessName: 站点, logicalType: string"
    fields = STATION_FIELDS.replace(named, f"{named}, customProperties: [{{property: source, value: {source}}}]")
    assert fields != STATION_FIELDS
    registry = write_contracts(
        {
            "schemas/sources/heat/station.yaml": stream_contract("station", fields, properties),
            "expectations/sources/heat/station.yaml": SUITE,
        }
    )
    first, second = (
        ("站-a", "站-Ｂ") if "extract" in source else ("甲站", "Ｂ") if "mapping" in source else (" a", "ｂ")
    )
    send_file(lake, registry, tmp_path / "1.csv", DAY, {"A": rising(900), "B": rising()})
    send_file(lake, registry, tmp_path / "2.csv", DAY, {first: rising(900), second: rising()})  # the same once more
    next_day = {first: rising(50), second: rising(124)}
    third = send_file(lake, registry, tmp_path / "3.csv", DAY + timedelta(days=1), next_day)
    assert broken(lake, third) == {("A", 0): {"fall"}}


def test_a_clock_that_is_wrong_by_years_hides_no_neighbours(lake: Lake, registry: Registry, tmp_path: Path) -> None:
    send_file(lake, registry, tmp_path / "1.csv", DAY, {"A": rising(), "B": rising()})
    path = tmp_path / "2.csv"
    lines = [
        "站点,时间,温度,回温",
        "B,1970-01-01T00:00:00+00:00,60,1",
        f"A,{(DAY + timedelta(days=1)).isoformat()},60,50",
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    deliver(lake.store, [path], "station", "heat", Manifest())
    (landed,) = land(lake, registry)
    conform(lake, registry, landed.delivery.id)
    assert ("A", 0) in broken(lake, landed.delivery.id)


@pytest.mark.usefixtures("way")
def test_a_report_of_such_a_file_can_be_recomputed(lake: Lake, registry: Registry, tmp_path: Path) -> None:
    send_file(lake, registry, tmp_path / "1.csv", DAY, {"A": rising(), "B": rising()})
    second = send_file(lake, registry, tmp_path / "2.csv", DAY + timedelta(days=1), {"A": rising(124), "B": rising(50)})
    send_file(lake, registry, tmp_path / "3.csv", DAY + timedelta(days=2), {"A": rising(10), "B": rising(10)})
    report(lake, registry, second)
    recomputed = verify(lake, registry, second)
    assert recomputed.differing() == []
    assert not recomputed.unjudged and len(recomputed.checks) > 10
