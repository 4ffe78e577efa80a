"""Column names of a file: joined from levels, made distinct, matched to fields, turned into bronze names."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from jobs.contracts import Field
from jobs.ingest.wordings import wording

NOT_A_NAME = re.compile(r"[^a-z0-9\u3400-\u4dbf\u4e00-\u9fff]+")


def header_key(header: str) -> str:
    """The header as compared: without differences of width, case and white space, also before a bracket."""
    return " ".join(unicodedata.normalize("NFKC", header).casefold().split()).replace(" (", "(")


def column_name(header: str, position: int) -> str:
    """A bronze name for an extra column: letters, digits, Chinese and `_`; `column_<n>` for a blank header.

    It never begins with `_`: such names are the lake's own.
    """
    return NOT_A_NAME.sub("_", header_key(header)).strip("_") or f"column_{position}"


def joined_header(levels: Sequence[Sequence[str]], width: int, fill: bool) -> tuple[str, ...]:
    """Header rows as one: levels joined by `/`, equal neighbours once; `fill`: upper levels extend to the right."""
    clean = [[" ".join(cell.split()) for cell in level] + [""] * (width - len(level)) for level in levels]
    if fill:
        for level in clean[:-1]:
            for index in range(1, width):
                level[index] = level[index] or level[index - 1]
    columns = zip(*clean, strict=True) if clean else [()] * width
    return tuple("/".join(part for part, _ in groupby(filter(None, column))) for column in columns)


def distinct_header(header: Sequence[str | None]) -> tuple[tuple[str | None, ...], Mapping[str, str]]:
    """The header with a suffix for repeated names, and new name → original name.

    A suffixed name that another column already has, as in 备注, 备注, 备注_2, is skipped.
    """
    used_keys = {header_key(name) for name in header if name}
    seen: set[str] = set()
    names: list[str | None] = []
    renamed: dict[str, str] = {}
    for name in header:
        if name and name in seen:
            new = next(suffixed_name for suffixed_name in suffixed(name) if header_key(suffixed_name) not in used_keys)
            used_keys.add(header_key(new))
            renamed[new] = name
            names.append(new)
        else:
            names.append(name)
            seen.add(name or "")
    return tuple(names), renamed


def suffixed(name: str) -> Iterator[str]:
    """name_2, name_3, …"""
    number = 1
    while True:
        number += 1
        yield f"{name}_{number}"


def duplicate_message(renamed: Mapping[str, str]) -> str:
    """The finding for the sender about repeated names."""
    return wording("headers_repeated", headers="、".join(dict.fromkeys(renamed.values())), names="、".join(renamed))


@dataclass(frozen=True)
class Matched:
    """Field → position in the header; and fields that several columns match, with the names of these."""

    places: dict[str, int] = field(default_factory=dict)
    doubtful: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Names:
    """Positions of names in a header, exact and alike; columns from `own` on are not columns of the file itself."""

    own: int
    exact: dict[str, int] = field(default_factory=dict)
    alike: dict[str, list[int]] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, header: Sequence[str | None], own: int) -> "_Names":
        """The names of a header."""
        names = cls(own)
        for index, name in enumerate(header):
            if name:
                names.exact.setdefault(name, index)
                names.alike.setdefault(header_key(name), []).append(index)
        return names

    def claim(self, fields: Sequence[Field]) -> None:
        """Reserve the columns that match a field exactly."""
        for declared in fields:
            first = next((header for header in declared.accepted_headers() if self.columns(header)), "")
            self.claimed.update([self.exact[first]] if first in self.exact else [])

    def columns(self, name: str) -> list[int]:
        """The column of exactly that name; else those alike that are not reserved, the file's own first."""
        if name in self.exact:
            return [self.exact[name]]
        free = [index for index in self.alike.get(header_key(name), ()) if index not in self.claimed]
        return [index for index in free if index < self.own] or free


def match(header: Sequence[str | None], own: int, fields: Sequence[Field]) -> Matched:
    """Positions of the fields. A column that matches one field exactly matches no other field by likeness.

    So `Code` and `code` each get their own column; likeness decides only where exactly one column is alike.
    """
    names = _Names.of(header, own)
    matched = Matched({f.name: p - 1 for f in fields if (p := f.source.position) is not None and p <= own})
    by_name = [f for f in fields if f.source.position is None]
    names.claim(by_name)
    for f in by_name:
        columns = next(filter(None, map(names.columns, f.accepted_headers())), [])
        if len(columns) == 1:
            matched.places[f.name] = columns[0]
        elif columns:
            matched.doubtful[f.name] = tuple(map(str, itemgetter(*columns)(header)))
    return matched
