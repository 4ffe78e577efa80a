"""Templates, and the table type that all pages use."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Link:
    """A cell with a link; `href` is relative."""

    text: str
    href: str


@dataclass(frozen=True)
class Links:
    """A cell with several links."""

    links: tuple[Link, ...]


@dataclass(frozen=True)
class Badge:
    """A cell that shows a state by word, mark and tone."""

    text: str
    mark: str
    tone: str


Cell = str | Link | Links | Badge


@dataclass(frozen=True)
class Table:
    """A table with a caption; `numeric` are the right-aligned columns."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()


def table(caption: str, head: tuple[str, ...], rows: Iterable[tuple[Cell, ...]], numeric: Iterable[int] = ()) -> Table:
    """A table from rows of cells."""
    return Table(caption, head, tuple(rows), frozenset(numeric))


def render(template: str, **view: object) -> str:
    """The page as HTML."""
    return _environment().get_template(template).render(**view)


def compile_templates() -> None:
    """Compile every page's template, for a process whose forks render them."""
    for name in _environment().list_templates(extensions=["html"]):
        _environment().get_template(name)


@lru_cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.tests["link"] = lambda cell: isinstance(cell, Link)
    environment.tests["links"] = lambda cell: isinstance(cell, Links)
    environment.tests["badge"] = lambda cell: isinstance(cell, Badge)
    return environment
