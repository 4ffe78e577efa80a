"""Whether a column holds numbers, and in which notation: thousands and decimal separators, units, censoring marks."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from jobs.ingest.guess_dates import SAMPLED_VALUES, SURE, share
from jobs.ingest.wordings import wording

FAR_SHARE = 0.25
FAR_TIMES = 10

FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
BLANK = "[ \u00a0\u2007\u2009\u202f]"
CLASSES = {" ": BLANK, "'": "['\u2018\u2019]"}
PARTS = re.compile(
    r"^(?P<censor>[<>≤≥]?)\s*(?P<digits>[-+]?(?:\d[\d.,'\u2018\u2019 \u00a0\u2007\u2009\u202f]*|[.,]\d+)(?:[eE][-+]?\d+)?)"
    r"\s*(?P<unit>[^\d\s.,+\-:/][^\d\s,]{0,9})?$"
)
CODE_LIKE = re.compile(r"^(?:0\d*|\d{2,})[eE]\d+$|^\d+[eE]0\d+$")
"""Digits, an e and digits, without point or sign: numbers look like 1.2E+05, codes like 888E010."""
WHOLE = re.compile(r"^[-+]?(?:0|[1-9]\d*)$")


@dataclass(frozen=True)
class Marks:
    """How numbers are written: thousands separator, empty for none, and decimal separator."""

    thousands: str
    decimal: str

    def pattern(self) -> re.Pattern[str]:
        """Matches digits that are a number in this notation."""
        return _PATTERNS[self]

    def plain(self, digits: str) -> str:
        """The number without thousands separators, with a decimal point."""
        bare = re.sub(CLASSES.get(self.thousands, re.escape(self.thousands)), "", digits) if self.thousands else digits
        return bare.replace(self.decimal, ".")


POINT = tuple(Marks(thousands, ".") for thousands in ("", ",", " ", "'"))
COMMA = tuple(Marks(thousands, ",") for thousands in ("", ".", " ", "'"))


def _pattern(marks: Marks) -> re.Pattern[str]:
    decimals, mark = re.escape(marks.decimal), CLASSES.get(marks.thousands, re.escape(marks.thousands))
    groups = rf"|[1-9]\d{{0,2}}(?:{mark}\d{{3}})+(?:{decimals}\d*)?" if marks.thousands else ""
    return re.compile(rf"^[-+]?(?:\d+(?:{decimals}\d*)?|{decimals}\d+{groups})(?:[eE][-+]?\d+)?$", re.ASCII)


_PATTERNS = {marks: _pattern(marks) for marks in (*POINT, *COMMA)}


@dataclass
class Numbers:
    """Summary of a column's numbers; counts are rows. `plain` counts each number in plain notation."""

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
        """Whether all numbers are whole, without units or censoring marks."""
        return self.whole == self.rows - self.other and not self.units and not self.censored


def narrow(value: str) -> str:
    """The text with full-width characters as half-width ones, as number casts read it."""
    return value if value.isascii() else value.translate(FULL_WIDTH)


def numbers(values: Mapping[str, int], decimal: str = ".") -> Numbers:
    """Summary of the column's numbers in the notation that fits most of them; `decimal` decides where several fit."""
    parts = [(PARTS.match(narrow(value)), n) for value, n in list(values.items())[:SAMPLED_VALUES]]
    digits = Counter[str]()
    for match, n in parts:
        if match:
            digits[match["digits"].strip()] += n
    summary = Numbers(_marks(digits, decimal))
    pattern = summary.marks.pattern()
    for match, n in parts:
        _count(summary, match, pattern, n)
    return summary


def _count(summary: Numbers, match: re.Match[str] | None, pattern: re.Pattern[str], n: int) -> None:
    """Add a value that occurs `n` times; its digits are a number where they match the pattern."""
    summary.rows += n
    text = match["digits"].strip() if match else ""
    if match is None or not pattern.match(text):
        summary.other += n
        return
    plain = summary.marks.plain(text)
    summary.plain[plain] += n
    summary.whole += n if WHOLE.match(plain) else 0
    summary.grouped += n if summary.marks.thousands and plain != text.replace(summary.marks.decimal, ".") else 0
    summary.censored += n if match["censor"] else 0
    if match["unit"]:
        summary.units[match["unit"]] += n


def _marks(digits: Mapping[str, int], decimal: str) -> Marks:
    order = (*COMMA, *POINT) if decimal == "," else (*POINT, *COMMA)
    shares: dict[Marks, float] = {}
    for marks in order:
        shares[marks] = share(digits, marks.pattern().match)
        if shares[marks] == 1:  # no later one is better
            return marks
    return max(order, key=shares.__getitem__)


def decimal_mark(columns: Iterable[Mapping[str, int]]) -> str:
    """The decimal separator of a file: a comma where a column can be read in no other way, else a point."""
    for values in columns:
        if not any("," in value or "，" in value for value in values):
            continue
        summary = numbers(values)
        if summary.is_sure() and summary.marks.decimal == "," and any("." in plain for plain in summary.plain):
            return ","
    return "."


def outliers(numbers: Mapping[float, int]) -> Iterator[str]:
    """The lowest or highest value where it is frequent and far from all others: often the code of a broken sensor."""
    ordered = sorted(numbers)
    if len(ordered) < 10:
        return
    far = FAR_SHARE * (ordered[-1] - ordered[0])
    for value, neighbour in ((ordered[0], ordered[1]), (ordered[-1], ordered[-2])):
        if numbers[value] >= FAR_TIMES and abs(value - neighbour) > far:
            yield wording("far_value", value=value, number=numbers[value])
