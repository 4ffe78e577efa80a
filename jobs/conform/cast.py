"""Bronze text → typed columns as the contract declares, every declared change counted as a repair."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.conform.dates import DATE_FORMATS, DAY_END, EXACT, TIME_FORMATS, day, day_end, is_local, moment, shape
from jobs.conform.numbers import direct_number, last_character, repairs, to_number, uncensored
from jobs.contracts import Contract, Field, Source, changes_clock, text_column
from jobs.contracts.layout import COMPOSED, Unit
from jobs.contracts.names import DELIVERY, EXTRA, QUALIFIER, SENT, TECHNICAL, TEXT
from jobs.lake.bits import balanced, bit_columns, column_names, quoted
from jobs.lake.named_rows import NamedRows

BLANKS = " \t\r\n\u3000\u00a0\ufeff\u200b\u200c\u200d"
FULL = "".join(chr(c) for c in range(0xFF01, 0xFF5F)) + "\u3000"
HALF = "".join(chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)) + " "
TRUE_WORDS = ("true", "1", "y", "yes", "t", "是", "有")
FALSE_WORDS = ("false", "0", "n", "no", "f", "否", "无")
DIRECT = "_direct_"
ODD = "_odd_"
STEP = "_step_"
MARKED = (*(char.encode() for char in BLANKS if ord(char) > 0x7F), b"\xef\xbc", b"\xef\xbd")
"""UTF-8 of blanks that are not ASCII, and how that of every full-width character begins."""
SYSTEM = (DELIVERY, *TECHNICAL)


@dataclass(frozen=True)
class Repair:
    """A declared change of one field: how often it happened is the sum of `happened` over the rows."""

    field: str
    kind: str
    happened: Column


@dataclass(frozen=True)
class TypedRows:
    """Rows with typed fields, their repairs, and the names of evolved extra columns."""

    rows: NamedRows
    repairs: tuple[Repair, ...]
    extras: tuple[str, ...] = ()
    neighbours: NamedRows | None = None
    """Typed rows that rules over neighbouring readings see besides these; they are not evaluated."""


@dataclass
class Casting:
    """How a contract's fields are computed from the delivered columns.

    Built in layers, each over the columns of the one before: the engine would evaluate an expression as often as others
    use it. The first has composed texts, the second the values of texts that cast directly and the cleaned texts of other
    fields where they differ from what was sent, each further one a declared step.
    `texts` has each field's normalised text; of a direct field, only where its cast failed.
    """

    layers: list[dict[str, Column]]
    texts: dict[str, Column]
    values: dict[str, Column]
    early: list[Repair]
    late: list[Repair]

    def put(self, number: int, name: str, expression: Column) -> Column:
        """The expression as a new column of a layer."""
        while len(self.layers) <= number:
            self.layers.append({})
        self.layers[number][name] = expression
        return F.col(name)

    def is_direct(self, field: Field) -> bool:
        """Whether the field's texts are cast as they were sent, and normalised only where that fails."""
        return len(self.layers) > 1 and DIRECT + field.name in self.layers[1]


def casting(contract: Contract, extras: tuple[str, ...] = ()) -> Casting:
    """How each field of the contract is computed from bronze text."""
    casts = Casting([], {}, {}, [], [])
    for field in contract.fields:
        value = _value(field, contract, F.col(TEXT + field.name))
        if _is_direct(field, contract):
            at_once = casts.put(1, DIRECT + field.name, _direct(field, contract))
            failed = at_once.isNull()
            casts.texts[field.name] = F.when(failed, _normalised(casts, field, contract, failed))
            value = F.when(at_once.isNotNull(), at_once).otherwise(value)
        else:
            casts.texts[field.name] = _normalised(casts, field, contract)
        casts.values[field.name] = value
        if field.source.censored:
            qualifier = F.regexp_extract(F.col(TEXT + field.name), r"^([<>≤≥])", 1)
            casts.values[field.name + QUALIFIER] = F.nullif(qualifier, F.lit(""))
        if field.type == "timestamp":
            casts.late.extend(_clock_changes(field, contract, _text(field, casts)))
    casts.values.update({EXTRA + name: F.col(quoted(name)) for name in extras})
    return casts


def _is_direct(field: Field, contract: Contract) -> bool:
    """Whether text that casts directly has its final value: no declared change could yield another."""
    missing = "".join((*contract.layout.missing, *field.source.missing))
    plain = field.type in ("integer", "number") or (field.type in ("date", "timestamp") and _formats(field)[0] in EXACT)
    return plain and not _is_changed(field.source) and not any(char.isdigit() for char in missing)


def _is_changed(source: Source) -> bool:
    """Whether the contract declares anything that changes the value of a text that is a plain number, date or time.

    Such a text has no unit, no thousands separator and no censoring mark.
    """
    changes = (source.compose, source.derive, source.extract, source.mapping, source.decimal)
    return any(changes) or source.thousands == "." or source.units.get("", Unit()).changes()


def _direct(field: Field, contract: Contract) -> Column:
    text = F.col(field.name)
    zone = field.source.timezone or contract.layout.timezone
    match field.type:
        case "date":
            return day(text, _formats(field)[:1])
        case "timestamp":
            return moment(text, _formats(field)[:1], zone)
        case _:
            return direct_number(field, text)


def _formats(field: Field) -> tuple[str, ...]:
    return field.source.formats or (DATE_FORMATS if field.type == "date" else TIME_FORMATS)


def typed(bronze: NamedRows, contract: Contract, extras: tuple[str, ...] = ()) -> TypedRows:
    """Bronze rows with typed fields, their normalised texts, texts as sent in `_as_sent_…`, repairs as bits in `_fix…`."""
    casts = casting(contract, extras)
    with_texts = _layered(bronze.frame, casts).select("*", *_aliased(casts.texts, TEXT))
    system = [name for name in SYSTEM if name in bronze.columns]
    arrived = [name for name in bronze.columns if name not in SYSTEM]
    sent = [F.col(quoted(name)).alias(SENT + name) for name in arrived]
    fixes = bit_columns([r.happened for r in casts.early], "_fix")
    clocks = bit_columns([r.happened for r in casts.late], "_clock")
    made = [*sent, *fixes, *clocks, *_text_columns(contract, casts), *_aliased(casts.values, "")]
    fix_names, clock_names = column_names(len(casts.early), "_fix"), column_names(len(casts.late), "_clock")
    sent_names, texts = _prefixed(SENT, arrived), _prefixed(TEXT, _stored_texts(contract))
    names = (*system, *sent_names, *fix_names, *clock_names, *texts, *casts.values)
    return TypedRows(NamedRows(with_texts.select(*system, *made), names), (*casts.early, *casts.late), extras)


def _prefixed(prefix: str, names: Iterable[str]) -> list[str]:
    return [prefix + name for name in names]


def _layered(bronze: DataFrame, casts: Casting) -> DataFrame:
    rows = bronze
    for layer in filter(None, casts.layers):
        rows = rows.select("*", *_aliased(layer, ""))
    return rows


def _text_columns(contract: Contract, casts: Casting) -> list[Column]:
    return [_text(contract.field(name), casts).alias(TEXT + name) for name in _stored_texts(contract)]


def _stored_texts(contract: Contract) -> list[str]:
    """Fields whose normalised text is a column of its own."""
    return [field.name for field in contract.fields if text_column(field) != field.name]


def _text(field: Field, casts: Casting) -> Column:
    """The field's normalised text, over the columns of the last layer."""
    text = F.col(TEXT + field.name)
    if not casts.is_direct(field):
        return text
    return F.when(F.col(DIRECT + field.name).isNull(), text).otherwise(_raw(casts, field))


def _aliased(columns: Mapping[str, Column], prefix: str) -> list[Column]:
    return [column.alias(prefix + name) for name, column in columns.items()]


def _normalised(casts: Casting, field: Field, contract: Contract, cast_failed: Column | None = None) -> Column:
    """The field's text after declared normalisation, null where it means no value; adds its repairs to `casts`.

    `cast_failed` is true where a direct cast failed: elsewhere there is nothing to repair.
    """
    raw = _raw(casts, field)
    noted: list[tuple[str, Column]] = []
    text = raw
    if field.is_trimmed() or field.is_narrowed():
        text, noted = _cleaned(casts, field, raw, is_late=cast_failed is not None)
    steps = list(_steps(field))
    if steps:
        text = casts.put(2, f"{STEP}2_{field.name}", text)
    for number, (kind, step) in enumerate(steps, 3):
        after = casts.put(number, f"{STEP}{number}_{field.name}", step(text))
        noted.append((kind, ~text.eqNullSafe(after)))
        text = after
    missing = sorted({*contract.layout.missing, *field.source.missing})
    bare = text if field.is_trimmed() else F.btrim(text, F.lit(BLANKS))
    normalised = F.col(TEXT + field.name)
    if missing:
        noted.append(("missing_word", normalised.isNull() & (bare != "")))
    for kind, happened in (*noted, *_value_repairs(field, normalised)):
        if kind != "extract":
            casts.early.append(Repair(field.name, kind, happened if cast_failed is None else cast_failed & happened))
    return F.when(~bare.isin(*missing, ""), text)


def _cleaned(casts: Casting, field: Field, raw: Column, is_late: bool) -> tuple[Column, list[tuple[str, Column]]]:
    """The text trimmed and with half-width characters, as far as the contract declares, and the repairs that this makes.

    A column of its own keeps what few texts become; where cleaning is late, few texts get here, and all of them are cleaned.
    """
    trimmed = F.btrim(raw, F.lit(BLANKS)) if field.is_trimmed() else raw
    clean = F.translate(trimmed, FULL, HALF) if field.is_narrowed() else trimmed
    changes = [("trim", raw != trimmed)] if field.is_trimmed() else []
    changes += [("full_width", trimmed != clean)] if field.is_narrowed() else []
    if is_late:
        return clean, changes
    odd = casts.put(1, ODD + field.name, F.when(_suspect(raw), clean))
    return F.coalesce(odd, raw), [(kind, odd.isNotNull() & happened) for kind, happened in changes]


def _value_repairs(field: Field, text: Column) -> list[tuple[str, Column]]:
    """Repairs that change the value but not the text: glued units, thousands separators, other date formats."""
    source = field.source
    noted = list(repairs(field, text)) if field.type in ("integer", "number") else []
    own = shape(source.formats[0]) if len(source.formats) > 1 else None
    if own is not None:
        noted.append(("date_format", ~text.rlike(own[0])))
    if source.day_end:
        noted.append(("day_end", text.rlike(DAY_END)))
    return noted


def _raw(casts: Casting, field: Field) -> Column:
    if field.source.compose is None:
        return F.col(field.source.derive or field.name)
    pieces, end = [], 0
    for part in COMPOSED.finditer(field.source.compose):
        value, between = F.col(part.group(1)), field.source.compose[end : part.start()]
        pieces += [F.lit(between)] if between else []
        pieces.append(F.coalesce(value, F.lit("")) if part.group(2) else value)
        end = part.end()
    pieces += [F.lit(rest)] if (rest := field.source.compose[end:]) else []
    return casts.put(0, f"{STEP}0_{field.name}", F.concat(*pieces))


def _steps(field: Field):  # type: ignore[no-untyped-def]
    source = field.source
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
    """Whether the text may have blanks at its ends or full-width letters; most texts have neither.

    Comparing two lengths detects non-ASCII far cheaper than checking each character, and bytes are found cheaper than
    characters are translated.
    """
    is_wide = F.octet_length(text) != F.length(text)
    is_marked = balanced(Column.__or__, [F.contains(text, F.lit(mark).cast("string")) for mark in MARKED])
    return (text < "!") | (last_character(text) < "!") | (is_wide & is_marked)


def _value(field: Field, contract: Contract, text: Column) -> Column:
    zone = field.source.timezone or contract.layout.timezone
    match field.type:
        case "integer" | "number":
            return to_number(field, text)
        case "boolean":
            low = F.lower(text)
            return F.when(low.isin(*TRUE_WORDS), True).when(low.isin(*FALSE_WORDS), False)
        case "date":
            return day(text, _formats(field))
        case "timestamp":
            value = moment(text, _formats(field), zone)
            return F.coalesce(value, day_end(text, _formats(field), zone)) if field.source.day_end else value
        case _:
            return uncensored(text) if field.source.censored else text


def _clock_changes(field: Field, contract: Contract, text: Column) -> list[Repair]:
    """Local times that a clock change doubled, read as the first; those that it skipped have no value."""
    zone = field.source.timezone or contract.layout.timezone
    local = tuple(pattern for pattern in _formats(field) if is_local(pattern))
    if not local or not changes_clock(zone):
        return []
    wall = moment(text, local, "UTC")
    stamp, hour = F.to_utc_timestamp(wall, zone), F.expr("INTERVAL 1 HOUR")
    doubled = F.from_utc_timestamp(stamp + hour, zone) == wall
    return [Repair(field.name, "clock_doubled", doubled)]
