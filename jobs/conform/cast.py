"""Bronze text → typed columns as the contract declares."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.conform.dates import EXACT, day, day_end, is_local, moment
from jobs.conform.normalise import DIRECT, Casting, Repair, formats_of, normalised, raw_text
from jobs.conform.numbers import direct_number, to_number, uncensored
from jobs.contracts import Contract, Field, Source, changes_clock, text_column
from jobs.contracts.layout import Unit
from jobs.contracts.names import DELIVERY, EXTRA, QUALIFIER, SENT, SENT_DATE, TECHNICAL, TEXT
from jobs.lake.bits import bit_columns, column_names, quoted
from jobs.lake.named_rows import NamedRows

TRUE_WORDS = ("true", "1", "y", "yes", "t", "是", "有")
FALSE_WORDS = ("false", "0", "n", "no", "f", "否", "无")
SYSTEM = (DELIVERY, *TECHNICAL, SENT_DATE)


@dataclass(frozen=True)
class TypedRows:
    """Rows with typed fields, their repairs, and the names of evolved extra columns."""

    rows: NamedRows
    repairs: tuple[Repair, ...]
    extras: tuple[str, ...] = ()
    neighbours: NamedRows | None = None
    """Typed rows that rules over neighbouring readings see besides these; they are not evaluated."""


def casting(contract: Contract, extras: tuple[str, ...] = ()) -> Casting:
    """How each field of the contract is computed from bronze text."""
    casts = Casting([], {}, [], [])
    for field in contract.fields:
        direct = _direct(field, contract) if _is_direct(field, contract) else None
        value = _value(field, contract, normalised(casts, field, contract, direct))
        if direct is not None:
            at_once = casts.put(1, DIRECT + field.name, direct)
            value = F.when(at_once.isNotNull(), at_once).otherwise(value)
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
    plain = field.type in ("integer", "number") or (
        field.type in ("date", "timestamp") and formats_of(field)[0] in EXACT
    )
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
            return day(text, formats_of(field)[:1])
        case "timestamp":
            return moment(text, formats_of(field)[:1], zone)
        case _:
            return direct_number(field, text)


@dataclass(frozen=True)
class TypedColumns:
    """The columns of a contract's typed rows, step by step."""

    contract: Contract
    layers: tuple[tuple[Column, ...], ...]
    made: tuple[Column, ...]
    names: tuple[str, ...]
    repairs: tuple[Repair, ...]


TYPED_COLUMNS: dict[tuple[int, tuple[str, ...], tuple[str, ...]], TypedColumns] = {}
"""By the contract's identity in memory, evolved extra columns, and columns of the bronze rows."""
MOST_CONTRACTS = 200


def typed(bronze: NamedRows, contract: Contract, extras: tuple[str, ...] = ()) -> TypedRows:
    """Bronze rows with typed fields, their normalised texts, texts as sent in `_as_sent_…`, repairs as bits in `_fix…`."""
    columns, rows = _typed_columns(contract, extras, bronze.columns), bronze.frame
    for layer in columns.layers:
        rows = rows.select("*", *layer)
    return TypedRows(NamedRows(rows.select(*columns.made), columns.names), columns.repairs, extras)


def _typed_columns(contract: Contract, extras: tuple[str, ...], columns: tuple[str, ...]) -> TypedColumns:
    """Made once for a contract: of hundreds of fields it takes half a second."""
    key = id(contract), extras, columns
    known = TYPED_COLUMNS.get(key)
    if known is None or known.contract is not contract:
        if len(TYPED_COLUMNS) >= MOST_CONTRACTS:
            TYPED_COLUMNS.clear()
        known = TYPED_COLUMNS[key] = _made(contract, extras, columns)
    return known


def _made(contract: Contract, extras: tuple[str, ...], columns: tuple[str, ...]) -> TypedColumns:
    casts = casting(contract, extras)
    system = [name for name in SYSTEM if name in columns]
    arrived = [name for name in columns if name not in SYSTEM]
    sent = [F.col(quoted(name)).alias(SENT + name) for name in arrived]
    fixes = bit_columns([r.happened for r in casts.early], "_fix")
    clocks = bit_columns([r.happened for r in casts.late], "_clock")
    values = [*fixes, *clocks, *_text_columns(contract, casts), *_aliased(casts.values, "")]
    fix_names, clock_names = column_names(len(casts.early), "_fix"), column_names(len(casts.late), "_clock")
    sent_names, texts = _prefixed(SENT, arrived), _prefixed(TEXT, _stored_texts(contract))
    names = (*system, *sent_names, *fix_names, *clock_names, *texts, *casts.values)
    layers = tuple(tuple(_aliased(layer, "")) for layer in casts.layers if layer)
    made = (*map(F.col, system), *sent, *values)
    return TypedColumns(contract, layers, made, names, (*casts.early, *casts.late))


def _prefixed(prefix: str, names: Iterable[str]) -> list[str]:
    return [prefix + name for name in names]


def _text_columns(contract: Contract, casts: Casting) -> list[Column]:
    """Of a text that was cast directly, an empty one: rules ask only whether there is a text, and copying it costs time."""
    fields = map(contract.field, _stored_texts(contract))
    return [_text(field, casts, F.lit("")).alias(TEXT + field.name) for field in fields]


def _stored_texts(contract: Contract) -> list[str]:
    """Fields whose normalised text is a column of its own."""
    return [field.name for field in contract.fields if text_column(field) != field.name]


def _text(field: Field, casts: Casting, direct: Column | None = None) -> Column:
    """The field's normalised text, over the columns of the last layer; `direct` instead of one that was cast directly."""
    text = F.col(TEXT + field.name)
    if not casts.is_direct(field):
        return text
    return F.when(F.col(DIRECT + field.name).isNull(), text).otherwise(
        raw_text(casts, field) if direct is None else direct
    )


def _aliased(columns: Mapping[str, Column], prefix: str) -> list[Column]:
    return [column.alias(prefix + name) for name, column in columns.items()]


def _value(field: Field, contract: Contract, text: Column) -> Column:
    zone = field.source.timezone or contract.layout.timezone
    match field.type:
        case "integer" | "number":
            return to_number(field, text)
        case "boolean":
            low = F.lower(text)
            return F.when(low.isin(*TRUE_WORDS), True).when(low.isin(*FALSE_WORDS), False)
        case "date":
            return day(text, formats_of(field))
        case "timestamp":
            value = moment(text, formats_of(field), zone)
            return F.coalesce(value, day_end(text, formats_of(field), zone)) if field.source.day_end else value
        case _:
            return uncensored(text) if field.source.censored else text


def _clock_changes(field: Field, contract: Contract, text: Column) -> list[Repair]:
    """Local times that a clock change doubled, read as the first; those that it skipped have no value."""
    zone = field.source.timezone or contract.layout.timezone
    local = tuple(pattern for pattern in formats_of(field) if is_local(pattern))
    if not local or not changes_clock(zone):
        return []
    wall = moment(text, local, "UTC")
    stamp, hour = F.to_utc_timestamp(wall, zone), F.expr("INTERVAL 1 HOUR")
    doubled = F.from_utc_timestamp(stamp + hour, zone) == wall
    return [Repair(field.name, "clock_doubled", doubled)]
