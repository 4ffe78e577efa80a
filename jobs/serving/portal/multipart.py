"""A form with a file, read as it comes: memory use does not grow with the file."""

import re
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from jobs.errors import LakeError, UserError
from jobs.serving.portal.authentication import InvalidForm

MOST_FIELD = 16 * 1024
MOST_NAME, MOST_NAME_BYTES = 100, 200
"""File systems keep names of 255 bytes, and object stores on them add marks of their own."""

ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xls", ".json", ".jsonl", ".ndjson", ".zip", ".gz", ".parquet")
ZIP, OLE2 = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
HEADS = {
    ".xlsx": (ZIP, OLE2),
    ".zip": (ZIP, b"PK\x05\x06"),
    ".xls": (OLE2, ZIP),
    ".gz": (b"\x1f\x8b",),
    ".parquet": (b"PAR1",),
}
FOREIGN = (
    b"MZ",
    b"\x7fELF",
    b"%PDF",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"#!",
    ZIP,
    OLE2,
    b"\x1f\x8b",
)
UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]')


class TooLarge(LakeError):
    """A file is larger than the portal accepts."""


class WrongKind(UserError):
    """A file of a kind that the lake does not read."""


@dataclass(frozen=True)
class FieldPart:
    """A field of the form, whole."""

    name: str
    value: str


@dataclass(frozen=True)
class FileStart:
    """A file begins; `name` is as the sender gave it."""

    name: str


@dataclass(frozen=True)
class FileEnd:
    """The file is whole."""


Part = FieldPart | FileStart | FileEnd | bytes


@dataclass
class _Parsed:
    """The parser's results since the last read; bytes belong to the file."""

    parts: list[Part] = field(default_factory=list)
    header: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    value: bytearray = field(default_factory=bytearray)
    name: str = ""
    is_file: bool = False
    is_whole: bool = False

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._begin,
            "on_header_begin": self._header_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._whole,
        }

    def _begin(self) -> None:
        self.headers, self.value = {}, bytearray()

    def _header_begin(self) -> None:
        self.header = b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self.header += data[start:end].lower()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self.headers[self.header] = self.headers.get(self.header, b"") + data[start:end]

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        self.name, self.is_file = options.get(b"name", b"").decode("utf-8", "replace"), b"filename" in options
        if self.is_file:
            self.parts.append(FileStart(options[b"filename"].decode("utf-8", "replace")))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self.is_file:
            self.parts.append(data[start:end])
            return
        self.value += data[start:end]
        if len(self.value) > MOST_FIELD:
            raise InvalidForm(f"「{self.name[:40]}」过长")

    def _end(self) -> None:
        self.parts.append(
            FileEnd()
            if self.is_file
            else FieldPart(self.name, self.value.decode("utf-8", "replace").replace("\x00", ""))
        )

    def _whole(self) -> None:
        self.is_whole = True


async def parts(stream: AsyncIterator[bytes], content_type: str) -> AsyncIterator[Part]:
    """The form's parts in their order; InvalidForm where it is incomplete or not multipart."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise InvalidForm("请通过上传页面选择文件后提交")
    parsed = _Parsed()
    try:
        parser = MultipartParser(options[b"boundary"], parsed.callbacks())  # type: ignore[arg-type]
        async for chunk in stream:
            parser.write(chunk)
            for part in parsed.parts:
                yield part
            parsed.parts.clear()
    except FormParserError as error:
        raise InvalidForm("上传的内容不完整，请重新选择文件后提交") from error
    if not parsed.is_whole:
        raise InvalidForm("上传中断，文件没有收下；请重新上传")


def safe_name(name: str) -> str:
    """The file's name without folders, unseen characters and what file systems refuse; WrongKind by its ending."""
    bare = UNSAFE.sub("", unicodedata.normalize("NFC", name)).replace("\\", "/").rsplit("/", 1)[-1].strip().rstrip(" .")
    ending = next((e for e in ENDINGS if bare.lower().endswith(e)), "")
    if not ending or bare.lower().endswith(".manifest.json"):
        raise WrongKind(f"不接收这种文件；请上传 {'、'.join(ENDINGS)} 文件")
    stem = bare[: -len(ending)].lstrip("._ ")[: MOST_NAME - len(ending)]
    kept = stem.encode(errors="ignore")[: MOST_NAME_BYTES - len(ending)].decode(errors="ignore")
    return (kept or "upload") + bare[-len(ending) :]


def check_head(name: str, head: bytes) -> None:
    """WrongKind where the first bytes are not of the kind that the name says; the content is checked by the reader."""
    ending = next(e for e in ENDINGS if name.lower().endswith(e))
    if not head:
        raise WrongKind("文件是空的；请核对后重新上传")
    signatures = HEADS.get(ending)
    if signatures and not head.startswith(signatures):
        raise WrongKind(f"文件内容不是 {ending} 格式；请勿改后缀，按原格式导出后上传")
    if not signatures and head.startswith(FOREIGN):
        raise WrongKind(f"文件内容不是 {ending} 文本；请按原格式导出后上传")
