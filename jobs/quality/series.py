"""Rules over the readings of one point in their order: stuck, spike, falling counter, gap, growth against rate, unit, silence.

A row's flag comes from its neighbours, by window functions that share one sort by point and time; rules over a level
(level_rules.py) also sort by period. Readings outside the field's physical band, empty ones, and those without a time
are skipped: other rules report them. `series` has the fields that identify a point; if empty, all rows are one point.
Source of the rules: R02, R05, R06, R08, R09, R10 of the utilities' rules.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.contracts import Contract, Rule
from jobs.quality.level_rules import departs, drifts
from jobs.quality.lookups import with_lookups
from jobs.quality.plan import SERIES, Plan, Series
from jobs.quality.references import OtherTables
from jobs.quality.series_window import ROW, Columns, Layer, SeriesWindow, literal

IS_NEIGHBOUR = "_is_neighbour"
BY_PERIOD = (
    "expect_column_values_to_not_depart",
    "expect_column_values_to_not_drift",
    "expect_column_values_to_not_be_silent",
)
"""Rules that look at all readings of a time, however many these are."""
ANY_NUMBER = 1_000_000
SPARE = 3
HOUR = 3600.0
UNIT_FACTORS = (10.0, 100.0, 1000.0, 3.6, 277.78, 4.1868, 9.80665)
"""Between prefixes; m/s and km/h or MWh and GJ; GJ and kWh; calories and joules; kilograms of force and newtons."""
# A counter that falls from beyond this share of its dial may have rolled over.
NEAR_THE_TOP = 0.9


def with_neighbour_flags(rows: DataFrame, plan: Plan, others: OtherTables) -> DataFrame:
    """The rows with their lookups and a flag for each series; further rows are neighbours to them, and left out again."""
    if others.neighbours is None or not plan.series:
        return with_series_flags(with_lookups(rows, plan.lookups, others.rows), plan.series, plan.contract)
    further = others.neighbours.frame.withColumn(IS_NEIGHBOUR, F.lit(True))
    all_rows = rows.withColumn(IS_NEIGHBOUR, F.lit(False)).unionByName(further, allowMissingColumns=True)
    flagged = with_series_flags(with_lookups(all_rows, plan.lookups, others.rows), plan.series, plan.contract)
    return flagged.filter(~F.col(IS_NEIGHBOUR)).drop(IS_NEIGHBOUR)


def reach(rules: Sequence[Rule]) -> int:
    """How many readings of a point, on each side, the rules need at most; 0 where none looks at neighbours."""
    return max((_reach(rule) for rule in rules if rule.type in SERIES), default=0)


def reach_s(rules: Sequence[Rule]) -> float:
    """How many seconds before a reading the rules look at most; infinite where they count readings, not periods."""
    return max((_reach_s(rule.kwargs) for rule in rules if rule.type in SERIES), default=0)


def _reach_s(kwargs: Mapping[str, Any]) -> float:
    if "period_s" not in kwargs:
        return math.inf
    baselines = 2 if kwargs.get("spreads") else 1  # usual deviations are those from baselines of earlier readings
    return float((kwargs.get("every_s") or kwargs["period_s"]) * kwargs["back"] * baselines + kwargs["period_s"])


def _reach(rule: Rule) -> int:
    """A few more than the rule names: some of the readings may be empty, or outside their band."""
    if rule.type in BY_PERIOD:
        return ANY_NUMBER
    named = rule.kwargs.get("intervals", rule.kwargs.get("readings", 1))
    return SPARE + int(named) if isinstance(named, int) else ANY_NUMBER


def with_series_flags(rows: DataFrame, series: Sequence[Series], contract: Contract) -> DataFrame:
    """The rows with a boolean column for each rule, true where the row breaks it."""
    if not series:
        return rows
    columns, flags = Columns(), []
    numbers: dict[tuple[str, ...], int] = {}
    for series_rule in series:
        kwargs = series_rule.rule.kwargs
        number = numbers.setdefault((*kwargs["series"], kwargs["at"]), len(numbers))
        window = SeriesWindow(kwargs, contract, columns, number)
        breaks = KINDS[series_rule.rule.type](window)
        flags.append(F.expr(f"coalesce({breaks}, false) AND NOT {window.exempt()}").alias(series_rule.flag))
    return columns.over(rows).select(f"{ROW}.*", *flags)


def _stuck(window: SeriesWindow) -> str:
    """Runs of at least `intervals` equal readings, while another field of the point changes."""
    value = window.value()
    prior, count = window.prior(value), window.so_far(f"{value} IS NOT NULL")
    # Each exempt reading starts a new run, so that a long standstill does not count towards the next one.
    starts = f"({value} IS NOT NULL AND ({prior} IS NULL OR {value} != {prior} OR {window.exempt()}))"
    start = window.latest(f"CASE WHEN {starts} THEN {count} END")
    end = window.next(f"CASE WHEN {starts} THEN {count} END", Layer.RUN)
    length = f"coalesce({end}, {window.in_all(f'{value} IS NOT NULL')} + 1) - {start}"
    is_long = f"{value} IS NOT NULL AND {length} >= {window.parameter('intervals')}"
    fields = [window.field(name) for name in window.kwargs.get("while_moves") or ()]
    return f"{is_long} AND {_moves(window, starts, fields)}" if fields else is_long


def _moves(window: SeriesWindow, starts: str, fields: Sequence[str]) -> str:
    """Whether any of the fields has, in the row's run, another value than its first in the run."""
    firsts = [f"CASE WHEN {starts} THEN coalesce({name}, {window.next(name)}) END" for name in fields]
    pairs = zip(fields, map(window.latest, firsts), strict=True)
    moved = f"coalesce({' OR '.join(f'{name} != {first}' for name, first in pairs)}, false)"
    before = window.latest(f"CASE WHEN {moved} THEN true WHEN {starts} THEN false END", Layer.MOVE)
    after = window.next(f"CASE WHEN {starts} THEN false WHEN {moved} THEN true END", Layer.MOVE)
    return f"({before} OR {after})"


def _spike(window: SeriesWindow) -> str:
    """A step of more than `limit`, reversed within `readings` readings: all readings between are flagged."""
    limit, value = window.parameter("limit"), window.value()
    prior, following = window.prior(value), window.next(value)
    readings = int(window.kwargs.get("readings") or 1)
    up, down = f"({value} - {prior})", f"({value} - {following})"
    is_short = f"abs({up}) > {limit} AND abs({down}) > {limit}"
    if readings > 1:
        # Between two steps the first reading is compared with the one before it, the last with the one after it.
        is_step, count = f"abs({up}) > {limit}", window.so_far(f"{value} IS NOT NULL")
        prior = window.latest(f"CASE WHEN {is_step} THEN {prior} END")
        following = window.next(f"CASE WHEN {is_step} THEN {value} END", Layer.RUN)
        start = window.latest(f"CASE WHEN {is_step} THEN {count} END")
        end = window.next(f"CASE WHEN {is_step} THEN {count} END", Layer.RUN)
        down = f"-{window.next(f'CASE WHEN {is_step} THEN {up} END', Layer.RUN)}"
        up = window.latest(f"CASE WHEN {is_step} THEN {up} END")
        is_short = f"{end} - {start} <= {readings}"
    is_back = f"abs({following} - {prior}) <= {limit}"
    # Up and down have one sign where both steps leave the reading on the same side.
    return f"{value} IS NOT NULL AND {is_short} AND {up} * {down} > 0 AND {is_back}"


def _fall(window: SeriesWindow) -> str:
    """A counter below its last reading, unless its dial of `digits` rolled over by a step of at most `max_step`."""
    value = window.value()
    prior = window.prior(value)
    if not window.kwargs.get("digits"):
        return f"{value} < {prior}"
    top = f"pow({literal(10.0)}, {window.parameter('digits')})"
    step = f"{value} + {top} - {prior}"
    rolled = f"{prior} >= {top} * {literal(NEAR_THE_TOP)} AND {step} <= {window.parameter('max_step')}"
    return f"{value} < {prior} AND NOT coalesce({rolled}, false)"


def _gap(window: SeriesWindow) -> str:
    """A reading that comes more than `limit` intervals of `interval_s` seconds after the previous one."""
    value = window.value()
    waited = f"unix_micros({value}) - unix_micros({window.prior(value)})"
    longest = f"{window.parameter('interval_s')} * {window.parameter('limit', 1.5)} * {literal(1e6)}"
    return f"{waited} > {longest}"


def _growth(window: SeriesWindow) -> str:
    """A counter's step that differs from what `rate` an hour gives by more than `tolerance` and `share` of it.

    A fall, and the rise after it, are left to the rule on falling counters.
    """
    value, at = window.value(), window.field(window.kwargs["at"])
    rate = window.put(Layer.VALUE, window.within_band(window.kwargs["rate"]))
    step = f"({value} - {window.prior(value)})"
    rises = f"{step} >= 0 AND coalesce({window.prior(step, Layer.RUN)} >= 0, true)"
    hours = f"((unix_micros({at}) - unix_micros({window.prior(at)})) / {literal(1e6)} / {literal(HOUR)})"
    # The rate is assumed to change linearly between two readings.
    due = f"({rate} + {window.prior(rate)}) / {literal(2.0)} * {hours} * {window.parameter('factor', 1)}"
    allowed = f"{window.parameter('tolerance')} + abs({due}) * {window.parameter('share')}"
    return f"{rises} AND {hours} > 0 AND abs({step} - {due}) > {allowed}"


def _unit(window: SeriesWindow) -> str:
    """A reading that is an earlier one in another unit, within a share of `tolerance`.

    Compared with the previous reading or, with `readings`, with the median of those in so many rows before.
    """
    value, tolerance = window.value(), window.parameter("tolerance")
    earlier = _usual(window, value) if window.kwargs.get("readings") else window.prior(value)
    converted = [one for factor, offset in _conversions(window.kwargs) for one in _both_ways(earlier, factor, offset)]
    near = " OR ".join(f"abs({value} / {one} - 1) <= {tolerance}" for one in converted)
    return f"CASE WHEN {earlier} != 0 THEN {near} END"


def _conversions(kwargs: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Factor and offset of each; the usual factors where neither factors nor conversions are named."""
    named = [(float(factor), float(offset)) for factor, offset in kwargs.get("conversions") or ()]
    factors = kwargs.get("factors") or (() if named else UNIT_FACTORS)
    return [*((float(factor), 0.0) for factor in factors), *named]


def _both_ways(value: str, factor: float, offset: float) -> tuple[str, str]:
    """The value in the other unit, whichever of the two it is in; null where that is 0."""
    there, back = f"{value} * {literal(factor)}", f"{value} / {literal(factor)}"
    if offset:
        there, back = f"{there} + {literal(offset)}", f"({value} - {literal(offset)}) / {literal(factor)}"
    return f"nullif({there}, 0)", f"nullif({back}, 0)"


def _usual(window: SeriesWindow, value: str) -> str:
    """The median of the readings in the `readings` rows before; null where fewer than half of these rows have one."""
    count = int(window.kwargs["readings"])
    over = f"OVER ({window.order()} ROWS BETWEEN {count} PRECEDING AND 1 PRECEDING)"
    is_enough = f"count({value}) {over} * 2 >= {count}"
    return window.put(Layer.NEAR, f"CASE WHEN {is_enough} THEN percentile({value}, 0.5) {over} END")


def _silence(window: SeriesWindow) -> str:
    """Rows without a value more than `longest_s` seconds after the point's last value, or after its first row."""
    value, at = window.value(), window.field(window.kwargs["at"])
    fields = [*window.kwargs["series"], window.kwargs["at"]]
    is_placed = " AND ".join(f"{window.field(name)} IS NOT NULL" for name in fields)
    # Exempt rows end a silence, so that a standstill does not count towards the next one.
    last = window.latest(f"CASE WHEN {value} IS NOT NULL OR {window.exempt()} THEN {at} END")
    silent = f"unix_micros({at}) - unix_micros(coalesce({last}, {window.first(at)}))"
    return f"{value} IS NULL AND {is_placed} AND {silent} > {window.parameter('longest_s')} * {literal(1e6)}"


KINDS: Mapping[str, Callable[[SeriesWindow], str]] = {
    "expect_column_values_to_not_be_stuck": _stuck,
    "expect_column_values_to_not_spike": _spike,
    "expect_column_values_to_not_fall": _fall,
    "expect_column_values_to_follow_in_time": _gap,
    "expect_column_growth_to_match_rate": _growth,
    "expect_column_values_to_not_change_unit": _unit,
    "expect_column_values_to_not_depart": departs,
    "expect_column_values_to_not_drift": drifts,
    "expect_column_values_to_not_be_silent": _silence,
}
