"""Rules over the level of a point: readings that depart from what was usual, a level that drifts away.

What is usual is the median of the readings in the `back` periods of `period_s` seconds before a reading's own; with
`every_s`, in periods so many seconds apart: 86400 compares an hour with the same hour of the days before. Periods are
counted from 1970 in UTC. A median of fewer than `least` readings is no reference, and then nothing is judged. Readings
that `unless` names are neither judged nor part of a reference. Only the rows of the delivery are seen.
Source of the kind: drift, of the utilities' fault library.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.lake.bits import quoted
from jobs.quality.series_window import SeriesWindow

TO_SIGMA = 1.4826
"""A median of absolute departures, times this, is a standard deviation where these are normal."""
FEWEST_PEERS = 3
"""Of two points that differ, neither can be said to be the one that drifts."""


def departs(rows: DataFrame, flag: str, sight: SeriesWindow) -> DataFrame:
    """Runs of at least `readings` readings that leave what is usual by more than `limit` and `spreads` robust sigmas.

    The sigma is that of the departures in the same periods before.
    """
    rows = _in_periods(rows, sight)
    usual = _before(sight, sight.value)
    rows = rows.withColumn("_off", F.abs(F.col(sight.value) - usual))
    allowed = sight.number("limit")
    if sight.kwargs["spreads"]:
        sigma = _before(sight, "_off") * sight.number("spreads") * F.lit(TO_SIGMA)
        rows = rows.withColumn("_allowed", F.greatest(allowed, sigma))
        allowed = F.col("_allowed")
    return _lasting(rows, flag, sight, F.col("_off") > allowed)


def drifts(rows: DataFrame, flag: str, sight: SeriesWindow) -> DataFrame:
    """At least `readings` readings in a row, in periods whose median is off by more than `limit`.

    Off from what is usual or, with `peers`, more off than the median of the points that share these fields (of all
    points where the list is empty), each point counted once; with `back` 0, the levels themselves are compared.
    """
    rows = _in_periods(rows, sight)
    period = sight.points("_phase", "_turn")
    rows = rows.withColumn("_level", F.expr(f"percentile({sight.value}, 0.5) OVER ({period})"))
    change = F.col("_level") - _before(sight, sight.value) if sight.kwargs["back"] else F.col("_level")
    rows = rows.withColumn("_change", change)
    if sight.kwargs.get("peers") is not None:
        rows = _beside_peers(rows, sight, period)
    return _lasting(rows, flag, sight, F.abs("_change") > sight.number("limit"))


def _in_periods(rows: DataFrame, sight: SeriesWindow) -> DataFrame:
    """The rows with the number of their period, as its phase within `every_s` and its turn."""
    kwargs, length = sight.kwargs, int(sight.kwargs["period_s"])
    apart = int(kwargs.get("every_s") or length) // length
    number = F.floor(F.unix_micros(quoted(kwargs["at"])) / F.lit(length * 1e6))
    turn = F.floor(number / F.lit(apart))
    rows = rows.withColumn(sight.value.strip("`"), F.when(~sight.exempt(), F.col(sight.value)))
    return rows.withColumn("_turn", turn).withColumn("_phase", number - turn * F.lit(apart))


def _before(sight: SeriesWindow, column: str) -> Column:
    """The median of the column over the periods before; null where they hold fewer than `least` values."""
    back = int(sight.kwargs["back"])
    over = f"{sight.points('_phase')} ORDER BY _turn RANGE BETWEEN {back} PRECEDING AND 1 PRECEDING"
    enough = F.expr(f"count({column}) OVER ({over})") >= F.lit(int(sight.kwargs["least"]))
    return F.when(enough, F.expr(f"percentile({column}, 0.5) OVER ({over})"))


def _beside_peers(rows: DataFrame, sight: SeriesWindow, period: str) -> DataFrame:
    """The rows with their `_change` less the median change of their peers; null where these are too few."""
    first = F.expr(f"row_number() OVER ({period} ORDER BY _file, _row)") == 1
    rows = rows.withColumn("_once", F.when(first, F.col("_change")))
    among = ", ".join([*(quoted(name) for name in sight.kwargs["peers"]), "_phase", "_turn"])
    common = F.expr(f"percentile(_once, 0.5) OVER (PARTITION BY {among})")
    enough = F.expr(f"count(_once) OVER (PARTITION BY {among})") >= FEWEST_PEERS
    return rows.withColumn("_change", F.when(enough, F.col("_change") - common))


def _lasting(rows: DataFrame, flag: str, sight: SeriesWindow, off: Column) -> DataFrame:
    """The rows with a flag on those that are off, where at least `readings` in a row are."""
    is_off = F.coalesce(off, F.lit(False)).cast("int")
    rows = rows.withColumn("_is_off", F.when(F.col(sight.value).isNotNull(), is_off))
    rows = rows.withColumn("_run", sight.so_far("1 - _is_off"))
    length = F.expr(f"sum(_is_off) OVER ({sight.points('_run')})")
    return rows.withColumn(flag, (F.col("_is_off") == 1) & (length >= sight.number("readings")))
