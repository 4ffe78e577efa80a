"""Checks of a bulletin: its numbers against those recomputed from its sources, its pages against its document."""

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
"""Names and sentences, not numbers; contracts may change them later."""
NAMES = ("id", "name", "ticket", "provider")


def bulletin_checks(document: Document, recomputed: Document) -> Iterator[Check]:
    """Every number, id and day of the document, against the recomputed document."""
    for section in SECTIONS:
        if section == "demands" and document["basis"]["calendar"] != recomputed["basis"]["calendar"]:
            continue  # the days come from another calendar
        yield from _compared(section, document[section], recomputed[section], _source(document, section))


def file_check(file: Path, document: Document, fonts: Fonts) -> Check:
    """Whether a PDF or Word file has the text of its document."""
    from jobs.reporting.bulletin.pdf import write_pdf  # takes a second to import, needed for bulletins only
    from jobs.reporting.bulletin.word import write_word

    with TemporaryDirectory(prefix="lake-bulletin-") as folder:
        rendered, parts = Path(folder) / file.name, blocks(document)
        if file.suffix == ".pdf":
            write_pdf(parts, rendered, fonts)
        else:
            write_word(parts, rendered)
        return Check(
            f"text of {file.name}", _text_hash(file), _text_hash(rendered), "the JSON document, rendered again"
        )


def _compared(path: str, reported: Any, recomputed: Any, source: str) -> Iterator[Check]:
    if isinstance(reported, Mapping) and isinstance(recomputed, Mapping):
        origin = str(reported.get("source", source))
        for key in sorted({*reported, *recomputed} - WORDS):
            yield from _compared(f"{path}.{key}", reported.get(key), recomputed.get(key), origin)
    elif _is_named(reported) and _is_named(recomputed):
        reported_entries, recomputed_entries = _named(reported), _named(recomputed)
        for key in sorted({*reported_entries, *recomputed_entries}):
            yield from _compared(f"{path}.{key}", reported_entries.get(key), recomputed_entries.get(key), source)
    else:
        yield Check(path, _plain(reported), _plain(recomputed), source)


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, Mapping) for entry in value)


def _named(entries: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Entries of a list by their name or id, or by their place."""
    by_name: dict[str, Mapping[str, Any]] = {}
    for place, entry in enumerate(entries, 1):
        name = next((str(entry[key]) for key in NAMES if key in entry), str(place))
        by_name[name if name not in by_name else f"{name}.{place}"] = entry
    return by_name


def _plain(value: Any) -> Any:
    """Lists as in JSON; a mapping without a counterpart, as whether it exists."""
    if isinstance(value, Mapping):
        return "there"
    return list(value) if isinstance(value, tuple | list) else value


def _source(document: Document, section: str) -> str:
    origin = {"batches": "verdicts", "tickets": "events", "cases": "events", "exempt": "events"}.get(section)
    source = document["sources"].get(origin, {}) if origin else {}
    return " ".join(f"{key} {value}" for key, value in source.items()) or "all sources"


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
