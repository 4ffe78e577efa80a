"""The kind of a delivered file, by its first bytes rather than its name."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jobs.ingest.notes import FileNotes
from jobs.ingest.wordings import wording

Kind = Literal["excel", "parquet", "zip", "gz", "text"]

# Not puremagic: its short signatures misread text (a csv whose header begins with BM as a picture, with MZ as a program), and it
# does not distinguish an encrypted workbook or a web page saved as xls from a real workbook.
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FOREIGN = {  # first bytes → key of the wording
    b"%PDF": "is_pdf",
    b"Rar!": "is_rar",
    b"7z\xbc\xaf": "is_7z",
    b"BZh": "is_bzip2",
    b"\xfd7zXZ": "is_xz",
    b"\x89PNG": "is_image",
    b"\xff\xd8\xff": "is_image",
}
ENCRYPTED = "encrypted"
ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
TAR_MAGIC_AT = 257


@dataclass(frozen=True)
class LocalFile:
    """A file on local disk, with the name under which it was delivered."""

    name: str
    path: Path


def files_below(folder: Path) -> list[tuple[str, Path]]:
    """All files of a folder and its folders, by their paths in it; hidden ones and those of spreadsheets in use are not."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    named = [(path.relative_to(folder).as_posix(), path) for path in found]
    return [(name, path) for name, path in named if not any(p.startswith((".", "~$")) for p in name.split("/"))]


def kind_of(path: Path, notes: FileNotes) -> Kind:
    """The file's kind; DeliveryError with a remedy for unreadable kinds and empty files."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        if path.stat().st_size <= len(head):
            raise notes.error(wording("file_empty"))
        return "text"
    _refuse_foreign(head, notes)
    if head.startswith(OLE2):
        return _ole2(path, notes)
    if head.startswith(b"PK"):
        return _zip(path, notes)
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    return "parquet" if head.startswith(b"PAR1") else "text"


def _refuse_foreign(head: bytes, notes: FileNotes) -> None:
    for magic, key in FOREIGN.items():
        if head.startswith(magic):
            raise notes.error(wording(key))
    if head[TAR_MAGIC_AT : TAR_MAGIC_AT + 5] == b"ustar":
        raise notes.error(wording("is_tar"))
    _refuse_markup(head, notes)


def _ole2(path: Path, notes: FileNotes) -> Kind:
    content = path.read_bytes()
    if ENCRYPTED_STREAM in content:
        raise notes.error(wording(ENCRYPTED))
    return "excel"


def _zip(path: Path, notes: FileNotes) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and b"opendocument.spreadsheet" in archive.read("mimetype"):
                return "excel"
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise notes.error(wording("zip_broken")) from error
    if "[Content_Types].xml" not in names:
        return "zip"
    if not any(name.startswith("xl/") for name in names):
        raise notes.error(wording("is_office_document"))
    return "excel"


def _refuse_markup(head: bytes, notes: FileNotes) -> None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1024].lower()
    if not start.startswith(b"<"):
        return
    if b"urn:schemas-microsoft-com:office:spreadsheet" in head.lower():
        raise notes.error(wording("is_xml_spreadsheet"))
    if any(tag in start for tag in (b"<html", b"<table", b"<!doctype html", b"<meta")):
        raise notes.error(wording("is_web_page"))


def looks_like_json(path: Path) -> bool:
    """Whether the text begins like a JSON document."""
    with path.open("rb") as stream:
        head = stream.read(256).lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith((b"{", b"[{", b"[\n", b"[\r", b"[ "))
