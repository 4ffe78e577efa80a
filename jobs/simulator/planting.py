"""Plans for faults, and their planting in rows: at most one fault a row, so that the rules that fail are known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from jobs.simulator.faults import KINDS
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

Where = Callable[[Row], bool]
Value = Callable[[Row, Random], Cell | Mapping[str, Cell]]
TRIES = 300
HARMLESS = "harmless"


@dataclass(frozen=True)
class Mark:
    """A row that now holds a fault; `before` is None for an inserted row."""

    plan: "Plan"
    row: Row
    before: Mapping[str, Cell] | None


@dataclass(frozen=True)
class Plan:
    """Faults of one class in one field: how to plant one, which rules must fail, how many.

    `survives`: a correcting redelivery still holds it.
    """

    kind: str
    field: str
    plant: "Plant"
    rules: tuple[str, ...] = ()
    repair: str = ""
    severity: str = "critical"
    times: int = 1
    survives: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"'{self.kind}' is not a class of faults; add it to KINDS")


Plant = Callable[[Plan, list[Row], Random], Sequence[Mark]]


def anywhere(row: Row) -> bool:
    """Any row."""
    return True


def spare(row: Row) -> bool:
    """Rows that nothing else refers to."""
    return row.spare


def when(field: str, *values: Cell) -> Where:
    """Rows whose field has one of the values."""
    return lambda row: row.cells.get(field) in values


def change(to: Cell | Mapping[str, Cell] | Value, where: Where = anywhere) -> Plant:
    """Plant by changing a row: `to` is the field's new cell, or cells by field, or a function of the row that returns either."""

    def plant(plan: Plan, rows: list[Row], rng: Random) -> list[Mark]:
        row = _pick(rows, rng, where)
        if row is None:
            return []
        before = dict(row.cells)
        replacement = to(row, rng) if callable(to) else to
        row.cells.update(replacement if isinstance(replacement, Mapping) else {plan.field: replacement})
        return [Mark(plan, row, before)]

    return plant


def copied(changes: Cell | Value = None, where: Where = anywhere) -> Plant:
    """Plant by sending a row again a few rows later; with changes to it, both rows hold the fault."""

    def plant(plan: Plan, rows: list[Row], rng: Random) -> list[Mark]:
        row = _pick(rows, rng, where)
        if row is None:
            return []
        replacement = changes(row, rng) if callable(changes) else changes
        copy = row.copy(
            {}
            if replacement is None
            else replacement
            if isinstance(replacement, Mapping)
            else {plan.field: replacement}
        )
        place = min(len(rows), rows.index(row) + rng.randrange(1, 20))
        rows.insert(place, copy)
        mark = Mark(plan, copy, None)
        return [mark] if replacement is None else [Mark(plan, row, dict(row.cells)), mark]

    return plant


def frozen(length: int, at: str, point: str, value: Cell) -> Plant:
    """Plant by freezing a field at one value for `length` consecutive readings of a point."""

    def plant(plan: Plan, rows: list[Row], rng: Random) -> list[Mark]:
        chosen = rng.choice(sorted({row.text(point) for row in rows}))
        readings = sorted((row for row in rows if row.text(point) == chosen), key=lambda row: row.text(at))
        starts = [n for n in range(len(readings) - length) if not any(row.touched for row in readings[n : n + length])]
        if not starts:
            return []
        first = rng.choice(starts)
        marks = []
        for row in readings[first : first + length]:
            row.touched = True
            marks.append(Mark(plan, row, dict(row.cells)))
            row.cells[plan.field] = value
        return marks

    return plant


def rolled(digits: int, at: str, point: str, before: float) -> Plant:
    """A point's counter that starts `before` below the top of its dial of `digits` and rolls over, which is valid."""

    def plant(plan: Plan, rows: list[Row], rng: Random) -> list[Mark]:
        points = sorted({row.text(point) for row in rows} - {row.text(point) for row in rows if row.touched})
        if not points:
            return []
        chosen = rng.choice(points)
        readings = sorted((row for row in rows if row.text(point) == chosen), key=lambda row: row.text(at))
        first, top = float(readings[0].text(plan.field)), float(10**digits)
        marks, last = [], 0.0
        for row in readings:
            row.touched = True
            total = round((top - before + float(row.text(plan.field)) - first) % top, 2)
            if total < last:
                marks.append(Mark(plan, row, dict(row.cells)))
            row.cells[plan.field] = last = total
        return marks

    return plant


def drifting(length: int, at: str, point: str, start: float, step: float) -> Plant:
    """Plant by drift of a field over the last `length` readings of a point: by `start`, then `step` more each."""

    def plant(plan: Plan, rows: list[Row], rng: Random) -> list[Mark]:
        last = _last_untouched(rows, length, at, point, rng)
        marks = []
        for number, row in enumerate(last):
            row.touched = True
            marks.append(Mark(plan, row, dict(row.cells)))
            row.cells[plan.field] = f"{float(row.text(plan.field)) + start + step * number:.3f}"
        return marks

    return plant


def _last_untouched(rows: list[Row], length: int, at: str, point: str, rng: Random) -> list[Row]:
    """The last readings of a point without a fault in them; empty where every point has one."""
    by_point: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row.text(at)):
        by_point.setdefault(row.text(point), []).append(row)
    free = [
        readings[-length:] for _, readings in sorted(by_point.items()) if not any(r.touched for r in readings[-length:])
    ]
    return rng.choice(free) if free else []


def misshapen(surplus: int, where: Where = anywhere) -> Plant:
    """Plant by giving a line too many cells, or too few."""

    def plant(plan: Plan, rows: list[Row], rng: Random) -> list[Mark]:
        row = _pick(rows, rng, where)
        if row is None:
            return []
        row.surplus = surplus
        return [Mark(plan, row, dict(row.cells))]

    return plant


def planted(rows: list[Row], plans: Sequence[Plan], setting: Setting, dataset: str) -> list[Mark]:
    """The rows' faults, planted in place; more of them at a larger scale."""
    marks: list[Mark] = []
    for index, plan in enumerate(plans):
        rng = setting.rng(dataset, "fault", index)
        for _ in range(setting.count(plan.times)):
            marks.extend(plan.plant(plan, rows, rng))
    return marks


def corrected(rows: list[Row], marks: Sequence[Mark]) -> list[Mark]:
    """The rows as the department sends them again: faults undone in place, but for those that survive."""
    left = [mark for mark in marks if mark.plan.survives]
    gone: set[int] = set()
    for mark in (mark for mark in marks if not mark.plan.survives):
        if mark.before is None:
            gone.add(id(mark.row))
        else:
            mark.row.cells, mark.row.surplus = dict(mark.before), 0
    rows[:] = [row for row in rows if id(row) not in gone]
    return left


def _pick(rows: list[Row], rng: Random, where: Where) -> Row | None:
    for _ in range(TRIES):
        row = rows[rng.randrange(len(rows))]
        if not row.touched and where(row):
            row.touched = True
            return row
    for row in rows:
        if not row.touched and where(row):
            row.touched = True
            return row
    return None
