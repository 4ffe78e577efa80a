"""Seconds of conform with rules over neighbouring readings: by number of rules, of rows, and of columns; warm."""

import random
import statistics
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from jobs.contracts import Registry
from jobs.contracts import load as load_contracts
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from tests.bench.common import Measures, stopwatch

ROUNDS = 4
POINTS = 5
HEAD = """apiVersion: v3.1.0
kind: DataContract
id: {id}
name: 读数
version: 1.0.0
status: active
team: {{name: 测试}}
schema:
  - name: {id}
    properties:
      - {{name: point, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}}
      - {{name: at, logicalType: timestamp, required: true, primaryKey: true, primaryKeyPosition: 2, customProperties: [{{property: source, value: {{formats: ["yyyy-MM-dd HH:mm:ss"], timezone: UTC}}}}]}}
"""
FIELD = "      - {{name: {name}, logicalType: number, logicalTypeOptions: {{minimum: -50, maximum: 150}}}}\n"
TAIL = """customProperties:
  - {property: provider, value: bench}
  - {property: layout, value: {encoding: utf-8}}
"""
RULE = "  - {{id: {id}, type: expect_column_values_to_{type}, kwargs: {{column: {column}, series: [point], at: at, {kwargs}}}, severity: warning, meta: {{dimension: 准确性, message: 不对, remedy: 请核对, basis: 约定}}}}\n"
GAP = ("follow_in_time", "interval_s: 60")
KINDS = (
    ("not_be_stuck", "intervals: 12, while_moves: [{other}]"),
    ("not_spike", "limit: 20"),
    ("not_spike", "limit: 20, readings: 60"),
    ("not_depart", "period_s: 3600, back: 12, least: 30, limit: 10, spreads: 6, readings: 3"),
    ("not_drift", "period_s: 3600, every_s: 86400, back: 7, least: 30, limit: 10, readings: 60"),
)
"""What each field is judged by; the five kinds on six fields and the rule on gaps are 31 rules."""


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """The first round of each case makes the tables and warms the engine; the median of the others counts."""
    _say(lake, folder, measures, ("series_31_rules_s", "≤ 9"), (7_200, 6, 31))
    _say(lake, folder, measures, ("series_300_rules_s", "–"), (7_200, 60, 300))
    _say(lake, folder, measures, ("series_60000_rows_s", "≤ 9"), (60_000, 6, 31))
    _say(lake, folder, measures, ("wide_454_columns_s", "≤ 5"), (1_418, 452, 31))


def _say(lake: Lake, folder: Path, measures: Measures, name: tuple[str, str], size: tuple[int, int, int]) -> None:
    rows, fields, rules = size
    registry = _registry(folder / name[0], name[0].removesuffix("_s"), fields, rules)
    spent = [_round(lake, registry, folder, size, number) for number in range(ROUNDS)]
    rounds = ", ".join(f"{seconds:.1f}" for seconds in spent)
    note = f"{rows:,} rows × {fields + 2}, {rules} rules over neighbours; rounds {rounds} s"
    measures.say(name[0], statistics.median(spent[1:]), name[1], note)


def _round(lake: Lake, registry: Registry, folder: Path, size: tuple[int, int, int], number: int) -> float:
    """Seconds from a delivery in bronze to its verdict."""
    (dataset,) = registry.contracts
    rows, fields, _ = size
    file = folder / f"{dataset}_{number}.csv"
    _write_readings(file, rows, fields, datetime(2026, 1, 12) + timedelta(days=100 * number))
    deliver(lake.store, [file], dataset, "bench", Manifest())
    (landed,) = land(lake, registry)
    load(lake, registry, landed.delivery.id)
    with stopwatch(f"{dataset}, round {number}") as spent:
        conform(lake, registry, landed.delivery.id)
    return spent[0]


def _registry(folder: Path, dataset: str, fields: int, rules: int) -> Registry:
    """A contract of so many numbers beside point and time, and its suite."""
    names = [f"v{number}" for number in range(fields)]
    texts = {
        "schemas": HEAD.format(id=dataset) + "".join(FIELD.format(name=name) for name in names) + TAIL,
        "expectations": f"name: {dataset}\nexpectations:\n" + "".join(_rules(names)[:rules]),
    }
    for kind, text in texts.items():
        file = folder / kind / "sources" / "bench" / f"{dataset}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return load_contracts(folder / "schemas", folder / "expectations")


def _rules(names: Sequence[str]) -> list[str]:
    """The rule on gaps, and every kind of rule on each field."""
    kind, words = GAP
    rules = [RULE.format(id="gap", type=kind, column="at", kwargs=words)]
    for place, name in enumerate(names):
        other = names[place - 1]
        rules += [
            RULE.format(id=f"k{number}_{name}", type=kind, column=name, kwargs=words.format(other=other))
            for number, (kind, words) in enumerate(KINDS)
        ]
    return rules


def _write_readings(file: Path, rows: int, fields: int, start: datetime) -> None:
    """A csv of readings a minute apart of some points, whose values wander, jump, and stand still."""
    rng = random.Random(7)
    levels = {point: [50.0] * fields for point in range(POINTS)}
    lines = [",".join(["point", "at", *(f"v{number}" for number in range(fields))])]
    for row in range(rows):
        point, minute = row % POINTS, row // POINTS
        levels[point] = [
            level if rng.random() < 0.3 else 50 + 0.98 * (level - 50) + rng.uniform(-1, 1) for level in levels[point]
        ]
        values = [f"{level + (40 if rng.random() < 0.002 else 0):.2f}" for level in levels[point]]
        lines.append(",".join([f"P{point}", f"{start + timedelta(minutes=minute):%Y-%m-%d %H:%M:%S}", *values]))
    file.write_text("\n".join(lines) + "\n", "utf-8")
