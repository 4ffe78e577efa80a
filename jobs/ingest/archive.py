"""zip and gz → the files inside, within limits that stop a hostile archive."""

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol

from jobs.contracts import Layout
from jobs.ingest.kinds import LocalFile, kind_of
from jobs.ingest.notes import FileNotes, Notes
from jobs.ingest.wordings import wording

MAX_TOTAL_BYTES = 8 << 30
MAX_RATIO = 200
RATIO_COUNTS_FROM = 100 << 20
MAX_MEMBERS = 10_000
MAX_DEPTH = 2
COPY_BYTES = 1 << 20
UTF8_NAME = 0x800
ENCRYPTED = 0x1
SYSTEM_FILES = ("__MACOSX/", "/._", ".DS_Store", "Thumbs.db", "desktop.ini")


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass
class Opener:
    """Unpacks the files of a delivery into `scratch`; the limits apply to the delivery as a whole."""

    layout: Layout
    scratch: Path
    notes: Notes
    total: int = 0
    members: int = 0

    def open(self, file: LocalFile, depth: int = 0) -> Iterator[LocalFile]:
        """The data files in a file: the file itself unless it is an archive; members are named `archive.zip/member.csv`."""
        notes = FileNotes(file.name, self.notes)
        kind = kind_of(file.path, notes)
        if kind not in ("zip", "gz"):
            yield file
            return
        if depth >= MAX_DEPTH:
            raise notes.error(wording("archive_too_deep", most=MAX_DEPTH))
        inner = self._unzip(file, notes) if kind == "zip" else self._gunzip(file, notes)
        for member in inner:
            yield from self.open(member, depth + 1)

    def _unzip(self, file: LocalFile, notes: FileNotes) -> Iterator[LocalFile]:
        with zipfile.ZipFile(file.path) as archive:
            for info in archive.infolist():
                name = member_name(info)
                if info.is_dir() or any(part in name for part in SYSTEM_FILES):
                    continue
                if not self._is_selected(name):
                    notes.say(
                        "member_ignored",
                        wording("archive_member_skipped", name=name, files=self.layout.files),
                        member=name,
                    )
                    continue
                if info.flag_bits & ENCRYPTED:
                    raise notes.error(wording("archive_encrypted"))
                yield self._member(file, name, info, archive, notes)

    def _member(
        self, file: LocalFile, name: str, info: zipfile.ZipInfo, archive: zipfile.ZipFile, notes: FileNotes
    ) -> LocalFile:
        try:
            with archive.open(info) as stream:
                path = self._copy(stream, max(info.compress_size, 1), notes)
        # zipfile raises NotImplementedError for a compression method that it does not know, as damaged headers name one.
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise notes.error(wording("archive_member_broken", name=name)) from error
        return LocalFile(f"{file.name}/{name}", path)

    def _gunzip(self, file: LocalFile, notes: FileNotes) -> Iterator[LocalFile]:
        base = file.name.rsplit("/", 1)[-1]
        name = base[:-3] if base.lower().endswith(".gz") else base
        try:
            with gzip.open(file.path) as stream:
                path = self._copy(stream, file.path.stat().st_size, notes)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise notes.error(wording("archive_broken")) from error
        yield LocalFile(f"{file.name}/{name}", path)

    def _is_selected(self, name: str) -> bool:
        """Whether a member is read: nested archives always, since their members are matched instead."""
        if name.lower().endswith((".zip", ".gz")):
            return True
        return matches(name, self.layout.files)

    def _copy(self, stream: _Readable, packed_bytes: int, notes: FileNotes) -> Path:
        self.members += 1
        if self.members > MAX_MEMBERS:
            raise notes.error(wording("archive_too_many_files", most=MAX_MEMBERS))
        written = 0
        with tempfile.NamedTemporaryFile(dir=self.scratch, delete=False) as target:
            while block := stream.read(COPY_BYTES):
                written += len(block)
                self.total += len(block)
                if self.total > MAX_TOTAL_BYTES:
                    raise notes.error(wording("archive_too_large", most=MAX_TOTAL_BYTES >> 20))
                if written > RATIO_COUNTS_FROM and written > MAX_RATIO * packed_bytes:
                    raise notes.error(wording("archive_bomb", most=MAX_RATIO))
                target.write(block)
        return Path(target.name)


def matches(name: str, pattern: str) -> bool:
    """Whether a member's path, or its last part, matches the glob."""
    return fnmatch(name, pattern) or fnmatch(name.rsplit("/", 1)[-1], pattern)


def member_name(info: zipfile.ZipInfo) -> str:
    """The member's name; Chinese Windows writes GBK without the UTF-8 flag, other old tools UTF-8 without the flag."""
    if info.flag_bits & UTF8_NAME:
        return info.filename.replace("\\", "/")
    raw = info.orig_filename.encode("cp437", "replace")
    for codec in ("utf-8", "gb18030"):
        try:
            return raw.decode(codec).replace("\\", "/")
        except UnicodeDecodeError:
            continue
    return info.filename
