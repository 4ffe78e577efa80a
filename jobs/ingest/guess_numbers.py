"""Whether a column holds numbers, and in which notation: marks of thousands and decimals, units, marks of censoring."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from jobs.ingest.guess_dates import DISTINCT_LOOKED_AT, SURE, share

FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
BLANK = "[ \u00a0\u2007\u2009\u202f]"
CLASSES = {" ": BLANK, "'": "['\u2018\u2019]"}
PARTS = re.compile(
    r"^(?P<censor>[<>≤≥]?)\s*(?P<digits>[-+]?(?:\d[\d.,'\u2018\u2019 \u00a0\u2007\u2009\u202f]*|[.,]\d+)(?:[eE][-+]?\d+)?)"
    r"\s*(?P<unit>[^\d\s.,+\-:/][^\d\s,]{0,9})?$"
)
CODE_LIKE = re.compile(r"^(?:0\d*|\d{2,})[eE]\d+$|^\d+[eE]0\d+$")
"""Digits, an e and digits, without a point or a sign: programs write 1.2E+05, and people codes such as 888E010."""
WHOLE = re.compile(r"^[-+]?(?:0|[1-9]\d*)$")


@dataclass(frozen=True)
class Marks:
    """How numbers are written: the mark between groups of thousands, empty for none, and the decimal mark."""

    thousands: str
    decimal: str

    def fits(self, digits: str) -> bool:
        """Whether the digits are a number in this notation, each mark in its place."""
        return _pattern(self).match(digits) is not None

    def plain(self, digits: str) -> str:
        """The number as programs write it."""
        bare = re.sub(CLASSES.get(self.thousands, re.escape(self.thousands)), "", digits) if self.thousands else digits
        return bare.replace(self.decimal, ".")


POINT = tuple(Marks(thousands, ".") for thousands in ("", ",", " ", "'"))
COMMA = tuple(Marks(thousands, ",") for thousands in ("", ".", " ", "'"))
_PATTERNS: dict[Marks, re.Pattern[str]] = {}


def _pattern(marks: Marks) -> re.Pattern[str]:
    if marks not in _PATTERNS:
        decimals, mark = re.escape(marks.decimal), CLASSES.get(marks.thousands, re.escape(marks.thousands))
        groups = rf"|[1-9]\d{{0,2}}(?:{mark}\d{{3}})+(?:{decimals}\d*)?" if marks.thousands else ""
        _PATTERNS[marks] = re.compile(
            rf"^[-+]?(?:\d+(?:{decimals}\d*)?|{decimals}\d+{groups})(?:[eE][-+]?\d+)?$", re.ASCII
        )
    return _PATTERNS[marks]


@dataclass
class Numbers:
    """What the numbers of a column look like; counts are rows. `plain` holds each as programs write it."""

    marks: Marks
    rows: int = 0
    other: int = 0
    whole: int = 0
    grouped: int = 0
    censored: int = 0
    units: Counter[str] = field(default_factory=Counter)
    plain: Counter[str] = field(default_factory=Counter)

    def is_sure(self) -> bool:
        """Whether nearly all values are numbers."""
        return self.rows > 0 and self.rows - self.other >= SURE * self.rows

    def is_whole(self) -> bool:
        """Whether all numbers are whole and bare."""
        return self.whole == self.rows - self.other and not self.units and not self.censored


def narrow(value: str) -> str:
    """Full-width digits and marks as half-width ones, as casts of numbers read them."""
    return value.translate(FULL_WIDTH)


def numbers(values: Mapping[str, int], decimal: str = ".") -> Numbers:
    """The column's numbers in the notation that fits most of them; `decimal` is the file's mark where several fit."""
    parts = [(PARTS.match(narrow(value)), n) for value, n in list(values.items())[:DISTINCT_LOOKED_AT]]
    digits = Counter[str]()
    for found, n in parts:
        if found:
            digits[found["digits"].strip()] += n
    made = Numbers(_marks(digits, decimal))
    for found, n in parts:
        _count(made, found, n)
    return made


def _count(made: Numbers, found: re.Match[str] | None, n: int) -> None:
    """Add a value that came `n` times."""
    made.rows += n
    text = found["digits"].strip() if found else ""
    if found is None or not made.marks.fits(text):
        made.other += n
        return
    plain = made.marks.plain(text)
    made.plain[plain] += n
    made.whole += n if WHOLE.match(plain) else 0
    made.grouped += n if made.marks.thousands and plain != text.replace(made.marks.decimal, ".") else 0
    made.censored += n if found["censor"] else 0
    if found["unit"]:
        made.units[found["unit"]] += n


def _marks(digits: Mapping[str, int], decimal: str) -> Marks:
    order = (*COMMA, *POINT) if decimal == "," else (*POINT, *COMMA)
    shares = {marks: share(digits, marks.fits) for marks in order}
    return max(order, key=lambda marks: shares[marks])


def decimal_mark(columns: Iterable[Mapping[str, int]]) -> str:
    """The decimal mark of a file: a comma where some column can be read in no other way, else a point."""
    for values in columns:
        found = numbers(values)
        if found.is_sure() and found.marks.decimal == "," and any("." in plain for plain in found.plain):
            return ","
    return "."
