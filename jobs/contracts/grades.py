"""The grades that a contract gives its fields, from open to highly sensitive. What a reader sees of each: jobs/access."""

from collections.abc import Iterable

GRADES = ("L1", "L2", "L3", "L4")
OPEN, SENSITIVE, STRICTEST = "L1", "L3", "L4"


def is_sensitive(grade: str) -> bool:
    """Whether only the owning department may read such values unmasked (L3 and above)."""
    return grade >= SENSITIVE


def highest(grades: Iterable[str]) -> str:
    """The strictest of the grades; L1 if there are none."""
    return max(grades, default=OPEN)
