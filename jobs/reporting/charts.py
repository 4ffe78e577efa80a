"""Places of marks on charts; the templates draw them, black on white and labelled."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 16, 22, 40


@dataclass(frozen=True)
class Mark:
    """One delivery on a chart: its place, its height, and the words beside it; `y` is None where nothing is known."""

    x: float
    y: float | None
    height: float
    label: str
    tick: str
    is_latest: bool


@dataclass(frozen=True)
class Chart:
    """A chart of one number over deliveries."""

    title: str
    marks: tuple[Mark, ...]
    grid: tuple[tuple[float, str], ...]
    bar_width: float
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    base: int = HEIGHT - BOTTOM

    def line(self) -> str:
        """Points of the line through the known values, as SVG wants them."""
        return " ".join(f"{m.x},{m.y}" for m in self.marks if m.y is not None)


def chart(title: str, values: Sequence[tuple[str, float | None, str]], top: float, unit: str = "") -> Chart:
    """A chart of (tick, value, label) from 0 to `top`."""
    step = (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    last = len(values) - 1
    marks = tuple(_mark(i, step, entry, top, i == last) for i, entry in enumerate(values))
    grid = tuple((_y(part * top / 4, top), f"{part * top / 4:g}{unit}") for part in range(5))
    return Chart(title, marks, grid, round(min(step * 0.56, 44), 1))


def ceiling(values: Sequence[float | None], steps: Sequence[float] = (0.1, 0.4, 1, 2, 4, 10, 20, 40, 60, 100)) -> float:
    """The lowest round number above all values."""
    highest = max((v for v in values if v is not None), default=0.0)
    return next((step for step in steps if highest <= step), steps[-1])


def _mark(index: int, step: float, entry: tuple[str, float | None, str], top: float, is_latest: bool) -> Mark:
    tick, value, label = entry
    x = round(LEFT + step * (index + 0.5), 1)
    if value is None:
        return Mark(x, None, 0.0, label, tick, is_latest)
    y = _y(value, top)
    return Mark(x, y, round(HEIGHT - BOTTOM - y, 1), label, tick, is_latest)


def _y(value: float, top: float) -> float:
    span = HEIGHT - TOP - BOTTOM
    return round(TOP + span * (1 - min(value, top) / top), 1)
