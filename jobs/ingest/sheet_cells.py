"""Cells of an xlsx sheet that the reader returns empty: errors (#N/A, #DIV/0!), and formulas that were never calculated."""

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

ERROR_CELL = re.compile(rb'<(?:\w+:)?c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)(\d+)"[^>]*>(.*?)</(?:\w+:)?c>', re.S)
ERROR_TEXT = re.compile(rb"<(?:\w+:)?v>([^<]*)</")
BARE_FORMULA = re.compile(
    rb"<(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
"""A formula without a cached value, up to the end of its cell."""
CELL_START = re.compile(rb"<(?:\w+:)?c\b[^>]*>")
REFERENCE = re.compile(rb'\br="([A-Z]+)(\d+)"')
EMPTY_TEXT = b't="str"'
"""A formula whose value is the empty text has this type."""
HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\b(?=[^>]*\bhidden="(?:1|true)")[^>]*\br="(\d+)"')
DATE_1904 = re.compile(rb'<(?:\w+:)?workbookPr\b[^>]*\bdate1904="(?:1|true)"')
BOOK = "xl/workbook.xml"
MOST_CELL_HEAD = 400
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
Cells = Mapping[tuple[int, int], str]
"""(row, column) from 0 → text."""


@dataclass(frozen=True)
class OddCells:
    """What the reader does not tell: texts of errors, formulas without a value, hidden rows, the date system; `unplaced` counts formulas in cells without a reference."""

    errors: Cells = field(default_factory=dict)
    formulas: Cells = field(default_factory=dict)
    unplaced: int = 0
    hidden_rows: tuple[int, ...] = ()
    """Rows, as Excel numbers them, that are hidden or filtered out of sight."""
    counts_from_1904: bool = False
    """Whether day 0 of the workbook is 1904-01-01."""


def odd_cells(path: Path, sheet: str) -> OddCells:
    """The sheet's odd cells; none for xls, a binary format that is not searched."""
    if not zipfile.is_zipfile(path):
        return OddCells()
    with zipfile.ZipFile(path) as archive:
        member = _member(archive, sheet)
        content = archive.read(member) if member else b""
        book = archive.read(BOOK) if BOOK in archive.namelist() else b""
    formulas, unplaced = _formulas(content)
    hidden = tuple(int(row) for row in HIDDEN_ROW.findall(content)) if b"hidden=" in content else ()
    return OddCells(_errors(content), formulas, unplaced, hidden, bool(DATE_1904.search(book)))


def _errors(content: bytes) -> Cells:
    errors: dict[tuple[int, int], str] = {}
    for letters, row, inner in ERROR_CELL.findall(content) if b't="e"' in content else ():
        text = ERROR_TEXT.search(inner)
        if text:
            errors[int(row) - 1, _column(letters)] = text.group(1).decode()
    return errors


def _formulas(content: bytes) -> tuple[Cells, int]:
    formulas: dict[tuple[int, int], str] = {}
    unplaced = 0
    for formula in BARE_FORMULA.finditer(content):
        heads = CELL_START.findall(content, max(formula.start() - MOST_CELL_HEAD, 0), formula.start())
        head = heads[-1] if heads else b""
        if EMPTY_TEXT in head:
            continue
        place = REFERENCE.search(head)
        if place is None:
            unplaced += 1
            continue
        text = unescape((formula.group(1) or b"").decode("utf-8", "replace"))
        formulas[int(place.group(2)) - 1, _column(place.group(1))] = f"={text}"
    return formulas, unplaced


def _member(archive: zipfile.ZipFile, sheet: str) -> str | None:
    try:
        book = ElementTree.fromstring(archive.read(BOOK))
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    except (KeyError, ElementTree.ParseError):
        return None
    relation_ids = {e.get(RELATION) for e in book.iter() if e.tag.endswith("}sheet") and e.get("name") == sheet}
    for relation in relations:
        if relation.get("Id") in relation_ids:
            target = (relation.get("Target") or "").lstrip("/")
            name = target if target.startswith("xl/") else f"xl/{target}"
            return name if name in archive.namelist() else None
    return None


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
