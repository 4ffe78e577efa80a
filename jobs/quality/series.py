"""Rules over the readings of one point in their order: stuck, spike, falling counter, gap, growth against rate.

A row's flag is made from its neighbours, by window functions that share one sort by point and time; rules over a level
(levels.py) sort by period besides. Readings outside the field's physical band, empty ones, and those without a time are
passed over: other rules tell of those. `series` names what tells points apart; where it is empty, all rows are one point.
Source of the kinds: R02, R05, R06, R09, R10 of the utilities' rules.
"""

from collections.abc import Callable, Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.contracts import Contract
from jobs.lake.bits import balanced, quoted
from jobs.quality.level_rules import departs, drifts
from jobs.quality.plan import Series
from jobs.quality.series_window import SeriesWindow

HOUR = 3600.0
RATE = "_rate_in_band"
# A counter that falls from beyond this share of its dial may have rolled over.
NEAR_THE_TOP = 0.9


def with_series_flags(rows: DataFrame, series: Sequence[Series], contract: Contract) -> DataFrame:
    """The rows with a boolean column for each rule, true where the row breaks it."""
    names = rows.columns if series else []  # asked once: each time, the engine analyses the plan
    for one in series:
        value = f"_v_{one.rule.id}"
        kwargs = one.rule.kwargs
        sight = SeriesWindow(kwargs, quoted(value))
        present = balanced(Column.__and__, [F.col(quoted(n)).isNotNull() for n in (*kwargs["series"], kwargs["at"])])
        rows = rows.withColumn(value, F.when(present, _in_band(contract, kwargs["column"])))
        if "rate" in kwargs:
            rows = rows.withColumn(RATE, _in_band(contract, kwargs["rate"]))
        rows = KINDS[one.rule.type](rows, one.flag, sight)
        held = present & F.coalesce(F.col(one.flag), F.lit(False)) & ~sight.exempt()
        # What the rule needed on the way is dropped, so that the next may use the same names.
        rows = rows.select(*(quoted(name) for name in names), held.alias(one.flag))
        names = [*names, one.flag]
    return rows


def _in_band(contract: Contract, name: str) -> Column:
    field, value = contract.field(name), F.col(quoted(name))
    if field.type not in ("integer", "number"):
        return value
    inside = F.lit(True)
    if field.minimum is not None:
        inside = inside & (value >= F.lit(field.minimum))
    if field.maximum is not None:
        inside = inside & (value <= F.lit(field.maximum))
    return F.when(inside, value.cast("double"))


def _stuck(rows: DataFrame, flag: str, sight: SeriesWindow) -> DataFrame:
    """Runs of at least `intervals` equal readings, while another reading of the point moves."""
    kwargs, value = sight.kwargs, F.col(sight.value)
    # Each exempt reading begins a run anew, so that a long rest does not count towards what follows.
    starts = (value != sight.prior(sight.value)) | sight.prior(sight.value).isNull() | sight.exempt()
    rows = rows.withColumn("_starts", F.when(value.isNotNull(), starts.cast("int")))
    rows = rows.withColumn("_run", sight.so_far("_starts"))
    run = Window.partitionBy(*(F.col(quoted(name)) for name in kwargs["series"]), F.col("_run"))
    moving = [F.min(quoted(n)).over(run) != F.max(quoted(n)).over(run) for n in kwargs.get("while_moves") or ()]
    is_long = value.isNotNull() & (F.count(sight.value).over(run) >= sight.number("intervals"))
    return rows.withColumn(flag, is_long & (balanced(Column.__or__, moving) if moving else F.lit(True)))


def _spike(rows: DataFrame, flag: str, sight: SeriesWindow) -> DataFrame:
    """A step of more than `limit` from the reading before, taken back within `readings` readings: all between are off."""
    limit, value = sight.number("limit"), F.col(sight.value)
    rows = rows.withColumn("_prior", sight.prior(sight.value)).withColumn("_next", sight.next(sight.value))
    rows = rows.withColumn("_up", value - F.col("_prior")).withColumn("_down", value - F.col("_next"))
    readings = int(sight.kwargs.get("readings") or 1)
    if readings > 1:
        rows = _between_steps(rows, sight, limit)
        is_short = F.col("_length") <= F.lit(readings)
    else:
        is_short = (F.abs("_up") > limit) & (F.abs("_down") > limit)
    is_back = F.abs(F.col("_next") - F.col("_prior")) <= limit
    # Up and down have one sign where both steps leave the reading on the same side.
    return rows.withColumn(flag, value.isNotNull() & is_short & (F.col("_up") * F.col("_down") > 0) & is_back)


def _between_steps(rows: DataFrame, sight: SeriesWindow, limit: Column) -> DataFrame:
    """The rows with their `_prior`, `_next`, `_up` and `_down` those of the whole run between two steps, and its `_length`."""
    rows = rows.withColumn("_steps", (F.abs("_up") > limit).cast("int"))
    rows = rows.withColumn("_run", sight.so_far("_steps"))
    run = f"OVER ({sight.points('_run')})"
    first = {name: F.when(F.abs("_up") > limit, F.col(name)) for name in ("_prior", "_up")}
    last = {name: F.when(F.abs("_down") > limit, F.col(name)) for name in ("_next", "_down")}
    rows = rows.withColumns({**first, **last})
    whole = {name: F.expr(f"max({name}) {run}") for name in (*first, *last)}
    return rows.withColumns({**whole, "_length": F.expr(f"count({sight.value}) {run}")})


def _fall(rows: DataFrame, flag: str, sight: SeriesWindow) -> DataFrame:
    """A counter below its last reading, unless its dial of `digits` rolled over by a step of at most `max_step`."""
    kwargs, value = sight.kwargs, F.col(sight.value)
    rows = rows.withColumn("_prior", sight.prior(sight.value))
    falls = value < F.col("_prior")
    if not kwargs.get("digits"):
        return rows.withColumn(flag, falls)
    top = F.pow(F.lit(10.0), sight.number("digits"))
    step = value + top - F.col("_prior")
    rolled = (F.col("_prior") >= top * NEAR_THE_TOP) & (step <= sight.number("max_step"))
    return rows.withColumn(flag, falls & ~F.coalesce(rolled, F.lit(False)))


def _gap(rows: DataFrame, flag: str, sight: SeriesWindow) -> DataFrame:
    """A reading that comes more than `limit` intervals of `interval_s` seconds after the one before."""
    waited = F.unix_micros(F.col(sight.value)) - F.unix_micros(sight.prior(sight.value))
    most = sight.number("interval_s") * sight.number("limit", 1.5) * F.lit(1e6)
    return rows.withColumn(flag, waited > most)


def _growth(rows: DataFrame, flag: str, sight: SeriesWindow) -> DataFrame:
    """A counter's step that differs from what `rate` an hour gives by more than `tolerance` and `share` of it.

    A fall, and the rise after it, are left to the rule on falling counters.
    """
    at = quoted(sight.kwargs["at"])
    rows = rows.withColumn("_step", F.col(sight.value) - sight.prior(sight.value))
    rises = (F.col("_step") >= 0) & F.coalesce(sight.prior("_step") >= 0, F.lit(True))
    seconds = (F.unix_micros(F.col(at)) - F.unix_micros(sight.prior(at))) / F.lit(1e6)
    rows = rows.withColumn("_hours", seconds / F.lit(HOUR)).withColumn(
        # Between two readings the rate is taken to change evenly.
        "_rate",
        (F.col(RATE) + sight.prior(RATE)) / F.lit(2.0),
    )
    due = F.col("_rate") * F.col("_hours") * sight.number("factor", 1)
    allowed = sight.number("tolerance") + F.abs(due) * sight.number("share")
    return rows.withColumn(flag, rises & (F.col("_hours") > 0) & (F.abs(F.col("_step") - due) > allowed))


KINDS: Mapping[str, Callable[[DataFrame, str, SeriesWindow], DataFrame]] = {
    "expect_column_values_to_not_be_stuck": _stuck,
    "expect_column_values_to_not_spike": _spike,
    "expect_column_values_to_not_fall": _fall,
    "expect_column_values_to_follow_in_time": _gap,
    "expect_column_growth_to_match_rate": _growth,
    "expect_column_values_to_not_depart": departs,
    "expect_column_values_to_not_drift": drifts,
}
