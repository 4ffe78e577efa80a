"""What is measured upstream and downstream of a county's network agrees, but for plausible losses."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

import pytest

from jobs.simulator.balances import county_flows
from jobs.simulator.feed import Feed
from jobs.simulator.feeds import bills, gas, gas_gates, heat, heat_sources, indoor, network, water
from jobs.simulator.setting import START, Setting

CITY = Setting(7, START)
SUMMER = Setting(7, date(2026, 7, 15))


def mean_by_county(feed: Feed, field: str) -> Mapping[str, float]:
    """Sum over a county's devices of the mean of their readings."""
    readings: dict[str, list[float]] = defaultdict(list)
    for row in feed.rows(CITY):
        readings[row.text("device_id")].append(float(row.text(field)))
    sums: dict[str, float] = defaultdict(float)
    for device, values in readings.items():
        sums[device.split("-")[1]] += sum(values) / len(values)
    return sums


@pytest.mark.parametrize(
    ("upper", "lower", "least", "most"),
    [
        ((network.FEED, "network_flow_m3_h"), (water.FEED, "out_flow_m3_h"), 0.92, 0.955),
        ((heat_sources.FEED, "source_heat_rate_gj_h"), (heat.FEED, "heat_rate_gj_h"), 1.025, 1.065),
        ((gas_gates.FEED, "std_flow_m3_h"), (gas.FEED, "std_flow_m3_h"), 1.015, 1.045),
    ],
)
def test_flow_into_a_county_agrees_with_what_is_known_of_it(
    upper: tuple[Feed, str], lower: tuple[Feed, str], least: float, most: float
) -> None:
    into, known = mean_by_county(*upper), mean_by_county(*lower)
    shares = {county: into[county] / known[county] for county in known}
    assert {county: share for county, share in shares.items() if not least <= share <= most} == {}


def test_a_county_without_a_plant_is_supplied_too() -> None:
    plants, zones = mean_by_county(water.FEED, "out_flow_m3_h"), mean_by_county(network.FEED, "network_flow_m3_h")
    assert all(500 < zones[county] < 600 for county in zones.keys() - plants.keys())
    assert len(zones) == 8


@pytest.mark.parametrize("billing", [bills.WATER, bills.GAS], ids=lambda billing: billing.dataset)
@pytest.mark.parametrize("scale", [0.3, 1, 3])
def test_about_nine_tenths_of_a_countys_supply_is_billed(billing: bills.Billing, scale: float) -> None:
    city = Setting(7, START, scale)
    sold: dict[str, int] = defaultdict(int)
    for row in bills.bill_rows(city, billing):
        assert row.cells["billing_month"] == "2025-12"
        sold[row.text("division_code")] += int(row.text("billed_volume_m3"))
    supplied = {county: flow * 31 * 24 for county, flow in county_flows(city, billing.supply).items()}
    shares = {county: sold[county] / supplied[county] for county in supplied}
    assert {county: share for county, share in shares.items() if not 0.878 <= share <= 0.922} == {}


def test_the_supply_that_bills_follow_is_what_plants_and_gates_give() -> None:
    plants, gates = mean_by_county(water.FEED, "out_flow_m3_h"), mean_by_county(gas_gates.FEED, "std_flow_m3_h")
    flows = county_flows(CITY, bills.WATER.supply)
    assert all(flows[county] == pytest.approx(mean, rel=0.01) for county, mean in plants.items())
    flows = county_flows(CITY, bills.GAS.supply)
    assert all(flows[county] == pytest.approx(mean, rel=0.01) for county, mean in gates.items())


def test_a_month_begins_with_the_readings_that_the_month_before_ended_with() -> None:
    january, february = (
        {row.text("account_no"): row for row in bills.bill_rows(Setting(7, date(2026, month, 12)), bills.WATER)}
        for month in (2, 3)
    )
    assert january.keys() == february.keys()
    assert all(row.cells["reading_m3"] == february[no].cells["previous_reading_m3"] for no, row in january.items())


def test_sources_stand_in_summer() -> None:
    assert {row.text("source_flow_t_h") for row in heat_sources.FEED.rows(SUMMER)} == {"0"}


def test_homes_are_warm_in_the_season_and_follow_the_weather_outside_it() -> None:
    winter = [float(row.text("room_temp_c")) for row in indoor.FEED.rows(CITY)]
    summer = [float(row.text("room_temp_c")) for row in indoor.FEED.rows(SUMMER)]
    assert min(winter) >= 18 and max(winter) < min(summer) + 5 and max(summer) > 26
