"""How typed values of a file (numbers of a workbook, timestamps of Parquet) are written as text that their field parses."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import Field, Layout
from jobs.ingest.headers import header_key

QUOTED = re.compile(r"'[^']*'")
MIDNIGHT = " 00:00:00"


@dataclass(frozen=True)
class Notation:
    """What a field expects of its texts: type, decimal separator, and whether a timestamp may have an offset."""

    kind: str = ""
    mark: str = "."
    zone: str = "Asia/Shanghai"
    takes_offset: bool = True

    def number(self, text: str) -> str:
        """A number with a point as the field writes it."""
        return text.replace(".", self.mark) if self.mark != "." else text

    def numbers(self, texts: pa.Array) -> pa.Array:
        """Numbers with a point as the field writes them."""
        return pc.replace_substring(texts, ".", self.mark) if self.mark != "." else texts

    def local(self, moments: pa.Array) -> pa.Array:
        """Local timestamps as text: without an empty fraction, and midnights of a date field without a time."""
        texts = pc.cast(moments, pa.string())
        if self.kind == "string":
            return texts
        texts = pc.replace_substring_regex(texts, r"\.0+$", "")
        if self.kind != "date":
            return texts
        return pc.if_else(pc.ends_with(texts, MIDNIGHT), pc.utf8_slice_codeunits(texts, 0, 10), texts)

    def instants(self, moments: pa.Array) -> pa.Array:
        """Instants, given in UTC, as text: with Z where the field's formats parse it, else in the field's time zone."""
        if self.takes_offset:
            texts = pc.replace_substring_regex(pc.cast(moments, pa.string()), r"\.0+$", "")
            return pc.binary_join_element_wise(pc.replace_substring(texts, " ", "T"), "Z", "")
        local_moments = pc.assume_timezone(moments, "UTC").cast(pa.timestamp(moments.type.unit, self.zone))
        return self.local(pc.local_timestamp(local_moments))


PLAIN = Notation()


@dataclass(frozen=True)
class Notations:
    """A contract's fields, and their notations by column position or header."""

    known: Mapping[str, Notation]
    fields: Sequence[Field] = ()

    def of(self, index: int, name: str | None) -> Notation:
        """The notation of the column at a position, from 0, with a header."""
        return self.known.get(f"#{index + 1}") or self.known.get(header_key(name or ""), PLAIN)


def notations(fields: Sequence[Field], layout: Layout) -> Notations:
    """The notations of the fields that are read from columns."""
    by_column: dict[str, Notation] = {}
    for field in fields:
        zone, formats = field.source.timezone or layout.timezone, field.source.formats
        takes_offset = field.type not in ("date", "timestamp") or not formats or any(map(has_offset, formats))
        notation = Notation(field.type, field.source.decimal_mark(), zone, takes_offset and field.type != "date")
        keys = (
            [f"#{field.source.position}"] if field.source.position else list(map(header_key, field.accepted_headers()))
        )
        by_column.update(dict.fromkeys(keys, notation))
    return Notations(by_column, fields)


def has_offset(pattern: str) -> bool:
    """Whether a date pattern parses an offset such as Z or +08:00."""
    return re.search("[XxZ]", QUOTED.sub("", pattern)) is not None
