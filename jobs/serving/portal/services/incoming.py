"""A file on its way into the landing zone, and what its sender says of it."""

import hashlib
from dataclasses import dataclass, field

from jobs.contracts import Contract
from jobs.ingest.land import Manifest
from jobs.lake.store import PartUpload
from jobs.serving.portal.multipart import TooLarge, check_head

PART_BYTES = 8 << 20
HEAD_BYTES = 16


@dataclass(frozen=True)
class UploadDetails:
    """What the sender says of a file."""

    contract: Contract
    manifest: Manifest


@dataclass
class Incoming:
    """A file in upload to the landing zone; buffers less than a part and a chunk."""

    id: str
    letter: UploadDetails
    key: str
    upload: PartUpload
    limit: int
    size: int = 0
    waiting: bytearray = field(default_factory=bytearray)
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    is_checked: bool = False

    @property
    def name(self) -> str:
        return self.key.rsplit("/", 1)[-1]

    def take(self, data: bytes) -> bool:
        """Buffer bytes; True when a part is due to be sent. TooLarge, or WrongKind by the first bytes."""
        self.size += len(data)
        if self.size > self.limit:
            raise TooLarge(f"文件超过 {self.limit >> 20:,} MiB；请拆分或压缩后上传，或联系平台运维")
        self.digest.update(data)
        self.waiting += data
        if not self.is_checked and self.size >= HEAD_BYTES:
            self.check()
        return len(self.waiting) >= PART_BYTES

    def check(self) -> None:
        """WrongKind where the first bytes are not what the name says."""
        check_head(self.name, bytes(self.waiting[:HEAD_BYTES]))
        self.is_checked = True

    def send(self) -> None:
        """Upload the buffer as a part."""
        self.upload.put(bytes(self.waiting))
        self.waiting.clear()
