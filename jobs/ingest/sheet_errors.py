"""Error cells (#N/A, #DIV/0!) of an xlsx sheet, which the reader leaves empty."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

ERROR_CELL = re.compile(rb'<(?:\w+:)?c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+)(\d+)"[^>]*>(.*?)</(?:\w+:)?c>', re.S)
ERROR_TEXT = re.compile(rb"<(?:\w+:)?v>([^<]*)</")
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def error_cells(path: Path, sheet: str) -> Mapping[tuple[int, int], str]:
    """(row, column) from 0 → the error's text; empty for xls, which keeps errors where this cannot look."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        member = _member(archive, sheet)
        content = archive.read(member) if member else b""
    if b't="e"' not in content:
        return {}
    found = {}
    for letters, row, inner in ERROR_CELL.findall(content):
        text = ERROR_TEXT.search(inner)
        if text:
            found[int(row) - 1, _column(letters)] = text.group(1).decode()
    return found


def _member(archive: zipfile.ZipFile, sheet: str) -> str | None:
    try:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    except (KeyError, ElementTree.ParseError):
        return None
    wanted = {e.get(RELATION) for e in book.iter() if e.tag.endswith("}sheet") and e.get("name") == sheet}
    for relation in relations:
        if relation.get("Id") in wanted:
            target = (relation.get("Target") or "").lstrip("/")
            name = target if target.startswith("xl/") else f"xl/{target}"
            return name if name in archive.namelist() else None
    return None


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
