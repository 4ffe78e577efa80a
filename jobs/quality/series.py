"""Rules over the readings of one point in their order: stuck, spike, falling counter, gap, growth against rate.

A row's flag comes from its neighbours, by window functions that share one sort by point and time; rules over a level
(level_rules.py) also sort by period. Readings outside the field's physical band, empty ones, and those without a time
are skipped: other rules report them. `series` has the fields that identify a point; if empty, all rows are one point.
Source of the rules: R02, R05, R06, R09, R10 of the utilities' rules.
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
    names = rows.columns if series else []  # read once: each access makes Spark analyse the plan
    for series_rule in series:
        value = f"_v_{series_rule.rule.id}"
        kwargs = series_rule.rule.kwargs
        window = SeriesWindow(kwargs, quoted(value))
        present = balanced(Column.__and__, [F.col(quoted(n)).isNotNull() for n in (*kwargs["series"], kwargs["at"])])
        rows = rows.withColumn(value, F.when(present, _in_band(contract, kwargs["column"])))
        if "rate" in kwargs:
            rows = rows.withColumn(RATE, _in_band(contract, kwargs["rate"]))
        rows = KINDS[series_rule.rule.type](rows, series_rule.flag, window)
        is_flagged = present & F.coalesce(F.col(series_rule.flag), F.lit(False)) & ~window.exempt()
        # Intermediate columns are dropped, so that the next rule may use the same names.
        rows = rows.select(*(quoted(name) for name in names), is_flagged.alias(series_rule.flag))
        names = [*names, series_rule.flag]
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


def _stuck(rows: DataFrame, flag: str, window: SeriesWindow) -> DataFrame:
    """Runs of at least `intervals` equal readings, while another field of the point changes."""
    kwargs, value = window.kwargs, F.col(window.value)
    # Each exempt reading starts a new run, so that a long standstill does not count towards the next one.
    starts = (value != window.prior(window.value)) | window.prior(window.value).isNull() | window.exempt()
    rows = rows.withColumn("_starts", F.when(value.isNotNull(), starts.cast("int")))
    rows = rows.withColumn("_run", window.so_far("_starts"))
    run = Window.partitionBy(*(F.col(quoted(name)) for name in kwargs["series"]), F.col("_run"))
    moving = [F.min(quoted(n)).over(run) != F.max(quoted(n)).over(run) for n in kwargs.get("while_moves") or ()]
    is_long = value.isNotNull() & (F.count(window.value).over(run) >= window.number("intervals"))
    return rows.withColumn(flag, is_long & (balanced(Column.__or__, moving) if moving else F.lit(True)))


def _spike(rows: DataFrame, flag: str, window: SeriesWindow) -> DataFrame:
    """A step of more than `limit`, reversed within `readings` readings: all readings between are flagged."""
    limit, value = window.number("limit"), F.col(window.value)
    rows = rows.withColumn("_prior", window.prior(window.value)).withColumn("_next", window.next(window.value))
    rows = rows.withColumn("_up", value - F.col("_prior")).withColumn("_down", value - F.col("_next"))
    readings = int(window.kwargs.get("readings") or 1)
    if readings > 1:
        rows = _between_steps(rows, window, limit)
        is_short = F.col("_length") <= F.lit(readings)
    else:
        is_short = (F.abs("_up") > limit) & (F.abs("_down") > limit)
    is_back = F.abs(F.col("_next") - F.col("_prior")) <= limit
    # Up and down have one sign where both steps leave the reading on the same side.
    return rows.withColumn(flag, value.isNotNull() & is_short & (F.col("_up") * F.col("_down") > 0) & is_back)


def _between_steps(rows: DataFrame, window: SeriesWindow, limit: Column) -> DataFrame:
    """The rows with `_prior`, `_next`, `_up` and `_down` of their run between two steps, and its `_length`."""
    rows = rows.withColumn("_steps", (F.abs("_up") > limit).cast("int"))
    rows = rows.withColumn("_run", window.so_far("_steps"))
    over_run = f"OVER ({window.points('_run')})"
    first = {name: F.when(F.abs("_up") > limit, F.col(name)) for name in ("_prior", "_up")}
    last = {name: F.when(F.abs("_down") > limit, F.col(name)) for name in ("_next", "_down")}
    rows = rows.withColumns({**first, **last})
    of_run = {name: F.expr(f"max({name}) {over_run}") for name in (*first, *last)}
    return rows.withColumns({**of_run, "_length": F.expr(f"count({window.value}) {over_run}")})


def _fall(rows: DataFrame, flag: str, window: SeriesWindow) -> DataFrame:
    """A counter below its last reading, unless its dial of `digits` rolled over by a step of at most `max_step`."""
    kwargs, value = window.kwargs, F.col(window.value)
    rows = rows.withColumn("_prior", window.prior(window.value))
    falls = value < F.col("_prior")
    if not kwargs.get("digits"):
        return rows.withColumn(flag, falls)
    top = F.pow(F.lit(10.0), window.number("digits"))
    step = value + top - F.col("_prior")
    rolled = (F.col("_prior") >= top * NEAR_THE_TOP) & (step <= window.number("max_step"))
    return rows.withColumn(flag, falls & ~F.coalesce(rolled, F.lit(False)))


def _gap(rows: DataFrame, flag: str, window: SeriesWindow) -> DataFrame:
    """A reading that comes more than `limit` intervals of `interval_s` seconds after the previous one."""
    waited = F.unix_micros(F.col(window.value)) - F.unix_micros(window.prior(window.value))
    longest = window.number("interval_s") * window.number("limit", 1.5) * F.lit(1e6)
    return rows.withColumn(flag, waited > longest)


def _growth(rows: DataFrame, flag: str, window: SeriesWindow) -> DataFrame:
    """A counter's step that differs from what `rate` an hour gives by more than `tolerance` and `share` of it.

    A fall, and the rise after it, are left to the rule on falling counters.
    """
    at = quoted(window.kwargs["at"])
    rows = rows.withColumn("_step", F.col(window.value) - window.prior(window.value))
    rises = (F.col("_step") >= 0) & F.coalesce(window.prior("_step") >= 0, F.lit(True))
    seconds = (F.unix_micros(F.col(at)) - F.unix_micros(window.prior(at))) / F.lit(1e6)
    rows = rows.withColumn("_hours", seconds / F.lit(HOUR)).withColumn(
        # The rate is assumed to change linearly between two readings.
        "_rate",
        (F.col(RATE) + window.prior(RATE)) / F.lit(2.0),
    )
    due = F.col("_rate") * F.col("_hours") * window.number("factor", 1)
    allowed = window.number("tolerance") + F.abs(due) * window.number("share")
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
