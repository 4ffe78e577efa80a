"""Rules over the level of a point: readings that deviate from a baseline, a level that drifts.

Off by more than `limit` in the field's unit and, with `share`, by more than that share of what it is compared with.

The baseline is the median of the readings in the `back` periods of `period_s` seconds before a reading's own; with
`every_s`, in periods that many seconds apart: 86400 compares an hour with the same hour of previous days. Periods are
counted from 1970 in UTC. Fewer than `least` readings are no baseline, and then no reading is checked. Readings that
match `unless` are neither checked nor part of a baseline. Only the rows of the delivery count.
Source of the rules: drift, in the utilities' fault library.
"""

from jobs.lake.bits import quoted
from jobs.quality.series_window import Layer, SeriesWindow, literal

TO_SIGMA = 1.4826
"""A median of absolute deviations, times this, is a standard deviation where these are normal."""
FEWEST_PEERS = 3
"""Of only two points that differ, either may be the one that drifts."""


def departs(window: SeriesWindow) -> str:
    """Runs of at least `readings` readings off the baseline by more than `limit`, `share` and `spreads` robust sigmas.

    The sigma is that of the deviations in the same previous periods.
    """
    value = window.value(is_exempt_left_out=True)
    baseline = _before(window, value)
    off = f"abs({value} - {baseline})"
    allowed = _allowed(window, baseline)
    if window.kwargs["spreads"]:
        sigma = f"{_median_before(window, off)} * {window.parameter('spreads')} * {literal(TO_SIGMA)}"
        allowed = f"greatest({allowed}, {sigma})"
    return _lasting(window, value, f"{off} > {allowed}")


def drifts(window: SeriesWindow) -> str:
    """At least `readings` readings in a row, in periods whose median is off by more than `limit` and `share`.

    Off from the baseline or, with `peers`, off by more than the median change of the points that share these fields (of
    all points where the list is empty), each point counted once; with `back` 0, the levels themselves are compared.
    `share` is of the baseline, where there is one, and else of the peers' median level.
    """
    value = window.value(is_exempt_left_out=True)
    level = f"percentile({value}, 0.5) OVER ({_periods(window)} RANGE BETWEEN CURRENT ROW AND CURRENT ROW)"
    change = compared = window.put(Layer.PERIOD, level)
    if window.kwargs["back"]:
        compared = _before(window, value)
        change = f"({change} - {compared})"
    if window.kwargs.get("peers") is not None:
        usual = _of_peers(window, change)
        compared = compared if window.kwargs["back"] else usual
        change = f"({change} - {usual})"
    return _lasting(window, value, f"abs({change}) > {_allowed(window, compared)}")


def _allowed(window: SeriesWindow, compared: str) -> str:
    """How far a level may be off what it is compared with."""
    limit = window.parameter("limit")
    if not window.kwargs.get("share"):
        return limit
    return f"greatest({limit}, abs({compared}) * {window.parameter('share')})"


def _turn(window: SeriesWindow) -> tuple[str, tuple[str, ...]]:
    """The number of the row's period: its turn, and its phase within `every_s` where periods lie apart."""
    length = int(window.kwargs["period_s"])
    apart = int(window.kwargs.get("every_s") or length) // length
    number = f"floor(unix_micros({quoted(window.kwargs['at'])}) / {literal(length * 1e6)})"
    if apart == 1:
        return window.put(Layer.VALUE, number), ()
    turn = f"floor({number} / {apart})"
    return window.put(Layer.VALUE, turn), (window.put(Layer.VALUE, f"{number} - {turn} * {apart}"),)


def _periods(window: SeriesWindow) -> str:
    """A window over the readings of one point and phase in the order of their turns."""
    turn, phase = _turn(window)
    return f"{window.points(*phase)} ORDER BY {turn}"


def _before(window: SeriesWindow, value: str) -> str:
    """The baseline of each reading."""
    return window.put(Layer.PERIOD, _median_before(window, value))


def _median_before(window: SeriesWindow, column: str) -> str:
    """The median of the column over the previous periods; null where they hold fewer than `least` values."""
    over = f"OVER ({_periods(window)} RANGE BETWEEN {int(window.kwargs['back'])} PRECEDING AND 1 PRECEDING)"
    is_enough = f"count({column}) {over} >= {int(window.kwargs['least'])}"
    return f"CASE WHEN {is_enough} THEN percentile({column}, 0.5) {over} END"


def _of_peers(window: SeriesWindow, change: str) -> str:
    """The median change of the peers; null where these are too few."""
    # Of the rows of one turn, which tie, only the first has its rank as its number: each point counts once.
    periods, (turn, phase) = _periods(window), _turn(window)
    is_first = window.put(Layer.PERIOD, f"rank() OVER ({periods}) = row_number() OVER ({periods})")
    once = f"CASE WHEN {is_first} THEN {change} END"
    among = f"OVER (PARTITION BY {', '.join([*map(window.field, window.kwargs['peers']), *phase, turn])})"
    return f"CASE WHEN count({once}) {among} >= {FEWEST_PEERS} THEN percentile({once}, 0.5) {among} END"


def _lasting(window: SeriesWindow, value: str, off: str) -> str:
    """Whether the reading is off, and at least `readings` in a row are."""
    is_off = window.put(Layer.AMONG, f"CASE WHEN {value} IS NOT NULL THEN coalesce({off}, false) END")
    ends = f"CASE WHEN NOT {is_off} THEN {window.so_far(is_off)} END"
    before, after = window.prior(ends, Layer.RUN), window.next(ends, Layer.RUN)
    length = f"coalesce({after}, {window.in_all(is_off)}) - coalesce({before}, 0)"
    return f"{is_off} AND {length} >= {window.parameter('readings')}"
