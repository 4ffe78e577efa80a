"""The encoding in which a file holds the headers of its contract: of a few bytes, no other guess is as sure."""

from collections.abc import Iterable
from pathlib import Path

from jobs.contracts import Layout
from jobs.ingest.encoding import HEAD_BYTES, detect
from jobs.ingest.notes import FileNotes, Notes

CODECS = ("utf-8", "gb18030", "big5")


def encoding_by_headers(path: Path, layout: Layout, headers: Iterable[str]) -> str:
    """The codec under which more of the headers are at the file's beginning than under the one that it is read with; else empty."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    words = {header for header in headers if not header.isascii()}
    found = {codec: sum(_encoded(word, codec) in head for word in words) for codec in CODECS}
    best = max(CODECS, key=found.__getitem__)
    taken = detect(path, layout.encoding, FileNotes(path.name, Notes())).name
    return best if found[best] > found.get(taken, 0) else ""


def _encoded(word: str, codec: str) -> bytes:
    """The word's bytes; some that no text has where the codec cannot write it."""
    try:
        return word.encode(codec)
    except UnicodeEncodeError:
        return b"\0\0\0\0"
