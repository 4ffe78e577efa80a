"""What a delivered file really is, by its first bytes rather than its name."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jobs.ingest.notes import FileNotes

Kind = Literal["excel", "parquet", "zip", "gz", "text"]

# Not puremagic: short signatures make it take text for something else (a csv whose header begins with BM for a picture, with
# MZ for a program), and it does not tell an encrypted workbook or a web page saved as xls from the real thing.
OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FOREIGN = {
    b"%PDF": "是 PDF，不能入湖；请导出为 csv 或 xlsx 后重新报送",
    b"Rar!": "是 RAR 压缩包；请改用 zip 压缩后重新报送",
    b"7z\xbc\xaf": "是 7z 压缩包；请改用 zip 压缩后重新报送",
    b"BZh": "是 bzip2 压缩包；请改用 zip 或 gz 压缩后重新报送",
    b"\xfd7zXZ": "是 xz 压缩包；请改用 zip 或 gz 压缩后重新报送",
    b"\x89PNG": "是图片，不是数据文件；请导出为 csv 或 xlsx 后重新报送",
    b"\xff\xd8\xff": "是图片，不是数据文件；请导出为 csv 或 xlsx 后重新报送",
}
ENCRYPTED = "已加密；请去掉打开密码后重新报送"
ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
TAR_MAGIC_AT = 257


@dataclass(frozen=True)
class LocalFile:
    """A file on local disk under the name it was delivered with."""

    name: str
    path: Path


def kind_of(path: Path, notes: FileNotes) -> Kind:
    """The file's kind; DeliveryError with a remedy for what can never be read, and for an empty file."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        if path.stat().st_size <= len(head):
            raise notes.error("为空，没有任何内容；请重新导出后报送")
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
    for magic, remedy in FOREIGN.items():
        if head.startswith(magic):
            raise notes.error(remedy)
    if head[TAR_MAGIC_AT : TAR_MAGIC_AT + 5] == b"ustar":
        raise notes.error("是 tar 包；请改用 zip 压缩后重新报送")
    _refuse_markup(head, notes)


def _ole2(path: Path, notes: FileNotes) -> Kind:
    content = path.read_bytes()
    if ENCRYPTED_STREAM in content:
        raise notes.error(ENCRYPTED)
    return "excel"


def _zip(path: Path, notes: FileNotes) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and b"opendocument.spreadsheet" in archive.read("mimetype"):
                return "excel"
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise notes.error("已损坏或没有传完（压缩结构不完整）；请重新导出、核对大小后再报送") from error
    if "[Content_Types].xml" not in names:
        return "zip"
    if not any(name.startswith("xl/") for name in names):
        raise notes.error("是 Word 或 PowerPoint 文档，不是数据表；请导出为 xlsx 或 csv 后重新报送")
    return "excel"


def _refuse_markup(head: bytes, notes: FileNotes) -> None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1024].lower()
    if not start.startswith(b"<"):
        return
    if b"urn:schemas-microsoft-com:office:spreadsheet" in head.lower():
        raise notes.error("是 XML 电子表格（2003），不是 xls；请用 Excel 打开后另存为 xlsx 再报送")
    if any(tag in start for tag in (b"<html", b"<table", b"<!doctype html", b"<meta")):
        raise notes.error("是网页（HTML）另存的表格，不是真正的 Excel 或 csv；请用 Excel 打开后另存为 xlsx 再报送")


def looks_like_json(path: Path) -> bool:
    """Whether the text begins as a JSON document does."""
    with path.open("rb") as stream:
        head = stream.read(256).lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith((b"{", b"[{", b"[\n", b"[\r", b"[ "))
