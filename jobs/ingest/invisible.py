"""Characters that nobody sees and that make equal values differ: marks of direction, soft hyphens, letters with loose accents."""

import re

import pyarrow as pa
import pyarrow.compute as pc

from jobs.ingest.grid import Chunk
from jobs.ingest.notes import FileNotes
from jobs.ingest.wordings import wording

PATTERN = "[\u00ad\u200e\u200f\u202a-\u202e\u2060-\u2064\u0300-\u036f]"
BYTES = re.compile(rb"\xc2\xad|\xe2\x80[\x8e\x8f\xaa-\xae]|\xe2\x81[\xa0-\xa4]|\xcc[\x80-\xbf]|\xcd[\x80-\xaf]")
LEADS = (b"\xc2\xad", b"\xe2\x80", b"\xe2\x81", b"\xcc", b"\xcd")
"""How these characters begin in UTF-8: looked for first, which is faster than the expression."""


def occurs(text: bytes, data: bytes) -> bool:
    """Whether data has a text; where it does not even have its first byte, this is several times faster than `in`."""
    return text[:1] in data and text in data


def has_invisible(data: bytes) -> bool:
    """Whether a text in UTF-8 has such characters."""
    return any(occurs(lead, data) for lead in LEADS) and BYTES.search(data) is not None


def note_invisible(chunk: Chunk, notes: FileNotes) -> None:
    """Add the rows with such characters to the findings."""
    found = pa.repeat(False, len(chunk))
    for cell in chunk.cells:
        found = pc.or_(found, pc.match_substring_regex(cell, PATTERN).fill_null(False))
    notes.count("characters_invisible", wording("characters_invisible"), chunk.rows.filter(found).to_pylist())
