"""Notations that faults of many feeds share: what becomes of a cell's text."""

from collections.abc import Callable, Mapping
from random import Random

from jobs.simulator.planting import Value
from jobs.simulator.rows import Cell, Row

WIDE = str.maketrans("0123456789.", "０１２３４５６７８９．")
TEXTS: Mapping[str, Callable[[str], str]] = {
    "lower": str.lower,
    "full_width": lambda text: text.translate(WIDE),
    "slashed": lambda text: text.replace("-", "/"),
    "letter_o_last": lambda text: text[:-1] + "O",
    "first_fifteen": lambda text: text[:15],
}
"""By the name that a feed's file uses."""


def rewritten(field: str, notation: Callable[[str], str]) -> Value:
    """Makes the cell's text in another notation."""

    def to(row: Row, rng: Random) -> Cell:
        return notation(row.text(field))

    return to


def appended(field: str, unit: str) -> Value:
    """Makes the cell's text with a unit behind it."""
    return rewritten(field, lambda text: text + unit)
