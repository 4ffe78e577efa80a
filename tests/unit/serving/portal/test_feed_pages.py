"""Streams in the portal: their state, curves with limits and marks, and alarms that an authority handles."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.contracts.alarm import AlarmPolicy
from jobs.contracts.names import MARKS
from jobs.errors import ServiceUnavailable
from jobs.lake.stream_ledger import StreamState
from jobs.lake.system_tables import system_table
from jobs.lake.zones import Zone
from jobs.pipeline import stream_figures
from jobs.serving.portal.services.feed_devices import plates
from jobs.serving.portal.services.feed_service import bands
from jobs.streams.alarm_store import Alarms, Limit
from jobs.streams.alarms import AlarmState, Watched
from tests.unit.serving.portal.portal_city import NOW, Browser, City, city, shipped

DATASET = "water_plant_minutes"
FACTS = {"messages": 60, "new": 58, "rejected": 2, "seconds": 0.5, "error": "", "offsets": {"0": 90}}


@pytest.fixture
def town(made_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[City]:
    """A water plant with two devices, of which one fell silent, and a broken limit."""
    monkeypatch.setattr(stream_figures, "end_offsets", lambda *_: {0: 100})
    made = city(tmp_path, made_url)
    minutes = [
        (device, NOW - timedelta(minutes=n))
        for device, n in (*(("W1", n) for n in range(60)), *(("W2", n) for n in range(30, 60)))
    ]
    rows = {
        "device_id": [device for device, _ in minutes],
        "read_at": pa.array([at for _, at in minutes], pa.timestamp("us", "UTC")),
        "out_turbidity_ntu": [1.5 if at > NOW - timedelta(minutes=2) else 0.4 for _, at in minutes],
        MARKS: [["turbidity_limit"] if at > NOW - timedelta(minutes=2) else [] for _, at in minutes],
    }
    lake = made.portal.lake
    lake.delta.put(lake.path(Zone.SILVER, DATASET), pa.table(rows))  # type: ignore[attr-defined]
    facts = {**FACTS, "last_event": NOW.isoformat(), "last_received": NOW.isoformat()}
    lake.streams.note(StreamState(DATASET, "w", 7, NOW, facts))
    limit = Limit(DATASET, "turbidity_limit", "出厂水浊度超过 1 NTU", AlarmPolicy())
    Alarms(made.portal.tickets.database).watch(
        limit, {"W1": [Watched(NOW - timedelta(minutes=n), True, "1.5") for n in (1, 0)]}
    )
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()
    made.portal.lake.streams.close()


def test_the_state_of_a_stream_is_told_on_the_page_and_as_an_event(town: City) -> None:
    browser = Browser(town.portal, "officer")
    page = browser.get("/feeds")
    assert "出厂水浊度超过 1 NTU" in page.text and "water_plant_minutes" in page.text
    event = browser.get("/feeds/events")
    assert event.headers["content-type"].startswith("text/event-stream")
    told = json.loads(event.text.split("data: ")[1])[DATASET]
    assert (told["lag"], told["rejected"], told["alarms"]) == ("10", "2", "1")


def test_without_the_broker_all_but_the_lag_is_shown(town: City, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> None:
        raise ServiceUnavailable("no broker")

    monkeypatch.setattr(stream_figures, "end_offsets", silent)
    page = Browser(town.portal, "officer").get("/feeds").text
    assert "积压未知" in page
    assert "60 条" in page


def test_a_silent_device_is_named(town: City) -> None:
    page = Browser(town.portal, "officer").get(f"/feeds/{DATASET}").text
    first, second = page.split("<h2>设备</h2>")[1].split('<tr role="row">')[2:4]
    assert "W1" in first and "静默" not in first and "报警 1" in first
    assert "W2" in second and "静默" in second


def test_a_curve_has_values_marks_and_limits(town: City) -> None:
    answer = Browser(town.portal, "leader").get(f"/feeds/{DATASET}/curve?device=W1&field=out_turbidity_ntu&hours=1")
    found = answer.json()
    assert (len(found["times"]), found["values"][-1], found["times"][-1]) == (60, 1.5, NOW.timestamp())
    assert found["marks"][-1] == "出厂水浊度超过 1 NTU" and found["marks"][0] == ""
    assert {"kind": "规定", "low": None, "high": 1.0} in found["bands"]
    assert Browser(town.portal, "leader").get(f"/feeds/{DATASET}/curve?field=device_id").status_code == 404


def test_the_authority_acknowledges_and_clears_with_a_reason(town: City) -> None:
    (alarm,) = Alarms(town.portal.tickets.database).all()
    officer, analyst = Browser(town.portal, "officer"), Browser(town.portal, "analyst")
    assert f"/alarms/{alarm.id}/clear" not in analyst.get("/feeds").text
    assert officer.post(f"/alarms/{alarm.id}/acknowledge", {}).headers["location"] == "/feeds?done=acknowledge"
    assert officer.post(f"/alarms/{alarm.id}/clear", {"reason": " "}).status_code == 422
    assert officer.post(f"/alarms/{alarm.id}/clear", {"reason": "已复测"}).status_code == 303
    assert Alarms(town.portal.tickets.database).one(alarm.id).state is AlarmState.CLEARED
    page = officer.get(f"/feeds/{DATASET}").text
    assert "已复测" in page and "已解除" in page


def summed_up(city: City) -> None:
    """Three hours of the summary, of which the second is missing and the last half full; one figure was corrected."""
    lake = city.portal.lake
    hours = [(NOW - timedelta(hours=n), received) for n, received in ((4, 60), (2, 30))]
    rows = [
        {
            "dataset_id": DATASET, "place_level": "city", "period_s": 3600, "day": at.date(), "period_start_at": at,
            "field_name": field, "readings_received": received if field == "ph" else 0, "readings_due": 60,
        }
        for at, received in hours for field in ("ph", "water_temp_c")
    ]  # fmt: skip
    lake.delta.put(lake.path(Zone.GOLD, "telemetry_summary"), pa.Table.from_pylist(rows))  # type: ignore[attr-defined]
    key = {
        "dataset_id": DATASET,
        "place_level": "county",
        "place_code": "371502",
        "period_s": "3600",
        "field_name": "ph",
    }
    keys = [
        key | {"period_start_at": "2026-11-24 03:00:00.000000Z"},
        key | {"place_level": "device", "period_start_at": "x"},
    ]
    changed = [
        {
            "build": "b", "product": "telemetry_summary", "key": json.dumps(one), "field": "value_mean", "before": "7.6",
            "after": "7.2", "version_before": 1, "version_after": 2, "shown_since": NOW, "changed_at": NOW,
        }
        for one in keys
    ]  # fmt: skip
    table = pa.Table.from_pylist(changed, schema=system_table("figure_changes").schema)
    lake.delta.put(lake.path(Zone.RESULTS, "figure_changes"), table)  # type: ignore[attr-defined]


def test_the_share_of_readings_that_arrived_counts_hours_without_any(town: City) -> None:
    summed_up(town)
    assert (
        json.loads(Browser(town.portal, "officer").get("/feeds/events").text.split("data: ")[1])[DATASET]["coverage"]
        == "50.0%"
    )


def test_corrected_figures_are_shown_with_what_was_shown_before(town: City) -> None:
    summed_up(town)
    page = Browser(town.portal, "officer").get(f"/feeds/{DATASET}").text
    shown = page.split("<h2>更正的汇总数字</h2>")[1].split("</table>")[0]
    assert shown.count('<tr role="row">') == 2  # the header, and the county's
    assert all(word in shown for word in ("371502", "均值", "7.6", "7.2", "2026-11-24 11:00"))


def test_where_devices_stand_and_which_of_them_should_read(town: City) -> None:
    lake = town.portal.lake
    plates = [
        {
            "device_id": name, "device_name": f"水厂{name}", "device_type": kind, "device_status": status,
            "longitude_deg": 115.9, "latitude_deg": 36.4,
        }
        for name, kind, status in (
            ("W1", "water_plant", "在用"), ("W3", "water_plant", "在用"), ("W4", "water_plant", "停用"), ("H1", "heat_station", "在用"),
        )
    ]  # fmt: skip
    lake.delta.put(lake.path(Zone.SILVER, "devices"), pa.Table.from_pylist(plates))  # type: ignore[attr-defined]
    page = Browser(town.portal, "officer").get(f"/feeds/{DATASET}").text
    drawn, listed = page.split("<h2>分布</h2>")[1].split("<h2>设备</h2>")
    assert ("水厂W1" in drawn, "水厂W3" in drawn, "W2" in drawn, "W4" in drawn, "H1" in drawn) == (
        True,
        True,
        False,
        False,
        False,
    )
    assert 'class="station bad"' in drawn and 'class="station wait"' in drawn
    assert "24 小时内没有" in listed.split("水厂W3")[1].split("</tr>")[0]


def test_devices_in_homes_have_neither_name_nor_place(town: City) -> None:
    stream = shipped().contract("indoor_temperatures").stream
    assert stream is not None and stream.in_homes
    row = {"device_id": "T1", "device_name": "某小区3号楼", "device_type": "indoor_sensor", "device_status": "在用"}
    lake = town.portal.lake
    register = pa.Table.from_pylist([row | {"longitude_deg": 115.9, "latitude_deg": 36.4}])
    lake.delta.put(lake.path(Zone.SILVER, "devices"), register)  # type: ignore[attr-defined]
    (plate,) = plates(lake, stream).values()
    assert (plate.name, plate.place, plate.is_expected) == ("", None, True)


def test_an_open_page_does_not_keep_a_login_alive(town: City) -> None:
    browser = Browser(town.portal, "officer")
    for _ in range(4):
        town.wait(minutes=town.portal.settings.portal_idle_min / 3)
        last = browser.get("/feeds/events")
    assert last.headers["location"].startswith("/login")


def test_limits_of_each_kind() -> None:
    contract, rules = shipped().contract(DATASET), shipped().rules[DATASET]
    found = {band.kind: (band.low, band.high) for band in bands(contract, contract.field("ph"), rules)}
    assert found["规定"] == (6.5, 8.5)
    assert found["物理"] == (0.0, 14.0)
