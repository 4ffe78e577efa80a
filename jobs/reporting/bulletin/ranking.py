"""Departments of like size in order of their index; equal ones share a place, small samples are not ranked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jobs.reporting import figures
from jobs.reporting.bulletin.terms import Ranking

NOTHING, TOO_FEW, UNTESTED = "本期未报送", "样本不足", "未检测"


@dataclass(frozen=True)
class Entrant:
    """A department's numbers for the ranking; ratios from 0 to 1, the score from 0 to 100."""

    provider: str
    rows: int
    deliveries: int
    score: float | None
    punctual: float | None
    mended_in_time: float | None


@dataclass(frozen=True)
class Placed:
    """A department's place in its size class; `place` is None where it is not ranked, `note` says why.

    `change` is by how many places it rose; None without a place in the same class in the previous period.
    """

    provider: str
    size_class: str
    index: float | None
    place: int | None
    before: int | None
    change: int | None
    note: str


def ranked(now: Sequence[Entrant], before: Sequence[Entrant], by: Ranking, months: int) -> list[Placed]:
    """Every department of the period, by class and place; unranked ones at the end of their class."""
    places, earlier = _places(now, by, months), _places(before, by, months)
    placed = []
    for entrant in now:
        size, place = _size(entrant, by, months), places.get(entrant.provider)
        earlier_entrant = next((e for e in before if e.provider == entrant.provider), None)
        same = earlier_entrant is not None and _size(earlier_entrant, by, months) == size
        old = earlier.get(entrant.provider) if same else None
        change = old - place if old is not None and place is not None else None
        placed.append(Placed(entrant.provider, size, index(entrant, by), place, old, change, _note(entrant, by)))
    order = [c.name for c in by.size_classes]
    return sorted(placed, key=lambda p: (order.index(p.size_class), p.place or len(placed) + 1, p.provider))


def index(entrant: Entrant, by: Ranking) -> float | None:
    """Weighted mean of what could be computed, 0 to 100; None without a score."""
    if entrant.score is None:
        return None
    ratios = {"punctual": entrant.punctual, "mended_in_time": entrant.mended_in_time}
    points = {"score": entrant.score, **{name: 100 * ratio for name, ratio in ratios.items() if ratio is not None}}
    known = [(points[name], weight) for name, weight in by.weights.items() if name in points]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None


def _places(entrants: Iterable[Entrant], by: Ranking, months: int) -> dict[str, int]:
    """1, 2, 2, 4: indices that are equal with two decimals share a place."""
    classes: dict[str, list[tuple[float, str]]] = {}
    for entrant in entrants:
        if not _note(entrant, by):
            rounded = float(figures.score(index(entrant, by)))
            classes.setdefault(_size(entrant, by, months), []).append((rounded, entrant.provider))
    return {
        provider: 1 + sum(other > rounded for other, _ in in_class)
        for in_class in classes.values()
        for rounded, provider in in_class
    }


def _note(entrant: Entrant, by: Ranking) -> str:
    if not entrant.deliveries:
        return NOTHING
    if entrant.rows < by.least_rows or entrant.deliveries < by.least_deliveries:
        return TOO_FEW
    return UNTESTED if index(entrant, by) is None else ""


def _size(entrant: Entrant, by: Ranking, months: int) -> str:
    large_first = sorted(by.size_classes, key=lambda c: -c.least_rows)
    return next((c.name for c in large_first if entrant.rows >= c.least_rows * months), large_first[-1].name)
