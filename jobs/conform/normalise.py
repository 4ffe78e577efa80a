"""Bronze text → normalised text as the contract declares, every declared change counted as a repair."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.conform.dates import DATE_FORMATS, DAY_END, TIME_FORMATS, shape
from jobs.conform.numbers import repairs
from jobs.contracts import Contract, Field, text_column
from jobs.contracts.layout import COMPOSED
from jobs.contracts.names import TEXT

BLANKS = " \t\r\n\u3000\u00a0\ufeff\u200b\u200c\u200d"
FULL = "".join(chr(c) for c in range(0xFF01, 0xFF5F)) + "\u3000"
HALF = "".join(chr(c - 0xFEE0) for c in range(0xFF01, 0xFF5F)) + " "
DIRECT = "_direct_"
ODD = "_odd_"
STEP = "_step_"
Step = tuple[str, Callable[[Column], Column]]
"""A declared change of a text: its kind, and the change."""


@dataclass(frozen=True)
class Repair:
    """A declared change of one field: how often it happened is the sum of `happened` over the rows."""

    field: str
    kind: str
    happened: Column


@dataclass
class Casting:
    """How a contract's fields are computed from the delivered columns.

    Built in layers, each over the columns of the one before: the engine would evaluate an expression as often as others
    use it. The first has composed texts, the second the values of texts that cast directly and the normalised texts of
    fields (of a direct field, only where its cast failed), each further one a declared step.
    """

    layers: list[dict[str, Column]]
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


def normalised(casts: Casting, field: Field, contract: Contract, direct: Column | None) -> Column:
    """The field's text after declared normalisation, null where it means no value; adds its repairs to `casts`.

    A column of its own, but for a field that is this text. `direct` is the value of a text that casts directly: such a
    text has no repairs, and needs no normalised text.
    """
    steps = list(_steps(field))
    is_value = not steps and direct is None and text_column(field) == field.name
    text, noted = _cleaned(casts, field, is_late=direct is not None, is_value=is_value)
    if steps:
        text = _stepped(casts, field, text, steps, noted)
    missing = sorted({*contract.layout.missing, *field.source.missing})
    bare = text if field.is_trimmed() else F.btrim(text, F.lit(BLANKS))
    shown = F.when(~bare.isin(*missing, ""), text)
    shown = shown if direct is None else F.when(direct.isNull(), shown)
    if not is_value:
        shown = casts.put(len(steps) + 2 if steps else 1, TEXT + field.name, shown)
    if missing:
        noted.append(("missing_word", shown.isNull() & (bare != "")))
    _note(casts, field, (*noted, *_value_repairs(field, shown)), direct)
    return shown


def _stepped(
    casts: Casting, field: Field, text: Column, steps: Sequence[Step], noted: list[tuple[str, Column]]
) -> Column:
    """The text after its declared steps, each in a layer of its own; adds the changes that they make to `noted`."""
    text = casts.put(1, f"{STEP}1_{field.name}", text)
    for number, (kind, step) in enumerate(steps, 2):
        after = casts.put(number, f"{STEP}{number}_{field.name}", step(text))
        noted.append((kind, ~text.eqNullSafe(after)))
        text = after
    return text


def _note(casts: Casting, field: Field, noted: Iterable[tuple[str, Column]], direct: Column | None) -> None:
    """Add the field's repairs; none happens where the text was cast directly. What extraction leaves out is no repair."""
    failed = None if direct is None else F.col(DIRECT + field.name).isNull()
    for kind, happened in noted:
        if kind != "extract":
            casts.early.append(Repair(field.name, kind, happened if failed is None else failed & happened))


def _cleaned(casts: Casting, field: Field, is_late: bool, is_value: bool) -> tuple[Column, list[tuple[str, Column]]]:
    """The text trimmed and with half-width characters, as far as the contract declares, and the repairs that this makes.

    A column of its own keeps what few texts become; where cleaning is late, few texts get here, and all of them are cleaned.
    """
    raw = raw_text(casts, field)
    trimmed = F.btrim(raw, F.lit(BLANKS)) if field.is_trimmed() else raw
    clean = F.translate(trimmed, FULL, HALF) if field.is_narrowed() else trimmed
    changes = [("trim", raw != trimmed)] if field.is_trimmed() else []
    changes += [("full_width", trimmed != clean)] if field.is_narrowed() else []
    if is_late or not changes:
        return clean, changes
    cleaned = F.when(is_odd(raw), clean)
    odd = casts.put(1, ODD + field.name, cleaned)
    text = F.coalesce(odd if is_value else cleaned, raw)
    return text, [(kind, odd.isNotNull() & happened) for kind, happened in changes]


def raw_text(casts: Casting, field: Field) -> Column:
    """The field's text as sent, composed of several where the contract says so."""
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


def _steps(field: Field) -> Iterator[Step]:
    source = field.source
    pattern = source.extract or ""
    if source.extract is not None and source.derive is not None:
        yield "extract", lambda text: F.nullif(F.regexp_extract(text, pattern, 1), F.lit(""))
    elif source.extract is not None:
        yield "extract", lambda text: F.when(text.rlike(pattern), F.regexp_extract(text, pattern, 1)).otherwise(text)
    if source.case:
        yield "case", lambda text: F.upper(text) if source.case == "upper" else F.lower(text)
    if source.mapping:
        pairs = [F.lit(word) for pair in source.mapping.items() for word in pair]
        yield "mapping", lambda text: F.coalesce(F.try_element_at(F.create_map(*pairs), text), text)


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


def formats_of(field: Field) -> tuple[str, ...]:
    """The patterns of its dates or times, the usual ones where it declares none."""
    return field.source.formats or (DATE_FORMATS if field.type == "date" else TIME_FORMATS)


def is_odd(text: Column) -> Column:
    """Whether the text may have blanks at its ends or full-width letters; most texts have neither. A function of our own on the engine."""
    return F.call_function("lake_is_odd", text)
