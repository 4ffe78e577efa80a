"""Rules over the level of a point, against a plain reading of their words in Python."""

import random
import statistics
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.contracts import Registry, Rule
from jobs.errors import ContractError
from jobs.quality import plan
from jobs.quality.conditions import expectation
from jobs.quality.series import with_series_flags
from tests.contract_texts import contract

FIELDS = """
      - {name: point, logicalType: string}
      - {name: town, logicalType: string}
      - {name: at, logicalType: timestamp}
      - {name: level, logicalType: number, logicalTypeOptions: {minimum: 0, maximum: 100}}
      - {name: pump, logicalType: integer}
"""
META = "meta: {dimension: 准确性, message: 不对, remedy: 请核对, basis: 约定}"
DEPART, DRIFT = "expect_column_values_to_not_depart", "expect_column_values_to_not_drift"
SPREAD = "period_s: 600, back: 3, least: 4, limit: 5, spreads: 2, readings: 2, unless: pump = 0"
PHASED = "period_s: 600, every_s: 1800, back: 4, least: 3, limit: 12, spreads: 0, readings: 1"
HISTORY = "period_s: 1200, back: 2, least: 5, limit: 6, readings: 3"
BESIDE = "period_s: 1200, back: 2, least: 5, peers: [town], limit: 6, readings: 3"
SHARED = "period_s: 600, back: 3, least: 4, limit: 2, share: 0.2, spreads: 0, readings: 2"
FALLEN = "period_s: 1200, back: 2, least: 5, limit: 2, share: 0.25, readings: 3"
UNLIKE = "period_s: 900, back: 0, least: 1, peers: [], limit: 2, share: 0.3, readings: 4"
APART = "period_s: 900, back: 0, least: 1, peers: [], limit: 9, readings: 4"


def suite(series: str = "[point]", **rules: tuple[str, str]) -> str:
    lines = [
        f"  - {{id: {name}, type: {type_}, kwargs: {{column: level, series: {series}, at: at, {kwargs}}}, severity: warning, {META}}}"
        for name, (type_, kwargs) in rules.items()
    ]
    return "\n".join(["name: point", "expectations:", *lines, ""])


SUITE = suite(
    spread=(DEPART, SPREAD),
    phased=(DEPART, PHASED),
    history=(DRIFT, HISTORY),
    lookups=(DRIFT, BESIDE),
    apart=(DRIFT, APART),
    shared=(DEPART, SHARED),
    fallen=(DRIFT, FALLEN),
    unlike=(DRIFT, UNLIKE),
)
Row = dict[str, Any]
Load = Callable[[str], Registry]


@pytest.fixture
def load(write_contracts: Callable[..., Registry]) -> Load:
    schema = contract("point", FIELDS)
    return lambda text: write_contracts(
        {"schemas/sources/heat/point.yaml": schema, "expectations/sources/heat/point.yaml": text}
    )


def readings(rng: random.Random, point: str | None, town: str, count: int) -> list[Row]:
    """Readings about a level that wanders, jumps and comes back; holes, rests of the pump and times that skip."""
    rows, level, shift, at = [], 50.0, 0.0, datetime(2026, 1, 12)
    for _ in range(count):
        at += timedelta(seconds=60 * rng.choice((1, 1, 1, 1, 2, 3, 9)))
        level += rng.choice((-0.5, 0.0, 0.5))
        shift = rng.choice((0.0, 0.0, 8.0, -15.0, 30.0, 90.0)) if rng.random() < 0.1 else shift
        value = None if rng.random() < 0.05 else level + shift + rng.choice((-1.0, 0.0, 1.0))
        when = None if rng.random() < 0.03 else at
        rows.append({"point": point, "town": town, "at": when, "level": value, "pump": int(rng.random() < 0.9)})
    return rows


class Plain:
    """The rules' words, reading by reading: which rows break a rule."""

    def __init__(self, rows: list[Row], kwargs: dict[str, Any]) -> None:
        self.kwargs = kwargs
        kept = [r for r in rows if None not in (r["point"], r["at"], r["level"]) and 0 <= r["level"] <= 100]
        kept = [r for r in kept if r["pump"] or not kwargs.get("unless")]
        self.points = {
            p: sorted((dict(r) for r in kept if r["point"] == p), key=lambda r: r["at"])
            for p in {r["point"] for r in kept}
        }
        apart = kwargs.get("every_s", kwargs["period_s"]) // kwargs["period_s"]
        for row in self.all():
            number = int((row["at"] - datetime(1970, 1, 1)).total_seconds()) // kwargs["period_s"]
            row["turn"], row["phase"] = divmod(number, apart)

    def all(self) -> list[Row]:
        return [row for rows in self.points.values() for row in rows]

    def before(self, row: Row, column: str) -> float | None:
        """The median of the column over the periods before the row's own."""
        found = [
            r[column]
            for r in self.points[row["point"]]
            if r["phase"] == row["phase"] and 1 <= row["turn"] - r["turn"] <= self.kwargs["back"]
        ]
        found = [value for value in found if value is not None]
        return statistics.median(found) if len(found) >= self.kwargs["least"] else None

    def departing(self) -> set[int]:
        for row in self.all():
            usual = self.before(row, "level")
            row["off"] = None if usual is None else abs(row["level"] - usual)
            row["share"] = 0 if usual is None else abs(usual) * self.kwargs.get("share", 0)
        for row in self.all():
            sigma = self.before(row, "off") if self.kwargs["spreads"] else None
            allowed = max(self.kwargs["limit"], row["share"], (sigma or 0) * 1.4826 * self.kwargs["spreads"])
            row["is_off"] = row["off"] is not None and row["off"] > allowed
        return self.lasting()

    def drifting(self) -> set[int]:
        changes: dict[tuple[Any, ...], tuple[Row, float | None]] = {}
        for row in self.all():
            alike = [r["level"] for r in self.points[row["point"]] if self.period(r) == self.period(row)]
            usual = self.before(row, "level") if self.kwargs["back"] else 0.0
            changes[row["point"], self.period(row)] = (row, None if usual is None else statistics.median(alike) - usual)
        for row in self.all():
            change = changes[row["point"], self.period(row)][1]
            compared = self.before(row, "level") if self.kwargs["back"] else None
            if change is not None and "peers" in self.kwargs:
                level, change = change, self.lookups(row, change, changes)
                compared = compared if self.kwargs["back"] or change is None else level - change
            allowed = max(self.kwargs["limit"], abs(compared or 0) * self.kwargs.get("share", 0))
            row["is_off"] = change is not None and abs(change) > allowed
        return self.lasting()

    def lookups(
        self, row: Row, change: float, changes: dict[tuple[Any, ...], tuple[Row, float | None]]
    ) -> float | None:
        """The change less that of the median peer; None where fewer than three have one."""
        peers = [
            other
            for r, other in changes.values()
            if self.period(r) == self.period(row) and all(r[n] == row[n] for n in self.kwargs["peers"])
        ]
        known = [other for other in peers if other is not None]
        return change - statistics.median(known) if len(known) >= 3 else None

    @staticmethod
    def period(row: Row) -> tuple[int, int]:
        return row["turn"], row["phase"]

    def lasting(self) -> set[int]:
        found: set[int] = set()
        for rows in self.points.values():
            run: list[int] = []
            for row in [*rows, {"is_off": False}]:
                if row["is_off"]:
                    run.append(row["_row"])
                    continue
                found |= set(run) if len(run) >= self.kwargs["readings"] else set()
                run = []
        return found


def flagged(spark: SparkSession, registry: Registry, table: list[Row]) -> dict[str, set[int]]:
    """Rows that each rule of the suite flags."""
    schema = "point string, town string, at timestamp, level double, pump long, _row long, _file string"
    order = [name.split()[0] for name in schema.split(", ")]
    rows = spark.createDataFrame([tuple({**row, "_file": "a"}[n] for n in order) for row in table], schema)
    planned = plan(registry.contract("point"), registry.rules["point"])
    found = with_series_flags(rows, planned.series, planned.contract).collect()
    return {one.rule.id: {r["_row"] for r in found if r[one.flag]} for one in planned.series}


def numbered(rng: random.Random, rows: list[Row]) -> list[Row]:
    table = [{**row, "_row": number} for number, row in enumerate(rows)]
    rng.shuffle(table)
    return table


@pytest.mark.parametrize("seed", range(2))
def test_flags_are_what_the_words_say(spark: SparkSession, load: Load, seed: int):
    rng = random.Random(seed)
    towns = {"甲": "东", "乙": "东", "丙": "东", "丁": "东", "戊": "西", None: "东"}
    table = numbered(rng, [row for point, town in towns.items() for row in readings(rng, point, town, 150)])
    registry = load(SUITE)
    found = flagged(spark, registry, table)
    for rule in (r for r in registry.rules["point"] if r.type in (DEPART, DRIFT)):
        plain = Plain(table, dict(rule.kwargs))
        expected = plain.departing() if rule.type == DEPART else plain.drifting()
        assert found[rule.id] == expected, rule.id
        assert expected, f"{rule.id}: the readings hold none"


def test_a_slow_drift_of_one_point_is_found_and_a_common_change_is_not(spark: SparkSession, load: Load):
    start = datetime(2026, 1, 12)
    table = [
        {"point": point, "town": "东", "at": start + timedelta(minutes=m), "level": 40 + 0.01 * m + (0.05 * m if point == "丙" else 0), "pump": 1}
        for point in ("甲", "乙", "丙")
        for m in range(0, 600, 5)
    ]  # fmt: skip
    table = numbered(random.Random(0), table)
    kwargs = "period_s: 3600, back: 4, least: 12, limit: 5, readings: 12"
    found = flagged(spark, load(suite(drift=(DRIFT, f"{kwargs}, peers: []"))), table)["drift"]
    assert {row["point"] for row in table if row["_row"] in found} == {"丙"}
    assert min(row["at"] for row in table if row["_row"] in found) == start + timedelta(hours=3)


def test_without_a_series_all_rows_are_one_point(spark: SparkSession, load: Load):
    rng = random.Random(7)
    table = numbered(rng, readings(rng, "甲", "东", 200))
    one = flagged(spark, load(suite("[]", depart=(DEPART, SPREAD), drift=(DRIFT, HISTORY))), table)
    named = flagged(spark, load(suite("[point]", depart=(DEPART, SPREAD), drift=(DRIFT, HISTORY))), table)
    assert one == named and all(one.values())


@pytest.mark.parametrize(
    ("type_", "kwargs", "message"),
    [
        (DEPART, SPREAD.replace("back: 3", "every_s: 900, back: 3"), "multiple of period_s"),
        (DEPART, SPREAD.replace("back: 3", "back: 0"), "greater than 0"),
        (DRIFT, APART.replace("peers: [], ", ""), "needs peers"),
        (DEPART, SPREAD.replace("spreads: 2, ", ""), "field required"),
    ],
)
def test_words_that_make_no_sense_are_refused(load: Load, type_: str, kwargs: str, message: str):
    rules: dict[str, Rule] = {r.id: r for r in load(suite(wrong=(type_, kwargs))).rules["point"]}
    with pytest.raises(ContractError, match=message):
        expectation(rules["wrong"])
