"""Bronze text → typed columns as the contract declares, every declared change counted as a repair."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.conform.dates import DATE_FORMATS, EXACT, TIME_FORMATS, changes_clock, day, is_local, moment, shape
from jobs.conform.numbers import direct_number, last_character, repairs, to_number, uncensored
from jobs.contracts import Contract, Field, Source, text_column
from jobs.contracts.names import DELIVERY, EXTRA, QUALIFIER, SENT, TECHNICAL, TEXT
from jobs.lake.bits import bit_columns, quoted

BLANKS = " \t\r\n\u3000\u00a0\ufeff\u200b\u200c\u200d"
FULL = "".join(chr(c) for c in range(0xFF01, 0xFF5F)) + "\u3000"
HALF = "".join(chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)) + " "
TRUE_WORDS = ("true", "1", "y", "yes", "t", "是", "有")
FALSE_WORDS = ("false", "0", "n", "no", "f", "否", "无")
DIRECT = "_direct_"
STEP = "_step_"
SYSTEM = (DELIVERY, *TECHNICAL)


@dataclass(frozen=True)
class Repair:
    """A declared change of one field: how often it happened is the sum of `happened` over the rows."""

    field: str
    kind: str
    happened: Column


@dataclass
class Casting:
    """How a contract's fields are made from what was sent.

    Plain fields are cleaned in one expression over the sent text. Fields with further declared steps go layer by
    layer, each layer naming the columns before it: an expression that named its input more than once would double
    with each step. `texts` gives each field's normalised text; of a direct field, only where its cast failed.
    """

    layers: list[dict[str, Column]]
    direct: dict[str, Column]
    texts: dict[str, Column]
    values: dict[str, Column]
    early: list[Repair]
    late: list[Repair]

    def put(self, number: int, one: Field, made: Column) -> Column:
        """Make the expression a column of a layer, which is opened where it is new; that column."""
        while len(self.layers) <= number:
            self.layers.append({})
        name = f"{STEP}{number}_{one.name}"
        self.layers[number][name] = made
        return F.col(name)


def casting(contract: Contract, extras: tuple[str, ...] = ()) -> Casting:
    """How each field of the contract is made from bronze text."""
    how = Casting([], {}, {}, {}, [], [])
    for one in contract.fields:
        value = _value(one, contract, F.col(TEXT + one.name))
        if _is_direct(one, contract):
            how.direct[one.name] = _direct(one, contract)
            failed = how.direct[one.name].isNull()
            how.texts[one.name] = F.when(failed, _normalised(how, one, contract, failed))
            at_once = F.col(DIRECT + one.name)
            value = F.when(at_once.isNotNull(), at_once).otherwise(value)
        else:
            how.texts[one.name] = _normalised(how, one, contract)
        how.values[one.name] = value
        if one.source.censored:
            qualifier = F.regexp_extract(F.col(TEXT + one.name), r"^([<>≤≥])", 1)
            how.values[one.name + QUALIFIER] = F.nullif(qualifier, F.lit(""))
        if one.type == "timestamp":
            how.late.extend(_clock_changes(one, contract, _text(one, how)))
    how.values.update({EXTRA + name: F.col(quoted(SENT + name)) for name in extras})
    return how


def _is_direct(one: Field, contract: Contract) -> bool:
    """Whether text that casts as it stands is right as it stands: no declared change could give another value."""
    missing = "".join((*contract.layout.missing, *one.source.missing))
    plain = one.type in ("integer", "number") or (one.type in ("date", "timestamp") and _formats(one)[0] in EXACT)
    return plain and not _is_changed(one.source) and not any(char.isdigit() for char in missing)


def _is_changed(source: Source) -> bool:
    """Whether the contract declares anything that makes another value of the text."""
    made = (source.compose, source.derive, source.extract, source.mapping)
    return any((*made, source.units, source.thousands, source.decimal, source.censored))


def _direct(one: Field, contract: Contract) -> Column:
    text = F.col(one.name)
    zone = one.source.timezone or contract.layout.timezone
    match one.type:
        case "date":
            return day(text, _formats(one)[:1])
        case "timestamp":
            return moment(text, _formats(one)[:1], zone)
        case _:
            return direct_number(one, text)


def _formats(one: Field) -> tuple[str, ...]:
    return one.source.formats or (DATE_FORMATS if one.type == "date" else TIME_FORMATS)


def typed(bronze: DataFrame, contract: Contract, extras: tuple[str, ...] = ()) -> tuple[DataFrame, tuple[Repair, ...]]:
    """Bronze rows with typed fields, normalised texts beside them, sent texts in `_as_sent_…`, repairs as bits in `_fix…`."""
    how = casting(contract, extras)
    rows = _layered(bronze, how)
    came = bronze.columns
    system = [F.col(name) for name in SYSTEM if name in came]
    arrived = [name for name in came if name not in SYSTEM]
    sent = [F.col(quoted(name)).alias(SENT + name) for name in arrived]
    fixes = bit_columns([r.happened for r in how.early], "_fix")
    with_texts = rows.select(*system, *sent, *fixes, *_aliased(how.direct, DIRECT), *_aliased(how.texts, TEXT))
    clocks = bit_columns([r.happened for r in how.late], "_clock")
    passed = [F.col(quoted(SENT + name)) for name in arrived]
    kept = _kept_texts(contract, how)
    early_names = [f"_fix{i}" for i in range(len(fixes))]
    made = with_texts.select(*system, *passed, *early_names, *clocks, *kept, *_aliased(how.values, ""))
    return made, (*how.early, *how.late)


def _layered(bronze: DataFrame, how: Casting) -> DataFrame:
    rows = bronze
    for layer in filter(None, how.layers):
        rows = rows.select("*", *_aliased(layer, ""))
    return rows


def _kept_texts(contract: Contract, how: Casting) -> list[Column]:
    return [_text(f, how).alias(TEXT + f.name) for f in contract.fields if text_column(f) != f.name]


def _text(one: Field, how: Casting) -> Column:
    """The field's normalised text, over the columns of the step that has them all."""
    text = F.col(TEXT + one.name)
    if one.name not in how.direct:
        return text
    return F.when(F.col(DIRECT + one.name).isNull(), text).otherwise(F.col(SENT + one.name))


def _aliased(columns: Mapping[str, Column], prefix: str) -> list[Column]:
    return [column.alias(prefix + name) for name, column in columns.items()]


def _normalised(how: Casting, one: Field, contract: Contract, tried: Column | None = None) -> Column:
    """The field's text after declared normalisation, null where it means no value; its repairs noted.

    `tried` holds where a direct cast failed: elsewhere there is nothing to repair.
    """
    raw = _raw(how, one)
    trimmed = _trimmed(raw) if one.is_trimmed() else raw
    text = _cleaned(raw, one)
    noted = [("trim", ~raw.eqNullSafe(trimmed))] if one.is_trimmed() else []
    if one.is_narrowed():
        noted.append(("full_width", ~trimmed.eqNullSafe(text)))
    steps = list(_steps(one))
    if steps:
        text = how.put(1, one, text)
    for number, (kind, step) in enumerate(steps, 2):
        after = how.put(number, one, step(text))
        noted.append((kind, ~text.eqNullSafe(after)))
        text = after
    missing = sorted({*contract.layout.missing, *one.source.missing})
    bare = text if one.is_trimmed() else F.btrim(text, F.lit(BLANKS))
    if missing:
        noted.append(("missing_word", bare.isin(missing)))
    text = F.when(~bare.isin(*missing, ""), text)
    for kind, happened in (*noted, *_read_as_they_are(one, text)):
        if kind != "extract":
            how.early.append(Repair(one.name, kind, happened if tried is None else tried & happened))
    return text


def _read_as_they_are(one: Field, text: Column) -> list[tuple[str, Column]]:
    """Repairs that change the value but not the text: glued units, thousands separators, other date formats."""
    source = one.source
    noted = list(repairs(one, text)) if one.type in ("integer", "number") else []
    own = shape(source.formats[0]) if len(source.formats) > 1 else None
    if own is not None:
        noted.append(("date_format", ~text.rlike(own[0])))
    return noted


def _raw(how: Casting, one: Field) -> Column:
    if one.source.compose is None:
        return F.col(one.source.derive or one.name)
    parts = re.split(r"\{(\w+)\}", one.source.compose)
    pieces = [F.col(p) if i % 2 else F.lit(p) for i, p in enumerate(parts) if i % 2 or p]
    return how.put(0, one, F.concat(*pieces))


def _steps(one: Field):  # type: ignore[no-untyped-def]
    source = one.source
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


def _suspect(text: Column) -> Column:
    """Whether the text may have blanks at its ends or full-width letters; most texts have not, and pass untouched.

    Two lengths tell of more than ASCII far cheaper than a look at each character.
    """
    is_wide = F.octet_length(text) != F.length(text)
    return is_wide | (text < "!") | (last_character(text) < "!")


def _trimmed(text: Column) -> Column:
    return F.when(_suspect(text), F.btrim(text, F.lit(BLANKS))).otherwise(text)


def _cleaned(text: Column, one: Field) -> Column:
    """The text without blanks at its ends and in ASCII where there is an ASCII form, as far as the field is cleaned."""
    if not one.is_narrowed():
        return _trimmed(text) if one.is_trimmed() else text
    bare = F.btrim(text, F.lit(BLANKS)) if one.is_trimmed() else text
    return F.when(_suspect(text), F.translate(bare, FULL, HALF)).otherwise(text)


def _value(one: Field, contract: Contract, text: Column) -> Column:
    zone = one.source.timezone or contract.layout.timezone
    match one.type:
        case "integer" | "number":
            return to_number(one, text)
        case "boolean":
            low = F.lower(text)
            return F.when(low.isin(*TRUE_WORDS), True).when(low.isin(*FALSE_WORDS), False)
        case "date":
            return day(text, _formats(one))
        case "timestamp":
            return moment(text, _formats(one), zone)
        case _:
            return uncensored(text) if one.source.censored else text


def _clock_changes(one: Field, contract: Contract, text: Column) -> list[Repair]:
    """Local times that a clock change doubled (the first is read) or skipped (read an hour later)."""
    zone = one.source.timezone or contract.layout.timezone
    local = tuple(pattern for pattern in _formats(one) if is_local(pattern))
    if not local or not changes_clock(zone):
        return []
    wall = moment(text, local, "UTC")
    stamp, hour = F.to_utc_timestamp(wall, zone), F.expr("INTERVAL 1 HOUR")
    doubled = F.from_utc_timestamp(stamp + hour, zone) == wall
    skipped = F.from_utc_timestamp(stamp, zone) != wall
    return [Repair(one.name, "clock_doubled", doubled), Repair(one.name, "clock_skipped", skipped)]
