"""The demo city: same bytes for the same seed, plausible values, honest manifest."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric
from stdnum.cn import uscc as credit_code

from jobs.contracts.data_file import read_data
from jobs.errors import ContractError
from jobs.simulator import START, SentFile, canaries, identity, send
from jobs.simulator.curves import GAS, HEAT, WATER, Shape
from jobs.simulator.feed import Feed
from jobs.simulator.feed_file import PlannedFault
from jobs.simulator.feeds import FEEDS
from jobs.simulator.planting import Plan, change
from jobs.simulator.registers import enterprise
from jobs.simulator.setting import Setting

SEED = 11
Sender = Callable[..., tuple[SentFile, ...]]


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[SentFile, ...]]:
    out = tmp_path_factory.mktemp("city")
    return [send(START + timedelta(days=n), SEED, out) for n in range(3)]


def contents(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


@pytest.mark.parametrize("day", [0, 1, 2])
def test_same_seed_and_day_give_the_same_bytes(tmp_path: Path, day: int) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        send(START + timedelta(days=day), SEED, tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_another_seed_gives_other_bytes(tmp_path: Path) -> None:
    one = send(START, 1, tmp_path / "a", only=["admin_permits"])
    two = send(START, 2, tmp_path / "b", only=["admin_permits"])
    assert one[0].path.read_bytes() != two[0].path.read_bytes()


def test_first_day_sends_every_dataset_registers_first(three_days: list[tuple[SentFile, ...]]) -> None:
    order = [one.dataset for one in three_days[0]]
    assert len(order) == len(set(order)) == 21
    assert order.index("divisions") < order.index("devices") < order.index("heat_station_minutes")
    assert order.index("enterprise_registration") < order.index("admin_permits")


def test_third_day_replaces_the_second_days_penalties(three_days: list[tuple[SentFile, ...]]) -> None:
    (correction,) = [one for one in three_days[2] if one.supersedes_of]
    (original,) = [one for one in three_days[1] if one.key == correction.supersedes_of]
    assert correction.dataset == original.dataset == "admin_penalties"
    assert correction.path.name != original.path.name


def test_manifest_says_what_was_sent(three_days: list[tuple[SentFile, ...]]) -> None:
    folder = three_days[0][0].path.parents[1]
    entries = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert [e["key"] for e in entries] == [one.key for one in three_days[0]]
    assert all((folder / e["path"]).is_file() for e in entries)


def test_scale_multiplies_rows(tmp_path: Path) -> None:
    (one,) = send(START, SEED, tmp_path / "a", only=["water_meter_readings"])
    (three,) = send(START, SEED, tmp_path / "b", scale=3, only=["water_meter_readings"])
    assert three.declared_rows == 3 * one.declared_rows


def test_canaries_are_valid_and_sent_in_sensitive_fields(three_days: list[tuple[SentFile, ...]]) -> None:
    assert all(ric.calc_check_digit(number) == number[17] for number in canaries())
    permits = next(one for one in three_days[0] if one.dataset == "admin_permits").path.read_text("gb18030")
    orders = next(one for one in three_days[0] if one.dataset == "hotline_orders").path.read_text("utf-8")
    assert any(number in permits for number in canaries())
    assert any(number in orders for number in canaries())


@given(st.integers(0, 10**6))
def test_made_up_codes_have_right_check_digits(seed: int) -> None:
    rng = Random(seed)
    code = identity.uscc(rng, "91", "371502")
    number = identity.identity_number(rng, "371502")
    assert credit_code.is_valid(code)
    assert code[16] == identity.organisation_check(code[8:16])
    assert ric.calc_check_digit(number) == number[17] and not number.endswith("000")


@pytest.mark.parametrize(
    ("body", "check"), [("MA3TECT1", "0"), ("00443201", "1"), ("MA3D12AB", "9"), ("49312345", "4")]
)
def test_organisation_check_agrees_with_known_codes(body: str, check: str) -> None:
    assert identity.organisation_check(body) == check


def test_enterprise_is_the_same_on_every_day() -> None:
    assert enterprise(Setting(SEED, START), 3) == enterprise(Setting(SEED, START + timedelta(days=40)), 3)


@pytest.mark.parametrize("shape", [WATER, HEAT, GAS])
def test_running_totals_never_fall(shape: Shape) -> None:
    totals = [shape.until(quarter / 4) for quarter in range(4 * 24 * 3)]
    assert totals == sorted(totals)
    assert min(shape.at(quarter / 4) for quarter in range(96)) > 0


@pytest.mark.parametrize("day", [date(2026, 7, 15), date(2025, 12, 31), date(2028, 2, 29)])
def test_any_day_of_any_year_can_be_sent(tmp_path: Path, day: date) -> None:
    files = send(day, SEED, tmp_path, scale=0.2)
    assert {one.dataset for one in files} >= {"devices", "heat_station_minutes"}


def test_heat_is_off_in_summer(tmp_path: Path) -> None:
    (file,) = send(date(2026, 7, 15), SEED, tmp_path, scale=0.1, only=["heat_station_minutes"])
    lines = [line.split(",") for line in file.path.read_text("gb18030").splitlines()]
    flow = lines[0].index("瞬时流量(t/h)")
    assert sum(line[flow] == "0" for line in lines[1:]) > 0.9 * len(lines)


def test_readings_follow_the_clock(three_days: list[tuple[SentFile, ...]]) -> None:
    water = next(one for one in three_days[0] if one.dataset == "water_plant_minutes").path.read_text("utf-8")
    stamps = [line.split(",")[1] for line in water.splitlines()[1:4]]
    first, second = (datetime.strptime(s, "%Y-%m-%d %H:%M:%S") for s in stamps[:2])
    assert second - first == timedelta(minutes=5)


def test_class_of_fault_must_be_registered() -> None:
    with pytest.raises(ValueError, match="not a class of faults"):
        Plan("unheard_of", "field", change(None))


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.dataset)
def test_faults_of_a_feed_name_its_headers_and_functions(feed: Feed) -> None:
    file = feed.file()
    assert file.dataset == feed.dataset and set(file.key) <= set(file.headers)
    assert {plan.field for plan in feed.plans()} <= set(file.headers)
    named = {fault.by for fault in file.faults} | {fault.where for fault in file.faults if isinstance(fault.where, str)}
    assert {*feed.values, *feed.where} <= named


@pytest.mark.parametrize("way", ["", "to: 1, by: lower", "too: 1"])
def test_a_fault_is_planted_in_exactly_one_way(tmp_path: Path, way: str) -> None:
    (tmp_path / "fault.yaml").write_text(f"{{effect: breaks, kind: spike, field: a, {way}}}", "utf-8")
    with pytest.raises(ContractError, match=r"exactly one|unknown key"):
        read_data(tmp_path / "fault.yaml", PlannedFault)
