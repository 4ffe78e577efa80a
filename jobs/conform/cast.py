"""Bronze text → typed columns as the contract declares, every declared change counted as a repair."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.conform.dates import DATE_FORMATS, EXACT, TIME_FORMATS, changes_clock, day, is_local, moment, shape
from jobs.contracts import MALFORMED, TEXT, Contract, Field, text_column
from jobs.lake.bits import bit_columns

BLANKS = " \t\r\n\u3000\u00a0\ufeff\u200b\u200c\u200d"
FULL = "".join(chr(c) for c in range(0xFF01, 0xFF5F)) + "\u3000"
HALF = "".join(chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)) + " "
TRUE_WORDS = ("true", "1", "y", "yes", "t", "是", "有")
FALSE_WORDS = ("false", "0", "n", "no", "f", "否", "无")
DIRECT = "_direct_"
STEP = "_step_"
SYSTEM = ("_delivery", "_file", "_row", MALFORMED)


@dataclass(frozen=True)
class Repair:
    """A declared change of one field: how often it happened is the sum of `happened` over the rows."""

    field: str
    kind: str
    happened: Column


@dataclass
class Casting:
    """How a contract's fields are made, layer by layer; each layer sees the columns of those before by name.

    An expression that named its input more than once would double with each step; a column costs nothing.
    `texts` gives the column of each field's normalised text.
    """

    layers: list[dict[str, Column]]
    texts: dict[str, Column]
    values: dict[str, Column]
    early: list[Repair]
    late: list[Repair]

    def layer(self, number: int) -> dict[str, Column]:
        """Columns of one layer, which is opened where it is new."""
        while len(self.layers) <= number:
            self.layers.append({})
        return self.layers[number]


def casting(contract: Contract, extras: tuple[str, ...] = ()) -> Casting:
    """How each field of the contract is made from bronze text."""
    how = Casting([{}], {}, {}, [], [])
    for one in contract.fields:
        value = _value(one, contract, F.col(TEXT + one.name))
        raw = _raw(one)
        if _is_direct(one, contract):
            how.layers[0][DIRECT + one.name] = _direct(one, contract)
            at_once = F.col(DIRECT + one.name)
            how.layer(1)[f"{STEP}{one.name}"] = F.when(at_once.isNull(), raw)
            last = _normalised(how, one, contract, F.col(f"{STEP}{one.name}"), 2)
            how.texts[one.name] = F.when(at_once.isNotNull(), raw).otherwise(last)
            value = F.when(at_once.isNotNull(), at_once).otherwise(value)
        else:
            how.layers[0][f"{STEP}{one.name}"] = raw
            how.texts[one.name] = _normalised(how, one, contract, F.col(f"{STEP}{one.name}"), 1)
        how.values[one.name] = value
        if one.source.censored:
            qualifier = F.regexp_extract(F.col(TEXT + one.name), r"^([<>≤≥])", 1)
            how.values[f"{one.name}_qualifier"] = F.nullif(qualifier, F.lit(""))
        if one.type == "timestamp":
            how.late.extend(_clock_changes(one, contract))
    how.values.update({name: F.col(_quoted(name)) for name in extras})
    return how


def _is_direct(one: Field, contract: Contract) -> bool:
    """Whether text that casts as it stands is right as it stands: no declared change could give another value."""
    source = one.source
    changes = source.compose or source.derive or source.extract or source.mapping or source.units or source.thousands
    numeric_words = any(c.isdigit() for word in (*contract.layout.missing, *source.missing) for c in word)
    plain = one.type in ("integer", "number") or (one.type in ("date", "timestamp") and _formats(one)[0] in EXACT)
    return plain and not changes and not source.censored and not numeric_words


def _direct(one: Field, contract: Contract) -> Column:
    text = F.col(one.name)
    zone = one.source.timezone or contract.layout.timezone
    match one.type:
        case "date":
            return day(text, _formats(one)[:1])
        case "timestamp":
            return moment(text, _formats(one)[:1], zone)
        case _:
            last = F.ascii(F.right(text, F.lit(1)))
            return F.when((F.ascii(text) > ord(" ")) & (last > ord(" ")), _number(one, text))


def _formats(one: Field) -> tuple[str, ...]:
    return one.source.formats or (DATE_FORMATS if one.type == "date" else TIME_FORMATS)


def typed(bronze: DataFrame, contract: Contract, extras: tuple[str, ...] = ()) -> tuple[DataFrame, tuple[Repair, ...]]:
    """Bronze rows with typed fields, normalised texts beside them, raw texts in `_raw`, repairs as bits in `_fix…`."""
    how = casting(contract, extras)
    arrived = [name for name in bronze.columns if name not in SYSTEM]
    raw = F.struct(*(F.col(_quoted(name)).alias(name) for name in arrived)).alias("_raw")
    rows = bronze
    for layer in how.layers:
        rows = rows.select("*", *_aliased(layer, ""))
    system = [F.col(name) for name in SYSTEM]
    fixes = bit_columns([r.happened for r in how.early], "_fix")
    passed = [F.col(name) for name in how.layers[0] if name.startswith(DIRECT)]
    with_texts = rows.select(
        *system, raw, *fixes, *passed, *(_keep(name) for name in extras), *_aliased(how.texts, TEXT)
    )
    kept = [F.col(TEXT + f.name) for f in contract.fields if text_column(f) != f.name]
    clocks = bit_columns([r.happened for r in how.late], "_clock")
    early_names = [f"_fix{i}" for i in range(len(fixes))]
    made = with_texts.select(*system, "_raw", *early_names, *clocks, *kept, *_aliased(how.values, ""))
    return made, (*how.early, *how.late)


def _keep(name: str) -> Column:
    return F.col(_quoted(name))


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _aliased(columns: Mapping[str, Column], prefix: str) -> list[Column]:
    return [column.alias(prefix + name) for name, column in columns.items()]


def _normalised(how: Casting, one: Field, contract: Contract, text: Column, first: int) -> Column:
    """The column of the field's text after declared normalisation, null where it means no value; its repairs noted."""
    source = one.source
    noted: list[tuple[str, Column]] = []
    for number, (kind, step) in enumerate(_steps(one), first):
        name = f"{STEP}{number}_{one.name}"
        how.layer(number)[name] = step(text)
        noted.append((kind, ~text.eqNullSafe(F.col(name))))
        text = F.col(name)
    missing = sorted({*contract.layout.missing, *source.missing})
    if missing:
        noted.append(("missing_word", text.isin(missing)))
    text = F.when(~text.isin(*missing, ""), text)
    if source.units:
        noted.append(("unit", _ends_with_unit(text, source.units)))
    if source.thousands:
        noted.append(("thousands", F.contains(text, F.lit(source.thousands))))
    own = shape(source.formats[0]) if len(source.formats) > 1 else None
    if own is not None:
        noted.append(("date_format", ~text.rlike(own[0])))
    how.early.extend(Repair(one.name, kind, happened) for kind, happened in noted if kind != "extract")
    return text


def _raw(one: Field) -> Column:
    if one.source.compose is not None:
        parts = re.split(r"\{(\w+)\}", one.source.compose)
        pieces = [F.col(p) if i % 2 else F.lit(p) for i, p in enumerate(parts) if i % 2 or p]
        return F.concat(*pieces)
    return F.col(one.source.derive or one.name)


def _steps(one: Field):  # type: ignore[no-untyped-def]
    source = one.source
    wide = source.full_width if source.full_width is not None else not one.is_free_text()
    yield "trim", _trimmed
    if wide:
        yield "full_width", lambda text: F.when(_beyond_ascii(text), F.translate(text, FULL, HALF)).otherwise(text)
    if source.extract is not None and source.derive is not None:
        yield "extract", lambda text: F.nullif(F.regexp_extract(text, source.extract, 1), F.lit(""))
    elif source.extract is not None:
        pattern = source.extract
        yield "extract", lambda text: F.when(text.rlike(pattern), F.regexp_extract(text, pattern, 1)).otherwise(text)
    if source.case:
        yield "case", F.upper if source.case == "upper" else F.lower
    if source.mapping:
        pairs = [F.lit(word) for pair in source.mapping.items() for word in pair]
        yield "mapping", lambda text: F.coalesce(F.try_element_at(F.create_map(*pairs), text), text)


def _beyond_ascii(text: Column) -> Column:
    """Whether the text holds more than ASCII; two lengths tell it far cheaper than a look at each character."""
    return F.octet_length(text) != F.length(text)


def _trimmed(text: Column) -> Column:
    """The text without blanks at its ends; texts that cannot have any are passed as they are."""
    first, last = F.ascii(text), F.ascii(F.right(text, F.lit(1)))
    suspect = _beyond_ascii(text) | (first <= ord(" ")) | (last <= ord(" "))
    return F.when(suspect, F.btrim(text, F.lit(BLANKS))).otherwise(text)


def _value(one: Field, contract: Contract, text: Column) -> Column:
    zone = one.source.timezone or contract.layout.timezone
    match one.type:
        case "integer" | "number":
            return _number(one, text)
        case "boolean":
            low = F.lower(text)
            return F.when(low.isin(*TRUE_WORDS), True).when(low.isin(*FALSE_WORDS), False)
        case "date":
            return day(text, _formats(one))
        case "timestamp":
            return moment(text, _formats(one), zone)
        case _:
            return F.regexp_replace(text, r"^[<>≤≥]\s*", "") if one.source.censored else text


def _number(one: Field, text: Column) -> Column:
    source, factor = one.source, None
    if source.censored:
        text = F.regexp_replace(text, r"^[<>≤≥]\s*", "")
    if source.units:
        text, factor = _without_unit(text, source.units)
    if source.thousands:
        text = F.replace(text, F.lit(source.thousands), F.lit(""))
    kind = one.spark_type()
    if one.type == "integer":
        whole = F.coalesce(text.try_cast(kind), F.regexp_extract(text, r"^([+-]?\d+)\.0+$", 1).try_cast(kind))
        return whole
    number = text.try_cast(kind)
    if kind in ("double", "float"):
        last = F.ascii(F.right(text, F.lit(1)))
        number = F.when(last.between(ord("."), ord("9")), number)  # Java would take 1d, NaN and Infinity for numbers
    return number if factor is None else (number * factor).cast(kind)


def _ends_with_unit(text: Column, units: Mapping[str, float]) -> Column:
    return reduce(Column.__or__, (text.endswith(unit) for unit in units))


def _without_unit(text: Column, units: Mapping[str, float]) -> tuple[Column, Column | None]:
    longest_first = sorted(units, key=len, reverse=True)
    pattern = "|".join(re.escape(u) for u in longest_first)
    bare = F.regexp_replace(text, rf"\s*(?:{pattern})$", "")
    if all(factor == 1 for factor in units.values()):
        return bare, None
    factor = F.lit(1.0)
    for unit in reversed(longest_first):
        factor = F.when(text.endswith(unit), F.lit(float(units[unit]))).otherwise(factor)
    return bare, factor


def _clock_changes(one: Field, contract: Contract) -> list[Repair]:
    """Local times that a clock change doubled (the first is read) or skipped (read an hour later)."""
    zone = one.source.timezone or contract.layout.timezone
    local = tuple(pattern for pattern in _formats(one) if is_local(pattern))
    if not local or not changes_clock(zone):
        return []
    wall = moment(F.col(TEXT + one.name), local, "UTC")
    stamp, hour = F.to_utc_timestamp(wall, zone), F.expr("INTERVAL 1 HOUR")
    doubled = F.from_utc_timestamp(stamp + hour, zone) == wall
    skipped = F.from_utc_timestamp(stamp, zone) != wall
    return [Repair(one.name, "clock_doubled", doubled), Repair(one.name, "clock_skipped", skipped)]
