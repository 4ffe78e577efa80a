"""Text → number, exactly or not at all: marks that stand in their places are taken out, and what is not finite is none."""

import re
from collections.abc import Iterator, Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.contracts import Field, Source
from jobs.lake.bits import balanced

NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
EXPONENT = r"(?:[eE][+-]?\d+)?"
CENSORING = r"^[<>≤≥]\s*"
ALIKE = {" ": "[ \u00a0\u2007\u2009\u202f]", "'": "['\u2018\u2019]"}
"""Marks that people and their programs write in several ways."""
BINARY = ("double", "float")
WIDEST = "decimal(38,18)"


def direct_number(one: Field, text: Column) -> Column:
    """The number of a text that is one as it stands; null where more has to be looked at.

    Texts are compared by their first and last characters, which is far cheaper than a regular expression: what begins
    and ends like a number and is none, the cast refuses, but for hexadecimal digits, which Java reads too.
    """
    kind = one.spark_type()
    looks_like = text.between("+", ":") & last_character(text).between(".", "9")
    if kind in BINARY:
        return F.when(looks_like, _exact(text.try_cast(kind), text, one))
    if (scale := _scale(one)) is not None:
        point = F.instr(text, ".")
        is_short = (point == 0) | (F.length(text) - point <= F.lit(scale))
        looks_like = looks_like & is_short & ~_has_exponent(text)
    return F.when(looks_like, text.try_cast(kind))


def to_number(one: Field, text: Column) -> Column:
    """The number; null where the text is none, is not finite, or has a mark that is not in its place."""
    source, kind, plain = one.source, one.spark_type(), _plain(one, text)
    factor = _factor(text, source.units)
    if one.type == "integer":
        whole = F.coalesce(plain.try_cast(kind), F.regexp_extract(plain, r"^([+-]?\d+)\.0+$", 1).try_cast(kind))
        return whole if factor is None else _whole(whole * factor).try_cast(kind)
    made = _exact(F.when(plain.rlike(NUMBER), plain).try_cast(kind), plain, one)
    return made if factor is None else _finite((made * factor).try_cast(kind), one)


def repairs(one: Field, text: Column) -> Iterator[tuple[str, Column]]:
    """What reading the number changes: kind, and where it happens."""
    source = one.source
    if source.units:
        yield "unit", balanced(Column.__or__, [text.endswith(unit) for unit in source.units])
    if source.thousands:
        yield "thousands", _bare(one, text).rlike(_grouped(source))
    if source.decimal:
        yield "decimal", F.contains(text, F.lit(source.decimal))
    if _scale(one) is not None and not source.units:
        plain = _plain(one, text)
        yield "rounded", plain.try_cast(one.spark_type()) != plain.try_cast(WIDEST)


def uncensored(text: Column) -> Column:
    """The text without the mark that says that the value lies below or above."""
    return F.regexp_replace(text, CENSORING, "")


def _bare(one: Field, text: Column) -> Column:
    """The text of a number without the mark of its censoring and without its unit."""
    text = uncensored(text) if one.source.censored else text
    if not one.source.units:
        return text
    units = "|".join(re.escape(u) for u in _longest_first(one.source.units))
    return F.regexp_replace(text, rf"\s*(?:{units})$", "")


def _plain(one: Field, text: Column) -> Column:
    """The number as programs write it; null where it does not follow the declared decimal mark.

    Marks of thousands go only where they stand between groups of three digits, the first of them no zero: 12,5 and
    0,125 are no thousands.
    """
    source, plain = one.source, _bare(one, text)
    if source.thousands:
        bare = F.regexp_replace(plain, _mark(source.thousands), "")
        plain = F.when(plain.rlike(_grouped(source)), bare).otherwise(plain)
    if source.decimal:
        mark = re.escape(source.decimal)
        fits = plain.rlike(rf"^[+-]?(?:\d+(?:{mark}\d*)?|{mark}\d+){EXPONENT}$")
        plain = F.when(fits, F.replace(plain, F.lit(source.decimal), F.lit(".")))
    return plain


def _grouped(source: Source) -> str:
    """A regular expression of numbers whose marks of thousands stand in their places."""
    decimals = rf"(?:{re.escape(source.decimal_mark())}\d*)?"
    return rf"^[+-]?[1-9]\d{{0,2}}(?:{_mark(source.thousands)}\d{{3}})+{decimals}{EXPONENT}$"


def _mark(mark: str) -> str:
    return ALIKE.get(mark, re.escape(mark))


def _exact(made: Column, text: Column, one: Field) -> Column:
    """The number, unless it is not finite, or zero only because the type reaches no further down."""
    if one.spark_type() not in BINARY:
        return made
    is_hex = F.contains(text, F.lit("x")) | F.contains(text, F.lit("X"))
    is_lost = (made == 0) & _has_exponent(text) & text.rlike("^[^eE]*[1-9]")
    return _finite(F.when(~is_hex & ~is_lost, made), one)


def _finite(made: Column, one: Field) -> Column:
    """The number; null for infinity, and for what is no number."""
    return F.when(F.abs(made) < F.lit(float("inf")), made) if one.spark_type() in BINARY else made


def _whole(made: Column) -> Column:
    return F.when(made == F.floor(made), made)


def _scale(one: Field) -> int | None:
    """Decimals of an exact type; None of any other."""
    found = re.fullmatch(r"decimal\(\d+,\s*(\d+)\)", one.physical_type)
    return int(found.group(1)) if found and one.type == "number" else None


def _has_exponent(text: Column) -> Column:
    return F.contains(text, F.lit("e")) | F.contains(text, F.lit("E"))


def last_character(text: Column) -> Column:
    """The last character. Texts are compared byte by byte: a bound of one character asks for the first byte, and
    no text of the engine is made a text of Java for it."""
    return F.substring(text, -1, 1)


def _factor(text: Column, units: Mapping[str, float]) -> Column | None:
    """What the number is multiplied by for its unit; None where no unit changes it."""
    if all(factor == 1 for factor in units.values()):
        return None
    factor = F.lit(1.0)
    for unit in reversed(_longest_first(units)):
        factor = F.when(text.endswith(unit), F.lit(float(units[unit]))).otherwise(factor)
    return factor


def _longest_first(units: Mapping[str, float]) -> list[str]:
    return sorted(units, key=len, reverse=True)
