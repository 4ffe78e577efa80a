"""Rules over neighbouring readings, against a plain reading of their words in Python."""

import itertools
import random
import re
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.contracts import Registry, Rule
from jobs.quality import plan
from jobs.quality.conditions import expectation
from jobs.quality.plan import SERIES
from jobs.quality.series import KINDS, with_series_flags
from tests.contract_texts import contract

FIELDS = """
      - {name: point, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: at, logicalType: timestamp, required: true, primaryKey: true, primaryKeyPosition: 2}
      - {name: level, logicalType: number, logicalTypeOptions: {minimum: 0, maximum: 100}}
      - {name: flow, logicalType: number}
      - {name: total, logicalType: number}
"""
META = "meta: {dimension: 准确性, message: 不对, remedy: 请核对, basis: 约定}"
ORDER = "series: [point], at: at"
SUITE = f"""name: point
expectations:
  - {{id: stuck, type: expect_column_values_to_not_be_stuck, kwargs: {{column: level, {ORDER}, intervals: 4, while_moves: [flow], unless: flow = 0}}, severity: warning, {META}}}
  - {{id: spike, type: expect_column_values_to_not_spike, kwargs: {{column: level, {ORDER}, limit: 20}}, severity: warning, {META}}}
  - {{id: wide, type: expect_column_values_to_not_spike, kwargs: {{column: level, {ORDER}, limit: 20, readings: 3}}, severity: warning, {META}}}
  - {{id: fall, type: expect_column_values_to_not_fall, kwargs: {{column: total, {ORDER}, digits: 3, max_step: 50}}, severity: critical, {META}}}
  - {{id: gap, type: expect_column_values_to_follow_in_time, kwargs: {{column: at, {ORDER}, interval_s: 60, limit: 2.5}}, severity: warning, {META}}}
  - {{id: growth, type: expect_column_growth_to_match_rate, kwargs: {{column: total, rate: flow, {ORDER}, factor: 60, tolerance: 5, share: 0.5}}, severity: warning, {META}}}
  - {{id: unit, type: expect_column_values_to_not_change_unit, kwargs: {{column: flow, {ORDER}, factors: [2], tolerance: 0.01}}, severity: warning, {META}}}
  - {{id: usual_unit, type: expect_column_values_to_not_change_unit, kwargs: {{column: flow, {ORDER}, factors: [2], conversions: [[1.8, 3]], readings: 4, tolerance: 0.01}}, severity: warning, {META}}}
  - {{id: silence, type: expect_column_values_to_not_be_silent, kwargs: {{column: level, {ORDER}, longest_s: 100, unless: flow = 0}}, severity: warning, {META}}}
"""
START = datetime(2026, 1, 12)
LEVELS = {"expect_column_values_to_not_depart", "expect_column_values_to_not_drift"}
"""Held by test_levels.py."""
SCHEMA = "point string, at timestamp, level double, flow double, total double, _row long, _file string"
Row = dict[str, Any]


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    return write_contracts(
        {"schemas/sources/heat/point.yaml": contract("point", FIELDS), "expectations/sources/heat/point.yaml": SUITE}
    )


def readings(rng: random.Random, point: str | None, count: int) -> list[Row]:
    """Readings with runs, jumps, holes, a rolling counter and times that skip, in no order."""
    rows, level, total, at = [], 50.0, 900.0, START
    for number in range(count):
        at += timedelta(seconds=60 * rng.choice((1, 1, 1, 1, 1, 2, 3, 5)))
        level = level if rng.random() < 0.6 else rng.choice((10.0, 50.0, 55.0, 90.0, 150.0, None))
        total = rng.choice((total + 1, total + 1, total + 1, (total + 40) % 1000, total - 5))
        flow = rng.choice((0.0, 1.0, 1.0, 1.0, 2.0))
        when = None if rng.random() < 0.03 else at
        rows.append({"point": point, "at": when, "level": level, "flow": flow, "total": total, "_row": number})
    rng.shuffle(rows)
    return rows


def held(rows: list[Row], column: str, low: float = float("-inf"), high: float = float("inf")) -> list[Row]:
    """Readings of one point in order that have a value in its band."""
    kept = [r for r in rows if None not in (r["point"], r["at"], r[column])]
    return sorted(
        (r for r in kept if not isinstance(r[column], float) or low <= r[column] <= high), key=lambda r: r["at"]
    )


def stuck(rows: list[Row]) -> Iterator[int]:
    runs: list[list[Row]] = []
    for row in held(rows, "level", 0, 100):
        if runs and runs[-1][-1]["level"] == row["level"] and row["flow"] != 0:
            runs[-1].append(row)
        else:
            runs.append([row])
    ends = [run[0]["at"] for run in runs[1:]] + [datetime.max]
    begins = [run[0]["at"] for run in runs]
    for run, begin, end in zip(runs, begins, ends, strict=True):
        within = [r["flow"] for r in rows if r["at"] is not None and begin <= r["at"] < end]
        if len(run) >= 4 and len(set(within)) > 1:
            yield from (r["_row"] for r in run if r["flow"] != 0)


def spike(rows: list[Row]) -> Iterator[int]:
    order = held(rows, "level", 0, 100)
    for a, b, c in zip(order, order[1:], order[2:], strict=False):
        up, down = b["level"] - a["level"], b["level"] - c["level"]
        if abs(up) > 20 and abs(down) > 20 and up * down > 0 and abs(c["level"] - a["level"]) <= 20:
            yield b["_row"]


def wide(rows: list[Row]) -> Iterator[int]:
    order = held(rows, "level", 0, 100)
    steps = [n for n in range(1, len(order)) if abs(order[n]["level"] - order[n - 1]["level"]) > 20]
    for start, end in itertools.pairwise(steps):
        before, first, last, after = (order[n]["level"] for n in (start - 1, start, end - 1, end))
        if end - start <= 3 and (first - before) * (last - after) > 0 and abs(after - before) <= 20:
            yield from (r["_row"] for r in order[start:end])


def unit(rows: list[Row]) -> Iterator[int]:
    for a, b in itertools.pairwise(held(rows, "flow")):
        if a["flow"] and b["flow"] / a["flow"] in (2.0, 0.5):
            yield b["_row"]


def usual_unit(rows: list[Row]) -> Iterator[int]:
    order = sorted((r for r in rows if r["at"]), key=lambda r: (r["at"], r["_row"]))
    for number, row in enumerate(order):
        before = [r["flow"] for r in order[max(0, number - 4) : number] if r["flow"] is not None]
        usual = statistics.median(before) if len(before) >= 2 else 0
        others = [usual * 2, usual / 2, usual * 1.8 + 3, (usual - 3) / 1.8]
        if usual and row["flow"] is not None and any(o and abs(row["flow"] / o - 1) <= 0.01 for o in others):
            yield row["_row"]


def fall(rows: list[Row]) -> Iterator[int]:
    order = held(rows, "total")
    for a, b in itertools.pairwise(order):
        rolled = a["total"] >= 900 and b["total"] + 1000 - a["total"] <= 50
        if b["total"] < a["total"] and not rolled:
            yield b["_row"]


def gap(rows: list[Row]) -> Iterator[int]:
    order = held(rows, "at")
    yield from (b["_row"] for a, b in itertools.pairwise(order) if (b["at"] - a["at"]).seconds > 150)


def growth(rows: list[Row]) -> Iterator[int]:
    order = held(rows, "total")
    last = None
    for a, b in itertools.pairwise(order):
        step, hours = b["total"] - a["total"], (b["at"] - a["at"]).seconds / 3600
        due = (a["flow"] + b["flow"]) / 2 * hours * 60
        if step >= 0 and (last is None or last >= 0) and abs(step - due) > 5 + 0.5 * abs(due):
            yield b["_row"]
        last = step


def silence(rows: list[Row]) -> Iterator[int]:
    last = None
    for row in held(rows, "at"):
        last = row["at"] if last is None else last
        if row["flow"] == 0 or (row["level"] is not None and 0 <= row["level"] <= 100):
            last = row["at"]
        elif (row["at"] - last).total_seconds() > 100:
            yield row["_row"]


PLAIN: Mapping[str, Callable[[list[Row]], Iterator[int]]] = {
    "stuck": stuck,
    "spike": spike,
    "wide": wide,
    "fall": fall,
    "gap": gap,
    "growth": growth,
    "silence": silence,
    "unit": unit,
    "usual_unit": usual_unit,
}


@pytest.mark.parametrize("seed", range(3))
def test_flags_are_what_the_words_say(spark: SparkSession, registry: Registry, seed: int):
    rng = random.Random(seed)
    points = {name: readings(rng, name, 150) for name in ("甲", "乙", None)}
    table = [
        {**row, "_row": number * 1000 + row["_row"]} for number, rows in enumerate(points.values()) for row in rows
    ]
    order = [name.split()[0] for name in SCHEMA.split(", ")]
    rows = spark.createDataFrame([tuple({**row, "_file": "a"}[n] for n in order) for row in table], SCHEMA)
    planned = plan(registry.contract("point"), registry.rules["point"])
    flagged = with_series_flags(rows, planned.series, planned.contract).collect()
    for rule, words in PLAIN.items():
        found = {r["_row"] for r in flagged if r[f"_series_{rule}"]}
        expected = {n for point in ("甲", "乙") for n in words([r for r in table if r["point"] == point])}
        assert found == expected, rule
        assert expected, f"{rule}: the readings hold none"


NODE = re.compile(r"^[\s+\-:|*()\d]*(Window|Sort|Exchange|BroadcastHashJoin|SortMergeJoin) ", re.M)


def nodes(spark: SparkSession, registry: Registry) -> Counter[str]:
    """Steps of the physical plan of the flags that move, order or join rows."""
    schema = f"{SCHEMA}, level2 double, flow2 double, total2 double"
    rows = spark.createDataFrame([(None,) * len(schema.split(", "))], schema)
    planned = plan(registry.contract("point"), registry.rules["point"])
    return Counter(NODE.findall(with_series_flags(rows, planned.series, planned.contract)._explain_string()))


def test_more_rules_over_a_series_need_no_further_windows_sorts_or_joins(
    spark: SparkSession, registry: Registry, write_contracts: Callable[..., Registry]
):
    """Twice as many rules, over other fields and with other limits: as many windows and sorts, each of more columns."""
    others = SUITE.split("expectations:\n")[1].replace("id: ", "id: other_")
    for name in ("level", "flow", "total"):
        others = re.sub(rf"(column: |rate: |while_moves: \[|unless: ){name}\b", rf"\g<1>{name}2", others)
    more = FIELDS + "".join(f"      - {{name: {n}2, logicalType: number}}\n" for n in ("level", "flow", "total"))
    twice = write_contracts(
        {
            "schemas/sources/heat/point.yaml": contract("point", more.lstrip("\n")),
            "expectations/sources/heat/point.yaml": SUITE + others,
        }
    )
    once = nodes(spark, registry)
    assert once["Window"] and once["Sort"] == 1, once
    assert len(twice.rules["point"]) >= 2 * len(PLAIN) and nodes(spark, twice) == once


def test_every_kind_has_an_expectation_that_great_expectations_takes(registry: Registry):
    rules: dict[str, Rule] = {r.type: r for r in registry.rules["point"] if r.type in SERIES}
    assert set(rules) == set(SERIES) - LEVELS and set(SERIES) == set(KINDS)
    for rule in rules.values():
        assert expectation(rule).flag == f"_series_{rule.id}"


def test_a_column_that_is_no_field_is_an_error_that_names_the_place(write_contracts: Callable[..., Registry]):
    with pytest.raises(Exception, match="'tme' is not a field"):
        write_contracts(
            {
                "schemas/sources/heat/point.yaml": contract("point", FIELDS),
                "expectations/sources/heat/point.yaml": SUITE.replace("at: at", "at: tme"),
            }
        )
