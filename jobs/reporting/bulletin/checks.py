"""A bulletin's numbers beside those found again from what it cites, and its pages beside its document."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jobs.reporting.bulletin.blocks import blocks
from jobs.reporting.bulletin.styles import Fonts
from jobs.reporting.delivery.recompute import Check, Document

SECTIONS = ("period", "sources", "figures", "departments", "exempt", "cases", "tickets", "batches", "demands")
WORDS = frozenset(("title", "department", "message", "sample", "label", "source", "who", "formula"))
"""Names and sentences, which contracts may change later; they are no numbers."""
NAMES = ("id", "name", "ticket", "provider")


def bulletin_checks(document: Document, again: Document) -> Iterator[Check]:
    """Every number, id and day of the document, against the same of the one that was made again."""
    for section in SECTIONS:
        if section == "demands" and document["basis"]["calendar"] != again["basis"]["calendar"]:
            continue  # days that were counted by another calendar
        yield from _compared(section, document[section], again[section], _source(document, section))


def file_check(file: Path, document: Document, fonts: Fonts) -> Check:
    """Whether a PDF or Word file says what its document says."""
    from jobs.reporting.bulletin.pdf import write_pdf  # a second to import, wanted for bulletins alone
    from jobs.reporting.bulletin.word import write_word

    with TemporaryDirectory(prefix="lake-bulletin-") as folder:
        fresh, made = Path(folder) / file.name, blocks(document)
        if file.suffix == ".pdf":
            write_pdf(made, fresh, fonts)
        else:
            write_word(made, fresh)
        return Check(f"text of {file.name}", _text_hash(file), _text_hash(fresh), "the JSON document, written anew")


def _compared(path: str, told: Any, found: Any, source: str) -> Iterator[Check]:
    if isinstance(told, Mapping) and isinstance(found, Mapping):
        origin = str(told.get("source", source))
        for key in sorted({*told, *found} - WORDS):
            yield from _compared(f"{path}.{key}", told.get(key), found.get(key), origin)
    elif _is_named(told) and _is_named(found):
        one, other = _named(told), _named(found)
        for key in sorted({*one, *other}):
            yield from _compared(f"{path}.{key}", one.get(key), other.get(key), source)
    else:
        yield Check(path, _plain(told), _plain(found), source)


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, Mapping) for one in value)


def _named(found: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Entries of a list by what names them, or by their place."""
    made: dict[str, Mapping[str, Any]] = {}
    for place, one in enumerate(found, 1):
        name = next((str(one[key]) for key in NAMES if key in one), str(place))
        made[name if name not in made else f"{name}.{place}"] = one
    return made


def _plain(value: Any) -> Any:
    """Lists as JSON has them; a mapping that stands beside nothing, as whether it is there."""
    if isinstance(value, Mapping):
        return "there"
    return list(value) if isinstance(value, tuple | list) else value


def _source(document: Document, section: str) -> str:
    origin = {"batches": "verdicts", "tickets": "events", "cases": "events", "exempt": "events"}.get(section)
    told = document["sources"].get(origin, {}) if origin else {}
    return " ".join(f"{key} {value}" for key, value in told.items()) or "all sources"


def _text_hash(file: Path) -> str:
    """SHA-256 of a file's text, blanks left out."""
    return hashlib.sha256(re.sub(r"\s", "", file_text(file)).encode()).hexdigest()


def file_text(file: Path) -> str:
    """The text of a PDF or Word file, in the order of its pages."""
    import docx
    from pypdfium2 import PdfDocument

    if file.suffix == ".pdf":
        with PdfDocument(file) as pages:
            return "\n".join(page.get_textpage().get_text_range() for page in pages)
    body = docx.Document(str(file)).element.body
    return "\n".join(node.text or "" for node in body.iter() if node.tag.endswith("}t"))
