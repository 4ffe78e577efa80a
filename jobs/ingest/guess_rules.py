"""Rules that the meaning of a new file's columns suggests, each with how many of the sampled rows break it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.ingest.guess_values import Guess
from jobs.ingest.sample_times import seconds_of
from jobs.ingest.wordings import wording

PAIRS = (
    (re.compile(r"(?<![a-z])sup(?:ply)?(?![a-z])|供水?", re.I), ("ret", "return", "回", "回水")),
    (re.compile(r"inlet|进水?口?", re.I), ("outlet", "back", "出", "出水", "出口", "出水口")),
)
"""What flows in, and the words for what flows out in its place."""
HEAT = re.compile(r"温|temp|(?<![a-z])t_|press|压|flow_energy", re.I)
FINE, COARSE = re.compile(r"pm_?2[._]?5", re.I), "pm10"
COUNTER = re.compile(
    r"累计|累积|表底|表码|读数|示数|总量|cumul|total|counter|index|meter_reading|(?:^|_)e(?:nergy)?(?:_|$)", re.I
)
NUMBER = r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$"
LEAST_STEPS = 50
FALLS = 0.02
"""A counter falls in fewer steps than this share."""
GROWS = 0.05
"""Its last reading exceeds its first by this share of all its movement, and more."""
LATE = 1.5
"""Intervals after which a reading is late, as in `expect_column_values_to_follow_in_time`."""
REGULAR = 0.8
"""Share of steps that have the usual length, where readings come at intervals."""
ZEROS = 24
"""Consecutive zeros that are reported, of a column that is mostly not zero."""


@dataclass(frozen=True)
class Sample:
    """The sampled rows: texts by position, with their headers, guesses and field names, and the key."""

    columns: Mapping[int, pa.Array]
    header: Sequence[str | None]
    guesses: Mapping[int, Guess]
    names: Mapping[int, str]
    key: tuple[int, ...]

    def measured(self) -> list[int]:
        """Positions of numbers that are no part of the key."""
        return [i for i, one in self.guesses.items() if one.type in ("integer", "number") and i not in self.key]

    def numbers(self, position: int) -> np.ndarray:
        """The column's numbers, NaN where there is none."""
        text = pc.utf8_trim_whitespace(self.columns[position].cast(pa.string()))
        plain = pc.if_else(pc.match_substring_regex(text, NUMBER), text, None)
        return np.asarray(pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False))


def rule_comments(sample: Sample) -> list[str]:
    """Candidate rules, each as a line that names type, parameters and the rows of the sample that break it."""
    order = _in_order(sample)
    found = [*_pairs(sample), *_particles(sample)]
    if order is not None:
        found += [*_intervals(sample, order), *_counters(sample, order), *_zeros(sample, order)]
    return found


def _pairs(sample: Sample) -> Iterator[str]:
    """Supply above return, inlet above outlet."""
    by_name = {sample.names[i].lower(): i for i in sample.measured()}
    by_header = {(sample.header[i] or "").lower(): i for i in sample.measured()}
    for position in sample.measured():
        header = sample.header[position] or ""
        if not HEAT.search(header):
            continue
        other = _counterpart(header, {**by_name, **by_header})
        if other is not None and other != position:
            yield _above(sample, position, other)


def _counterpart(header: str, known: Mapping[str, int]) -> int | None:
    for words, others in PAIRS:
        for word in others:
            changed = words.sub(word, header, count=1).lower()
            if changed != header.lower() and changed in known:
                return known[changed]
    return None


def _particles(sample: Sample) -> Iterator[str]:
    """Fine particles are a part of the coarse ones."""
    by_header = {(sample.header[i] or "").lower(): i for i in sample.measured()}
    for position in sample.measured():
        header = sample.header[position] or ""
        coarse = by_header.get(FINE.sub(COARSE, header).lower())
        if FINE.search(header) and coarse is not None:
            yield _above(sample, coarse, position)


def _above(sample: Sample, higher: int, lower: int) -> str:
    with np.errstate(invalid="ignore"):
        broken = int((sample.numbers(higher) < sample.numbers(lower)).sum())
    return wording("rule_above", a=sample.names[higher], b=sample.names[lower], rows=broken)


@dataclass(frozen=True)
class _Order:
    """Rows in order of series and time: their indexes, the time of each in seconds, and where a new series begins."""

    rows: np.ndarray
    seconds: np.ndarray
    begins: np.ndarray
    series: tuple[int, ...]
    at: int


def _in_order(sample: Sample) -> _Order | None:
    """The rows in order of the key's time; None where it has none that can be read."""
    times = [i for i in sample.key if sample.guesses[i].type == "timestamp"]
    if len(times) != 1:
        return None
    seconds = seconds_of(sample.columns[times[0]], sample.guesses[times[0]])
    if seconds is None:
        return None
    series = tuple(i for i in sample.key if i != times[0])
    codes = np.zeros(len(seconds), dtype=np.int64)
    for i in series:
        values = sample.columns[i].dictionary_encode(null_encoding="encode").indices.to_numpy()
        codes = np.unique(codes * (len(codes) + 1) + values, return_inverse=True)[1]
    rows = np.lexsort((seconds, codes))
    begins = np.r_[True, codes[rows][1:] != codes[rows][:-1]]
    return _Order(rows, seconds[rows], begins, series, times[0])


def _steps(values: np.ndarray, order: _Order) -> np.ndarray:
    """Differences between consecutive readings of one series; empty ones and zeros are skipped: an offline meter reads 0."""
    readings, series = values[order.rows], np.cumsum(order.begins)
    is_reading = ~np.isnan(readings) & (readings != 0)
    steps = np.diff(readings[is_reading])[np.diff(series[is_reading]) == 0]
    return np.asarray(steps)


def _intervals(sample: Sample, order: _Order) -> Iterator[str]:
    """How long readings stay away, where most come at one interval."""
    steps = np.diff(order.seconds)[~order.begins[1:]]
    steps = steps[steps > 0]
    if len(steps) < LEAST_STEPS:
        return
    usual = float(np.median(steps))
    if (np.abs(steps - usual) <= 0.1 * usual).mean() >= REGULAR:
        late = steps > LATE * usual
        longest = f"{steps.max() / 3600:.1f}" if late.any() else "0"
        names = _series(sample, order)
        yield wording(
            "rule_follow",
            name=sample.names[order.at],
            series=names,
            seconds=int(usual),
            rows=int(late.sum()),
            hours=longest,
        )


def _counters(sample: Sample, order: _Order) -> Iterator[str]:
    """Numbers that only grow."""
    for position in sample.measured():
        steps = _steps(sample.numbers(position), order)
        if len(steps) < LEAST_STEPS or not COUNTER.search(sample.header[position] or ""):
            continue
        falls, movement = int((steps < 0).sum()), float(np.abs(steps).sum())
        if movement and falls <= FALLS * len(steps) and steps.sum() >= GROWS * movement:
            at, series = sample.names[order.at], _series(sample, order)
            yield wording("rule_counter", name=sample.names[position], series=series, at=at, rows=falls)


def _zeros(sample: Sample, order: _Order) -> Iterator[str]:
    """Long runs of zero in a column that is mostly something else."""
    for position in sample.measured():
        values = sample.numbers(position)[order.rows]
        is_zero = values == 0
        if not 0 < is_zero.mean() < 0.5:
            continue
        starts = np.flatnonzero(np.r_[True, (is_zero[1:] != is_zero[:-1]) | order.begins[1:]])
        lengths = np.diff(np.r_[starts, len(values)])[is_zero[starts]]
        if lengths.max() >= ZEROS:
            long = lengths[lengths >= ZEROS]
            yield wording(
                "rule_zeros", name=sample.names[position], runs=len(long), rows=int(long.sum()), longest=int(long.max())
            )


def _series(sample: Sample, order: _Order) -> str:
    return ", ".join(sample.names[i] for i in order.series)
