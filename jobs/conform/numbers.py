"""Text → number, exact or null: separators in valid places are removed, non-finite values are null."""

import re
from collections.abc import Iterator, Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.contracts import Field, Source
from jobs.contracts.layout import Unit
from jobs.lake.bits import balanced

NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
EXPONENT = r"(?:[eE][+-]?\d+)?"
CENSORING = r"^[<>≤≥]\s*"
ALIKE = {" ": "[ \u00a0\u2007\u2009\u202f]", "'": "['\u2018\u2019]"}
"""Separators with several spellings."""
BINARY = ("double", "float")
WIDEST = "decimal(38,18)"


def direct_number(field: Field, text: Column) -> Column:
    """The number of a text that casts directly; null where it needs more checks.

    Digits with an optional sign and point; an exact number has no more decimals than its type. Functions of our own on
    the engine read each byte once: its own would copy the text to find its last character, and parse a Java string.
    """
    kind = field.spark_type()
    if field.type == "integer":
        whole = F.call_function("lake_plain_bigint", text)
        return whole if kind == "bigint" else whole.try_cast(kind)
    number = F.call_function("lake_plain_double", text)
    if kind == "double":
        return number
    fits = number.isNotNull()
    if (scale := _scale(field)) is not None:
        point = F.instr(text, ".")
        fits = fits & ((point == 0) | (F.length(text) - point <= F.lit(scale)))
    return F.when(fits, text.try_cast(kind))


def to_number(field: Field, text: Column) -> Column:
    """The number; null where the text is none, is not finite, or has a misplaced separator."""
    source, kind, plain = field.source, field.spark_type(), _plain(field, text)
    if field.type == "integer":
        whole = F.coalesce(plain.try_cast(kind), F.regexp_extract(plain, r"^([+-]?\d+)\.0+$", 1).try_cast(kind))
        converted = _converted(whole, text, source.units)
        return whole if converted is None else _whole(converted).try_cast(kind)
    number = _exact(F.when(plain.rlike(NUMBER), plain).try_cast(kind), plain, field)
    converted = _converted(number, text, source.units)
    return number if converted is None else _finite(converted.try_cast(kind), field)


def repairs(field: Field, text: Column) -> Iterator[tuple[str, Column]]:
    """Repairs made by reading the number: kind, and where it happens."""
    source = field.source
    written = [text.endswith(unit) for unit in _longest_first(source.units)]
    if source.units.get("", Unit()).changes():
        yield "unit", text.isNotNull()
    elif written:
        yield "unit", balanced(Column.__or__, written)
    if source.thousands:
        yield "thousands", _bare(field, text).rlike(_grouped(source))
    if source.decimal:
        yield "decimal", F.contains(text, F.lit(source.decimal))
    if _scale(field) is not None and not source.units:
        plain = _plain(field, text)
        yield "rounded", plain.try_cast(field.spark_type()) != plain.try_cast(WIDEST)


def uncensored(text: Column) -> Column:
    """The text without its censoring mark, such as `<`."""
    return F.regexp_replace(text, CENSORING, "")


def _bare(field: Field, text: Column) -> Column:
    """The text of a number without its censoring mark and unit."""
    text = uncensored(text) if field.source.censored else text
    units = "|".join(map(re.escape, _longest_first(field.source.units)))
    if not units:
        return text
    return F.regexp_replace(text, rf"\s*(?:{units})$", "")


def _plain(field: Field, text: Column) -> Column:
    """The number in programming notation; null where it does not follow the declared decimal mark.

    Thousands separators are removed only between groups of three digits without a leading zero: 12,5 and 0,125 have
    none.
    """
    source, plain = field.source, _bare(field, text)
    if source.thousands:
        bare = F.regexp_replace(plain, _mark(source.thousands), "")
        plain = F.when(plain.rlike(_grouped(source)), bare).otherwise(plain)
    if source.decimal:
        mark = re.escape(source.decimal)
        fits = plain.rlike(rf"^[+-]?(?:\d+(?:{mark}\d*)?|{mark}\d+){EXPONENT}$")
        plain = F.when(fits, F.replace(plain, F.lit(source.decimal), F.lit(".")))
    return plain


def _grouped(source: Source) -> str:
    """A regular expression of numbers with valid thousands separators."""
    decimals = rf"(?:{re.escape(source.decimal_mark())}\d*)?"
    return rf"^[+-]?[1-9]\d{{0,2}}(?:{_mark(source.thousands)}\d{{3}})+{decimals}{EXPONENT}$"


def _mark(mark: str) -> str:
    return ALIKE.get(mark, re.escape(mark))


def _exact(number: Column, text: Column, field: Field) -> Column:
    """The number; null where it is not finite, or underflows to zero."""
    if field.spark_type() not in BINARY:
        return number
    is_lost = (number == 0) & text.rlike("^[^eE]*[1-9]")
    return _finite(F.when(~is_lost, number), field)


def _finite(number: Column, field: Field) -> Column:
    """The number; null for infinity and NaN."""
    return F.when(F.abs(number) < F.lit(float("inf")), number) if field.spark_type() in BINARY else number


def _whole(number: Column) -> Column:
    return F.when(number == F.floor(number), number)


def _scale(field: Field) -> int | None:
    """Decimal places of an exact type; None for any other."""
    match = re.fullmatch(r"decimal\(\d+,\s*(\d+)\)", field.physical_type)
    return int(match.group(1)) if match and field.type == "number" else None


def _converted(number: Column, text: Column, units: Mapping[str, Unit]) -> Column | None:
    """The number in the field's own unit; None where no unit changes it. The empty unit is that of bare numbers."""
    if not any(unit.changes() for unit in units.values()):
        return None
    converted = _in_own(number, units.get("", Unit()))
    for unit in reversed(_longest_first(units)):
        converted = F.when(text.endswith(unit), _in_own(number, units[unit])).otherwise(converted)
    return converted


def _in_own(number: Column, unit: Unit) -> Column:
    scaled = number * F.lit(unit.factor)
    return scaled + F.lit(unit.offset) if unit.offset else scaled


def _longest_first(units: Mapping[str, Unit]) -> list[str]:
    """Written units."""
    return sorted(filter(None, units), key=len, reverse=True)
