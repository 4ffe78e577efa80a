"""Agreed periods as elapsed time."""

from collections.abc import Mapping
from datetime import timedelta

PERIODS: Mapping[str, timedelta] = {
    "mi": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "mo": timedelta(days=31),
    "y": timedelta(days=366),
}


def length(text: str) -> timedelta | None:
    """An agreed period such as `1d` as elapsed time; None for working days and unknown units."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = PERIODS.get(text[len(number) :].strip())
    try:
        return float(number) * unit if unit else None
    except ValueError:
        return None
