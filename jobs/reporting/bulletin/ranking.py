"""Departments of like size in order of their index; equal ones share a place, and small samples have none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jobs.reporting import figures
from jobs.reporting.bulletin.terms import Ranking

NOTHING, TOO_FEW, UNTESTED = "本期未报送", "样本不足", "未检测"


@dataclass(frozen=True)
class Entrant:
    """A department's numbers, as the ranking needs them; ratios from 0 to 1, the score from 0 to 100."""

    provider: str
    rows: int
    deliveries: int
    score: float | None
    punctual: float | None
    mended_in_time: float | None


@dataclass(frozen=True)
class Placed:
    """A department's place in its size class; `place` is None where it is not ranked, `note` says why.

    `change` is by how many places it rose; None where it had none in the same class the period before.
    """

    provider: str
    size_class: str
    index: float | None
    place: int | None
    before: int | None
    change: int | None
    note: str


def ranked(now: Sequence[Entrant], before: Sequence[Entrant], by: Ranking, months: int) -> list[Placed]:
    """Every department of the period, by class and place; those without a place at the end of their class."""
    places, earlier = _places(now, by, months), _places(before, by, months)
    found = []
    for one in now:
        size, place = _size(one, by, months), places.get(one.provider)
        was = next((e for e in before if e.provider == one.provider), None)
        same = was is not None and _size(was, by, months) == size
        old = earlier.get(one.provider) if same else None
        change = old - place if old is not None and place is not None else None
        found.append(Placed(one.provider, size, index(one, by), place, old, change, _note(one, by)))
    order = [c.name for c in by.size_classes]
    return sorted(found, key=lambda p: (order.index(p.size_class), p.place or len(found) + 1, p.provider))


def index(one: Entrant, by: Ranking) -> float | None:
    """Weighted mean of what could be computed, 0 to 100; None where there is no score, whatever else is known."""
    if one.score is None:
        return None
    ratios = {"punctual": one.punctual, "mended_in_time": one.mended_in_time}
    points = {"score": one.score, **{name: 100 * ratio for name, ratio in ratios.items() if ratio is not None}}
    known = [(points[name], weight) for name, weight in by.weights.items() if name in points]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None


def _places(entrants: Iterable[Entrant], by: Ranking, months: int) -> dict[str, int]:
    """1, 2, 2, 4: equal is what reads equal, with two decimals."""
    classes: dict[str, list[tuple[float, str]]] = {}
    for one in entrants:
        if not _note(one, by):
            shown = float(figures.score(index(one, by)))
            classes.setdefault(_size(one, by, months), []).append((shown, one.provider))
    return {
        provider: 1 + sum(other > shown for other, _ in mine) for mine in classes.values() for shown, provider in mine
    }


def _note(one: Entrant, by: Ranking) -> str:
    if not one.deliveries:
        return NOTHING
    if one.rows < by.least_rows or one.deliveries < by.least_deliveries:
        return TOO_FEW
    return UNTESTED if index(one, by) is None else ""


def _size(one: Entrant, by: Ranking, months: int) -> str:
    large_first = sorted(by.size_classes, key=lambda c: -c.least_rows)
    return next((c.name for c in large_first if one.rows >= c.least_rows * months), large_first[-1].name)
