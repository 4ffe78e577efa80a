"""Rules over neighbouring readings with limits from a table's history; one query.

Limits rest on medians and on the 99th percentile of the steps: faults in less than one of a hundred readings do not move them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.contracts import Contract, Field, Rule
from jobs.lake.bits import quoted
from jobs.quality.wordings import wordings

NUMBERS = ("integer", "number")
ENOUGH_STEPS = 100
LARGE = 0.99
"""Percentile of the steps that a limit is taken from."""
TIMES = 5
"""A spike is a step of more than so many times the large ones."""
SPIKE_READINGS = 3
MISSED = 3
"""So many intervals without a reading are a gap."""
SILENT = 12
"""So many intervals without a value are a silence."""
MOST_EMPTY = 0.5
PLACES = 2


@dataclass(frozen=True)
class History:
    """How a point is read: fields that identify it, its time, rows, and seconds between two readings."""

    series: tuple[str, ...]
    at: Field
    rows: int
    interval_s: float


def series_rules(rows: DataFrame, contract: Contract, rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Suite entries on spikes, gaps and silence that no rule covers yet; none where the key has no time."""
    at = next(filter(_is_time, map(contract.field, contract.key())), None)
    if at is None:
        return []
    series = tuple(name for name in contract.key() if name != at.name)
    fields = [f for f in _numbers(contract) if f.name in rows.columns]
    found = _measured(rows, series, at, fields)
    if not found["interval"] or found["rows"] < ENOUGH_STEPS:
        return []
    history = History(series, at, int(found["rows"]), float(found["interval"]))
    return _uncovered([_gap(history), *_of_fields(history, fields, found)], rules)


def _is_time(field: Field) -> bool:
    return field.type == "timestamp"


def _numbers(contract: Contract) -> list[Field]:
    """Fields that may be readings."""
    return [field for field in contract.fields if field.type in NUMBERS and field.key_position is None]


def _of_fields(history: History, fields: Sequence[Field], found: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = []
    for index, field in enumerate(fields):
        entries += _of_field(history, field, {name: found[f"{name}{index}"] for name in ("filled", "steps", "step")})
    return entries


def _uncovered(entries: Sequence[dict[str, Any]], rules: Sequence[Rule]) -> list[dict[str, Any]]:
    covered = {(rule.type, rule.kwargs.get("column")) for rule in rules}
    return [entry for entry in entries if (entry["type"], entry["kwargs"]["column"]) not in covered]


def _measured(rows: DataFrame, series: Sequence[str], at: Field, fields: Sequence[Field]) -> Mapping[str, Any]:
    """Rows, the median interval, and of each field the values, the steps that are not 0, and the size of large ones."""
    window = Window.partitionBy(*(F.col(quoted(name)) for name in series)).orderBy(F.col(quoted(at.name)))

    def change(value: Column) -> Column:
        return value - F.lag(value).over(window)

    values = {f"value{i}": F.col(quoted(f.name)).cast("double") for i, f in enumerate(fields)}
    changes = {f"change{i}": F.abs(change(value)) for i, value in enumerate(values.values())}
    waits = change(F.col(quoted(at.name)).cast("double"))
    steps = rows.select(waits.alias("wait"), *(c.alias(name) for name, c in (values | changes).items()))
    aggregates = [F.count(F.lit(1)).alias("rows"), F.percentile_approx("wait", 0.5, 10_000).alias("interval")]
    for i in range(len(fields)):
        moved = F.when(F.col(f"change{i}") > 0, F.col(f"change{i}"))
        large = F.percentile_approx(moved, LARGE, 10_000)
        aggregates += [
            F.count(f"value{i}").alias(f"filled{i}"),
            F.count(moved).alias(f"steps{i}"),
            large.alias(f"step{i}"),
        ]
    (found,) = steps.agg(*aggregates).collect()
    return dict(found.asDict())


def _of_field(history: History, field: Field, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = []
    if found["steps"] >= ENOUGH_STEPS:
        kwargs = {"limit": _rounded(TIMES * float(found["step"])), "readings": SPIKE_READINGS}
        entries.append(_entry(history, field, "usual_step", "expect_column_values_to_not_spike", kwargs))
    if found["filled"] >= MOST_EMPTY * history.rows:
        kwargs = {"longest_s": _rounded(SILENT * history.interval_s)}
        entries.append(_entry(history, field, "usual_presence", "expect_column_values_to_not_be_silent", kwargs))
    return entries


def _gap(history: History) -> dict[str, Any]:
    kwargs = {"interval_s": _rounded(history.interval_s), "limit": MISSED}
    return _entry(history, history.at, "usual_interval", "expect_column_values_to_follow_in_time", kwargs)


def _entry(history: History, field: Field, ending: str, type_: str, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    basis = wordings().proposed_basis.format(rows=history.rows)
    return {
        "id": f"{field.name}_{ending}",
        "type": type_,
        "kwargs": {"column": field.name, "series": list(history.series), "at": history.at.name, **kwargs},
        "severity": "warning",
        "meta": {**wordings().proposed[ending].of(field.title), "basis": basis},
    }


def _rounded(number: float) -> float:
    """To two significant digits, upwards: a limit is no measurement."""
    if not number:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(number)) - PLACES + 1)
    return float(f"{math.ceil(number / unit - 1e-9) * unit:.6g}")
