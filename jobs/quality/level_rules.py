"""Rules over the level of a point: readings that deviate from a baseline, a level that drifts.

The baseline is the median of the readings in the `back` periods of `period_s` seconds before a reading's own; with
`every_s`, in periods that many seconds apart: 86400 compares an hour with the same hour of previous days. Periods are
counted from 1970 in UTC. Fewer than `least` readings are no baseline, and then no reading is checked. Readings that
match `unless` are neither checked nor part of a baseline. Only the rows of the delivery count.
Source of the rules: drift, in the utilities' fault library.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.lake.bits import quoted
from jobs.quality.series_window import SeriesWindow

TO_SIGMA = 1.4826
"""A median of absolute deviations, times this, is a standard deviation where these are normal."""
FEWEST_PEERS = 3
"""Of only two points that differ, either may be the one that drifts."""


def departs(rows: DataFrame, flag: str, window: SeriesWindow) -> DataFrame:
    """Runs of at least `readings` readings off the baseline by more than `limit` and `spreads` robust sigmas.

    The sigma is that of the deviations in the same previous periods.
    """
    rows = _in_periods(rows, window)
    baseline = _before(window, window.value)
    rows = rows.withColumn("_off", F.abs(F.col(window.value) - baseline))
    allowed = window.number("limit")
    if window.kwargs["spreads"]:
        sigma = _before(window, "_off") * window.number("spreads") * F.lit(TO_SIGMA)
        rows = rows.withColumn("_allowed", F.greatest(allowed, sigma))
        allowed = F.col("_allowed")
    return _lasting(rows, flag, window, F.col("_off") > allowed)


def drifts(rows: DataFrame, flag: str, window: SeriesWindow) -> DataFrame:
    """At least `readings` readings in a row, in periods whose median is off by more than `limit`.

    Off from the baseline or, with `peers`, off by more than the median change of the points that share these fields (of
    all points where the list is empty), each point counted once; with `back` 0, the levels themselves are compared.
    """
    rows = _in_periods(rows, window)
    period = window.points("_phase", "_turn")
    rows = rows.withColumn("_level", F.expr(f"percentile({window.value}, 0.5) OVER ({period})"))
    change = F.col("_level") - _before(window, window.value) if window.kwargs["back"] else F.col("_level")
    rows = rows.withColumn("_change", change)
    if window.kwargs.get("peers") is not None:
        rows = _relative_to_peers(rows, window, period)
    return _lasting(rows, flag, window, F.abs("_change") > window.number("limit"))


def _in_periods(rows: DataFrame, window: SeriesWindow) -> DataFrame:
    """The rows with the number of their period, as its phase within `every_s` and its turn."""
    kwargs, length = window.kwargs, int(window.kwargs["period_s"])
    apart = int(kwargs.get("every_s") or length) // length
    number = F.floor(F.unix_micros(quoted(kwargs["at"])) / F.lit(length * 1e6))
    turn = F.floor(number / F.lit(apart))
    rows = rows.withColumn(window.value.strip("`"), F.when(~window.exempt(), F.col(window.value)))
    return rows.withColumn("_turn", turn).withColumn("_phase", number - turn * F.lit(apart))


def _before(window: SeriesWindow, column: str) -> Column:
    """The median of the column over the previous periods; null where they hold fewer than `least` values."""
    back = int(window.kwargs["back"])
    over = f"{window.points('_phase')} ORDER BY _turn RANGE BETWEEN {back} PRECEDING AND 1 PRECEDING"
    enough = F.expr(f"count({column}) OVER ({over})") >= F.lit(int(window.kwargs["least"]))
    return F.when(enough, F.expr(f"percentile({column}, 0.5) OVER ({over})"))


def _relative_to_peers(rows: DataFrame, window: SeriesWindow, period: str) -> DataFrame:
    """The rows with their `_change` relative to the median change of their peers; null where these are too few."""
    first = F.expr(f"row_number() OVER ({period} ORDER BY _file, _row)") == 1
    rows = rows.withColumn("_once", F.when(first, F.col("_change")))
    among = ", ".join([*(quoted(name) for name in window.kwargs["peers"]), "_phase", "_turn"])
    peer_change = F.expr(f"percentile(_once, 0.5) OVER (PARTITION BY {among})")
    enough = F.expr(f"count(_once) OVER (PARTITION BY {among})") >= FEWEST_PEERS
    return rows.withColumn("_change", F.when(enough, F.col("_change") - peer_change))


def _lasting(rows: DataFrame, flag: str, window: SeriesWindow, off: Column) -> DataFrame:
    """The rows with a flag on those that are off, where at least `readings` in a row are."""
    is_off = F.coalesce(off, F.lit(False)).cast("int")
    rows = rows.withColumn("_is_off", F.when(F.col(window.value).isNotNull(), is_off))
    rows = rows.withColumn("_run", window.so_far("1 - _is_off"))
    length = F.expr(f"sum(_is_off) OVER ({window.points('_run')})")
    return rows.withColumn(flag, (F.col("_is_off") == 1) & (length >= window.number("readings")))
