"""Coordinates of chart marks; the templates draw them, black on white and labelled."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 204
LEFT, RIGHT, TOP, BOTTOM = 44, 16, 22, 54

Entry = tuple[tuple[str, str], float | None, str]
"""Day and time, value, and its label."""


@dataclass(frozen=True)
class ChartPoint:
    """One delivery on a chart: its position, height, label, day and time; `y` is None where the value is unknown."""

    x: float
    y: float | None
    height: float
    label: str
    day: str
    time: str
    is_latest: bool


@dataclass(frozen=True)
class Chart:
    """A chart of one number over deliveries."""

    title: str
    marks: tuple[ChartPoint, ...]
    grid: tuple[tuple[float, str], ...]
    bar_width: float
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    base: int = HEIGHT - BOTTOM

    def line(self) -> str:
        """Points of the line through the known values, in SVG's format."""
        return " ".join(f"{m.x},{m.y}" for m in self.marks if m.y is not None)


@dataclass(frozen=True)
class Scale:
    """What the vertical axis spans."""

    top: float
    bottom: float = 0.0
    unit: str = ""

    def y(self, value: float) -> float:
        """Height on the drawing of a value."""
        span = HEIGHT - TOP - BOTTOM
        part = (min(max(value, self.bottom), self.top) - self.bottom) / (self.top - self.bottom)
        return round(TOP + span * (1 - part), 1)

    def grid(self) -> tuple[tuple[float, str], ...]:
        """Five lines with their labels."""
        levels = [self.bottom + part * (self.top - self.bottom) / 4 for part in range(5)]
        return tuple((self.y(level), f"{level:g}{self.unit}") for level in levels)


def chart(title: str, values: Sequence[Entry], scale: Scale) -> Chart:
    """A chart of values in order of time."""
    step = (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    last = len(values) - 1
    marks = tuple(_mark(i, step, entry, scale, i == last) for i, entry in enumerate(values))
    return Chart(title, marks, scale.grid(), round(min(step * 0.56, 44), 1))


def score_scale(values: Sequence[float | None]) -> Scale:
    """From 0 to 100, or closer where all scores are high."""
    lowest = min((v for v in values if v is not None), default=0.0)
    return Scale(100, next((step for step in (98, 90, 80, 60) if lowest >= step), 0))


def ceiling(values: Sequence[float | None], steps: Sequence[float] = (0.1, 0.4, 1, 2, 4, 10, 20, 40, 60, 100)) -> float:
    """The lowest round number above all values."""
    highest = max((v for v in values if v is not None), default=0.0)
    return next((step for step in steps if highest <= step), steps[-1])


def _mark(index: int, step: float, entry: Entry, scale: Scale, is_latest: bool) -> ChartPoint:
    (day, time), value, label = entry
    x = round(LEFT + step * (index + 0.5), 1)
    if value is None:
        return ChartPoint(x, None, 0.0, label, day, time, is_latest)
    y = scale.y(value)
    return ChartPoint(x, y, round(HEIGHT - BOTTOM - y, 1), label, day, time, is_latest)
