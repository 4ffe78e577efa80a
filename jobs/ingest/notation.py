"""How typed values of a file (numbers of a workbook, moments of Parquet) are written as text that their field reads back."""

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
    """What a field expects of its texts: its type, its decimal mark, and whether a moment may have an offset."""

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
        """Wall-clock times: seconds without an empty fraction, and midnights of a date field without a time."""
        texts = pc.cast(moments, pa.string())
        if self.kind == "string":
            return texts
        texts = pc.replace_substring_regex(texts, r"\.0+$", "")
        if self.kind != "date":
            return texts
        return pc.if_else(pc.ends_with(texts, MIDNIGHT), pc.utf8_slice_codeunits(texts, 0, 10), texts)

    def instants(self, moments: pa.Array) -> pa.Array:
        """Points in time, given as times of UTC: with Z where the field's formats read it, else on the field's clock."""
        if self.takes_offset:
            texts = pc.replace_substring_regex(pc.cast(moments, pa.string()), r"\.0+$", "")
            return pc.binary_join_element_wise(pc.replace_substring(texts, " ", "T"), "Z", "")
        there = pc.assume_timezone(moments, "UTC").cast(pa.timestamp(moments.type.unit, self.zone))
        return self.local(pc.local_timestamp(there))


PLAIN = Notation()


@dataclass(frozen=True)
class Notations:
    """The notations of a contract's fields, by the columns that may be theirs."""

    known: Mapping[str, Notation]

    def of(self, index: int, name: str | None) -> Notation:
        """The notation of the column at a place, from 0, under a header."""
        return self.known.get(f"#{index + 1}") or self.known.get(header_key(name or ""), PLAIN)


def notations(fields: Sequence[Field], layout: Layout) -> Notations:
    """The notations of the fields that are read from columns."""
    known: dict[str, Notation] = {}
    for f in fields:
        zone, formats = f.source.timezone or layout.timezone, f.source.formats
        takes_offset = f.type not in ("date", "timestamp") or not formats or any(map(has_offset, formats))
        how = Notation(f.type, f.source.decimal_mark(), zone, takes_offset and f.type != "date")
        keys = [f"#{f.source.position}"] if f.source.position else [header_key(h) for h in f.headers()]
        known.update(dict.fromkeys(keys, how))
    return Notations(known)


def has_offset(pattern: str) -> bool:
    """Whether a date pattern reads an offset such as Z or +08:00."""
    return re.search("[XxZ]", QUOTED.sub("", pattern)) is not None
