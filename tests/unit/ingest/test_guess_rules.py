"""Rules that the meaning of columns suggests are proposed with the rows of the sample that break them."""

from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from jobs.ingest.guess_rules import Sample, rule_comments
from jobs.ingest.guess_units import header_unit
from jobs.ingest.guess_values import Guess

START = datetime(2026, 1, 5, 8)
TIMES = [START + timedelta(minutes=5 * n) for n in range(100)]


def sample(columns: dict[str, list[str]], form: str = "yyyy-MM-dd HH:mm:ss", key: tuple[int, ...] = (0,)) -> Sample:
    """The first column is the time; the others hold numbers."""
    guesses = {i: Guess(type="number") for i in range(len(columns))}
    guesses[0] = Guess(type="timestamp", source={"formats": [form]})
    guesses |= {i: Guess() for i in key if i}
    names = dict(enumerate(columns))
    arrays = {i: pa.array(values, pa.string()) for i, values in enumerate(columns.values())}
    return Sample(arrays, list(columns), guesses, names, key)


def times(form: str = "%Y-%m-%d %H:%M:%S") -> list[str]:
    return [moment.strftime(form) for moment in TIMES]


@pytest.mark.parametrize(
    ("supply", "return_"),
    [("一网供水温度", "一网回水温度"), ("t_sup_prim", "t_ret_prim"), ("供温", "回温"), ("inlet temp", "outlet temp")],
)
def test_supply_is_above_return(supply: str, return_: str) -> None:
    columns = {"时间": times(), return_: ["40"] * 100, supply: ["60"] * 97 + ["30", "", "39.9"]}
    found = [line for line in rule_comments(sample(columns)) if "不低于" in line]
    assert len(found) == 1 and f"{supply} 不低于 {return_}（样本中 2 行不符）" in found[0]


def test_fine_particles_are_part_of_coarse_ones() -> None:
    columns = {"time": times(), "PM2.5": ["35"] * 99 + ["90"], "PM10": ["60"] * 100}
    (found,) = (line for line in rule_comments(sample(columns)) if "不低于" in line)
    assert "PM10 不低于 PM2.5（样本中 1 行不符）" in found


def test_a_counter_only_grows_and_a_level_is_none() -> None:
    total = [str(1000 + n) for n in range(100)]
    total[50], total[60] = "0", "1049.5"
    columns = {"time": times(), "累计流量": total, "水位读数": [str(n % 7) for n in range(100)]}
    found = [line for line in rule_comments(sample(columns)) if "只增不减" in line]
    assert len(found) == 1 and "累计流量 只增不减（样本中 1 处减少" in found[0]


@pytest.mark.parametrize(
    ("form", "spark"),
    [
        ("%Y-%m-%d %H:%M:%S", "yyyy-MM-dd HH:mm:ss"),
        ("%Y-%m-%dT%H:%M:%S+08:00", "yyyy-MM-dd'T'HH:mm:ssXXX"),
        ("%Y/%m/%d %H:%M", "yyyy/M/d H:mm"),
        ("%Y年%m月%d日 %H:%M:%S", "yyyy年M月d日 H:mm:ss"),
        ("%Y%m%d%H%M%S", "yyyyMMddHHmmss"),
    ],
)
def test_gaps_are_counted_in_any_format(form: str, spark: str) -> None:
    texts = times(form)
    del texts[40:60]
    (found,) = (line for line in rule_comments(sample({"时间": texts}, spark)) if "间隔" in line)
    assert "读数间隔 300 秒（样本中 1 处超过 1.5 倍，最长 1.8 小时）" in found


def test_each_series_has_its_own_neighbours() -> None:
    columns = {"time": times() * 2, "站": ["甲"] * 100 + ["乙"] * 100, "累计": [str(n) for n in [*range(1, 101)] * 2]}
    found = rule_comments(sample(columns, key=(0, 1)))
    assert any("累计 只增不减（样本中 0 处减少" in line and "series: [站]" in line for line in found)
    assert any("样本中 0 处超过" in line for line in found)


def test_long_runs_of_zero_are_named() -> None:
    columns = {"time": times(), "流量": ["3.5"] * 60 + ["0"] * 30 + ["3"] * 5 + ["0"] * 5}
    (found,) = (line for line in rule_comments(sample(columns)) if "连续为 0" in line)
    assert "流量 有 1 段连续为 0 的读数（共 30 行，最长 30 行）" in found


def test_a_time_that_cannot_be_read_gives_no_rule_of_neighbours() -> None:
    columns = {"time": ["gestern", *times()[1:]], "累计": [str(n) for n in range(100)]}
    assert rule_comments(sample(columns)) == []


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("用水量(m³)", "m³"),
        ("用热量（GJ）", "GJ"),
        ("heating_load [kWh]", "kWh"),
        ("Energia (kwh)", "kWh"),
        ("pressure psi", "psi"),
        ("Outdoor temp (°F)", "°F"),
        ("室温（单位：℃）", "℃"),
        ("energy_heat_kwh", "kWh"),
        ("volume_flow_m3", "m³"),
        ("浓度(mg/L)", "mg/L"),
        ("水箱水位（米）", "m"),
        ("用水量(t)", "t"),
        ("管径（毫米）", "mm"),
        ("建筑面积（平方米）", "m²"),
        ("出口流量（单位：立方米/小时）", "m³/h"),
        ("姓名", ""),
        ("备注（可空）", ""),
        ("status (h", ""),
        ("gap", ""),
        ("m", ""),
    ],
)
def test_units_in_headers(header: str, unit: str) -> None:
    assert header_unit(header) == unit
