"""Parts of a bulletin's pages, for any output format: lines of a kind, tables, and page breaks."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "notice", "masthead", "number", "title", "salute", "h1", "h2", "para", "attachment", "signature", "caption",
    "annex", "annex_title", "note", "imprint",
]  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A paragraph; its kind sets font, position and indent."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Grid:
    """A table; `widths` are shares of the line, `numeric` the right-aligned columns."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True)
class NewPage:
    """A page break."""


Block = Line | Grid | NewPage


def grid(
    head: tuple[str, ...], rows: Iterable[tuple[str, ...]], widths: tuple[int, ...], numeric: Iterable[int] = ()
) -> Grid:
    """A table from rows of cells."""
    return Grid(head, tuple(rows), widths, frozenset(numeric))
