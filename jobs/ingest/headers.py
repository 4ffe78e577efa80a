"""Names of columns as they stand in a file: joined from levels, told apart, matched to fields, made names in bronze."""

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
    """What is compared of a header: full or half width, case and white space do not matter."""
    return " ".join(unicodedata.normalize("NFKC", header).casefold().split())


def column_name(header: str, position: int) -> str:
    """A bronze name for an extra column: letters, digits, Chinese and `_`; `column_<n>` for a blank header.

    It never begins with `_`: such names are the lake's own.
    """
    return NOT_A_NAME.sub("_", header_key(header)).strip("_") or f"column_{position}"


def joined_header(levels: Sequence[Sequence[str]], width: int, fill: bool) -> tuple[str, ...]:
    """Header rows as one: levels joined by `/`, equal neighbours once; `fill`: upper levels reach to the right."""
    clean = [[" ".join(cell.split()) for cell in level] + [""] * (width - len(level)) for level in levels]
    if fill:
        for level in clean[:-1]:
            for index in range(1, width):
                level[index] = level[index] or level[index - 1]
    columns = zip(*clean, strict=True) if clean else [()] * width
    return tuple("/".join(part for part, _ in groupby(filter(None, column))) for column in columns)


def distinct_header(header: Sequence[str | None]) -> tuple[tuple[str | None, ...], Mapping[str, str]]:
    """The header with a suffix where a name stands again, and new name → the name that stood there.

    A suffix that another column has already, as in 备注, 备注, 备注_2, is passed over.
    """
    taken = {header_key(name) for name in header if name}
    seen: set[str] = set()
    names: list[str | None] = []
    again: dict[str, str] = {}
    for name in header:
        if name and name in seen:
            new = next(one for one in suffixed(name) if header_key(one) not in taken)
            taken.add(header_key(new))
            again[new] = name
            names.append(new)
        else:
            names.append(name)
            seen.add(name or "")
    return tuple(names), again


def suffixed(name: str) -> Iterator[str]:
    """name_2, name_3, …"""
    number = 1
    while True:
        number += 1
        yield f"{name}_{number}"


def duplicate_words(again: Mapping[str, str]) -> str:
    """What the sender is told of names that stand more than once."""
    return wording("headers_repeated", headers="、".join(dict.fromkeys(again.values())), names="、".join(again))


@dataclass(frozen=True)
class Matched:
    """Field → place in the header; and fields that several columns could fill, with the names of these."""

    places: dict[str, int] = field(default_factory=dict)
    doubtful: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Names:
    """Where names stand in a file: to the letter, or in likeness; columns from `own` on are no columns of the file itself."""

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
        """Keep the columns that fields name to the letter from any other field."""
        for one in fields:
            first = next((header for header in one.headers() if self.columns(header)), "")
            self.claimed.update([self.exact[first]] if first in self.exact else [])

    def columns(self, name: str) -> list[int]:
        """The column that has the very name; else those like it that are no other field's, the file's own first."""
        if name in self.exact:
            return [self.exact[name]]
        free = [index for index in self.alike.get(header_key(name), ()) if index not in self.claimed]
        return [index for index in free if index < self.own] or free


def match(header: Sequence[str | None], own: int, fields: Sequence[Field]) -> Matched:
    """Where the fields stand. A column that one field names to the letter is no other field's by likeness.

    So `Code` and `code` each keep their own; likeness decides only where one column alone is like the field's header.
    """
    names = _Names.of(header, own)
    found = Matched({f.name: p - 1 for f in fields if (p := f.source.position) is not None and p <= own})
    by_name = [f for f in fields if f.source.position is None]
    names.claim(by_name)
    for f in by_name:
        columns = next(filter(None, map(names.columns, f.headers())), [])
        if len(columns) == 1:
            found.places[f.name] = columns[0]
        elif columns:
            found.doubtful[f.name] = tuple(map(str, itemgetter(*columns)(header)))
    return found
