"""What a column of a new file holds: type, formats, units, missing words, codes, personal data."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from jobs.ingest.cell_errors import ERROR_WORDS
from jobs.ingest.grid import Typed
from jobs.ingest.guess_dates import DAY_END, TIME_HEADER, about_unfit, guess_moment, share
from jobs.ingest.guess_grade import guess_grade
from jobs.ingest.guess_numbers import CODE_LIKE, Numbers, narrow, numbers, outliers
from jobs.ingest.header_words import (
    ALWAYS_CODE,
    CODE_HEADER,
    FULL_WIDTH,
    MEASURED_HEADER,
    MONEY_HEADER,
    NAMING_HEADER,
    SAYS_CODE,
)
from jobs.ingest.wordings import listed, wording

MAX_ENUM = 12
MIN_ROWS_FOR_ENUM = 30
MAX_ENUM_CHARS = 24
MAX_UNITS = 3
CODE_DIGITS = 15
MIN_CODE_SHARE = 0.9

MISSING_WORDS = {"NA", "N/A", "NULL", "Null", "null", "None", "NaN", "nan", "\\N", "--", "——", "-;"}
WEAK_WORDS = {"-", "—", "/", "无", "不详", "未知", "空", "暂无", "UNKNOWN", "Unknown", "unknown", "?", "．", "*"}
BOOLEANS = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"是", "否"}, {"有", "无"}, {"t", "f"})


@dataclass
class Column:
    """A column's values in the sampled rows, with their counts.

    `typed`: its type as the file declares it, if it does; `decimal`: the decimal separator of the file.
    """

    header: str
    position: int
    rows: int
    counts: Counter[str]
    typed: Typed | None = None
    decimal: str = "."

    def filled(self) -> int:
        """Rows with a value."""
        return sum(self.counts.values())


@dataclass
class Guess:
    """The proposed field: ODCS keys, `source` keys, and the reason for each guess."""

    type: str = "string"
    source: dict[str, Any] = field(default_factory=dict)
    unit: str = ""
    physical: str = ""
    personal: bool = False
    grade: str = ""
    """The classification to propose; empty where nothing speaks for one above the lowest."""
    enum: tuple[str, ...] = ()
    missing: int = 0
    comments: list[str] = field(default_factory=list)

    def is_local_time(self) -> bool:
        """Whether it is a time of day without an offset, so that the zone decides when it was."""
        return self.type == "timestamp" and are_local(self.source.get("formats", ()))


def are_local(formats: Iterable[str]) -> bool:
    """Whether the formats give times of day, rather than instants with an offset or epoch numbers."""
    return not any("X" in form or form.startswith("epoch") for form in formats)


def guess(column: Column) -> Guess:
    """The proposed field. Comments never show a value of a personal column."""
    values: Counter[str] = Counter()
    for value, n in column.counts.items():
        values[value.strip()] += n
    errors = [w for w in values if w in ERROR_WORDS]
    words = [w for w in values if w in MISSING_WORDS]
    present = _without(values, [*words, *errors])
    grade, reason = guess_grade(column.header, values)
    field_guess = Guess(personal=bool(grade), grade=grade)
    _type(column, present, field_guess)
    if field_guess.personal:
        field_guess.comments = [wording("personal", grade=grade, reason=reason)]
    else:
        field_guess, words, present = _with_weak_words(column, present, words, field_guess)
        _enum(column.header, present, field_guess)
    if errors:
        field_guess.comments.append(wording("errors_in_column", listed=listed(errors, values)))
    if words:
        field_guess.source["missing"] = words
        field_guess.comments.append(wording("missing_words", listed=listed(words, values)))
    _padding(column.counts, present, field_guess)
    field_guess.missing = column.rows - sum(present.values()) - sum(values[w] for w in errors)
    return field_guess


def _padding(sent: Counter[str], present: Counter[str], field_guess: Guess) -> None:
    """Say how many values have blanks at their ends, and declare the normalisation that codes need."""
    padded = sum(n for v, n in sent.items() if v != v.strip())
    if padded:
        field_guess.comments.append(wording("padded", number=padded))
    _normalisation(sent, present, padded, field_guess)


def _normalisation(sent: Counter[str], values: Counter[str], padded: int, field_guess: Guess) -> None:
    """Declare the normalisation that a column of codes needs; free text keeps its blanks and widths."""
    if field_guess.type != "string" or share(values, _is_code_like) < MIN_CODE_SHARE:
        return
    wide = sum(n for v, n in sent.items() if FULL_WIDTH.search(v.strip()))
    if wide:
        field_guess.source["full_width"] = True
        field_guess.comments.append(wording("full_width", number=wide))
    if padded:
        field_guess.source["trim"] = True


def _is_code_like(value: str) -> bool:
    plain = unicodedata.normalize("NFKC", value)
    return plain.isascii() and any(c.isdigit() for c in plain) and not any(c.isspace() for c in plain)


def _with_weak_words(
    column: Column, present: Counter[str], words: list[str], field_guess: Guess
) -> tuple[Guess, list[str], Counter[str]]:
    """Words such as `-` or 无 count as missing only where all other values are numbers or dates."""
    weak = [w for w in present if w in WEAK_WORDS]
    if not weak:
        return field_guess, words, present
    others, second_guess = _without(present, weak), Guess()
    if others:
        _type(column, others, second_guess)
    return (second_guess, words + weak, others) if second_guess.type != "string" else (field_guess, words, present)


def _without(values: Counter[str], words: list[str]) -> Counter[str]:
    return Counter({v: n for v, n in values.items() if v and v not in words})


def _type(column: Column, values: Counter[str], field_guess: Guess) -> None:
    if not values and column.typed is None:
        field_guess.comments.append(wording("no_value"))
        return
    if SAYS_CODE.search(column.header):
        if not _moment(column.header, values, field_guess):
            field_guess.comments.append(wording("header_says_code"))
    elif column.typed is not None:
        _declared_type(column, column.typed, values, field_guess)
    elif _is_boolean(values):
        field_guess.type = "boolean"
    elif not (_moment(column.header, values, field_guess) or _code(column.header, values, field_guess)):
        _number(column, values, field_guess)


def _is_boolean(values: Counter[str]) -> bool:
    lower = {v.lower() for v in values}
    return any(lower <= pair for pair in BOOLEANS) and len(lower) == 2


def _declared_type(column: Column, typed: Typed, values: Counter[str], field_guess: Guess) -> None:
    """The type that the file declares; texts are only checked for dates."""
    if typed.type in ("string", "date", "timestamp") and _moment(column.header, values, field_guess):
        if typed.type == "timestamp":
            field_guess.type = "timestamp"
        return
    field_guess.type, field_guess.physical = typed.type, typed.physical
    field_guess.comments.append(wording("type_of_file"))
    if typed.formats:
        field_guess.source["formats"] = list(typed.formats)
    if typed.type in ("integer", "number"):
        _range(column.header, numbers(values), field_guess)


def _moment(header: str, values: Counter[str], field_guess: Guess) -> bool:
    moment = guess_moment(header, values)
    if TIME_HEADER.search(header) and not field_guess.personal:
        field_guess.comments += about_unfit(values, is_moment=moment is not None)
    if moment is None:
        return False
    field_guess.type = moment.type
    field_guess.source["formats"] = list(moment.formats)
    field_guess.comments.append(wording("dates_share", share=moment.share, formats="、".join(moment.formats)))
    if ends := sum(n for value, n in values.items() if moment.type == "timestamp" and DAY_END.search(value)):
        field_guess.source["day_end"] = True
        field_guess.comments.append(wording("day_end", number=ends))
    if moment.has_zone_word:
        field_guess.source["extract"] = r"^(\S+)"
        field_guess.comments.append(wording("zone_word"))
    return True


def _code(header: str, values: Counter[str], field_guess: Guess) -> bool:
    """Whether digits are a code: leading zeros, too long for a number, or a code by header and uniform length."""
    if ALWAYS_CODE.search(header):
        field_guess.comments.append(wording("number_as_text"))
        return True
    digits = share(values, str.isdigit)
    if digits < 0.5:
        return False
    zeros = share(values, lambda v: len(v) > 1 and v.startswith("0") and v.isdigit())
    longest, is_even = _lengths(values)
    if zeros > 0.001 or longest >= CODE_DIGITS or (CODE_HEADER.search(header) and is_even):
        field_guess.comments.append(
            wording("code_as_text", length=longest, zeros=wording("leading_zeros") if zeros else "")
        )
        return True
    return False


def _lengths(values: Counter[str]) -> tuple[int, bool]:
    """Length of the longest value, and whether nearly all values have the same length."""
    lengths: Counter[int] = Counter()
    for value, n in values.items():
        lengths[len(value)] += n
    longest = max(lengths)
    return longest, lengths.most_common(1)[0][1] >= 0.9 * sum(values.values()) and longest > 1


def _number(column: Column, values: Counter[str], field_guess: Guess) -> None:
    if any(CODE_LIKE.match(narrow(v)) for v in values):
        field_guess.comments.append(wording("exponent_like"))
        return
    summary = numbers(values, column.decimal)
    if not summary.is_sure() or len(summary.units) > MAX_UNITS or (summary.units and CODE_HEADER.search(column.header)):
        return
    field_guess.type = _number_type(column.header, summary)
    field_guess.comments.append(wording("numbers_share", share=(summary.rows - summary.other) / summary.rows))
    _marks(summary, field_guess)
    if summary.censored:
        field_guess.source["censored"] = True
        field_guess.comments.append(wording("censored", number=summary.censored))
    if summary.units:
        _units(summary, field_guess)
    _range(column.header, summary, field_guess)


def _number_type(header: str, summary: Numbers) -> str:
    return "integer" if summary.is_whole() and not MEASURED_HEADER.search(header) else "number"


def _units(summary: Numbers, field_guess: Guess) -> None:
    field_guess.source["units"] = dict.fromkeys(summary.units, 1)
    field_guess.unit = summary.units.most_common(1)[0][0]
    counts = "、".join(f"{unit}（{n} 次）" for unit, n in summary.units.items())
    field_guess.comments.append(f"值后带单位：{counts}；请核对换算系数")


def _marks(summary: Numbers, field_guess: Guess) -> None:
    """Add the separators that the contract must declare."""
    thousands, decimal = summary.marks.thousands, summary.marks.decimal
    if summary.grouped:
        field_guess.source["thousands"] = thousands
        field_guess.comments.append(wording("thousands", number=summary.grouped, mark=thousands))
    if decimal != "." and (field_guess.type == "number" or (summary.grouped and thousands == ".")):
        field_guess.source["decimal"] = decimal
        field_guess.comments.append(wording("decimal_mark", mark=decimal))


def _range(header: str, summary: Numbers, field_guess: Guess) -> None:
    values: Counter[float] = Counter()
    for plain, n in summary.plain.items():
        values[float(plain)] += n
    if not values:
        return
    low, high = min(values), max(values)
    field_guess.comments += outliers(values)
    field_guess.comments.append(wording("numbers_range", low=low, high=high))
    cents = not summary.other and all(len(plain.partition(".")[2]) <= 2 for plain in summary.plain)
    if field_guess.type == "number" and MONEY_HEADER.search(header) and cents and not field_guess.source.get("units"):
        field_guess.physical = field_guess.physical or "decimal(18,2)"
        field_guess.comments.append(wording("money"))


def _enum(header: str, values: Counter[str], field_guess: Guess) -> None:
    if field_guess.type != "string" or NAMING_HEADER.search(header):
        return
    total = sum(values.values())
    if not (2 <= len(values) <= MAX_ENUM and total >= MIN_ROWS_FOR_ENUM and total >= 5 * len(values)):
        return
    if max(map(len, values)) > MAX_ENUM_CHARS:
        return
    field_guess.enum = tuple(values)
    field_guess.comments.append("取值较少：" + "、".join(f"{v}（{n}）" for v, n in values.most_common()))
