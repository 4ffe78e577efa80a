"""Messages of the protocol: read from and written to a connection."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

SSL, GSS, CANCEL, VERSION_3 = 80877103, 80877104, 80877102, 196608
MOST_STARTUP, MOST_MESSAGE = 10_000, 4 << 20


class ProtocolError(Exception):
    """The client does not speak the protocol; the connection ends."""


@dataclass
class Reader:
    """The fields of one message."""

    data: bytes
    at: int = 0

    def take(self, size: int) -> bytes:
        """The next bytes."""
        if size < 0 or self.at + size > len(self.data):
            raise ProtocolError("a message is cut")
        self.at += size
        return self.data[self.at - size : self.at]

    def int16(self) -> int:
        return int(struct.unpack("!h", self.take(2))[0])

    def int32(self) -> int:
        return int(struct.unpack("!i", self.take(4))[0])

    def text(self) -> str:
        """A text that ends with a zero byte."""
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise ProtocolError("a text has no end")
        raw = self.take(end - self.at)
        self.at += 1
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise ProtocolError("a text is not UTF-8") from error

    def value(self) -> bytes | None:
        """A value with its length; None for NULL."""
        size = self.int32()
        return None if size == -1 else self.take(size)


@dataclass
class Connection:
    """One client; `write` collects messages until they are flushed."""

    source: BinaryIO
    target: BinaryIO

    def startup(self) -> tuple[int, Reader]:
        """The first packet: its code, and its fields."""
        size = struct.unpack("!i", self._exactly(4))[0]
        if not 8 <= size <= MOST_STARTUP:
            raise ProtocolError("the first packet has no valid length")
        reader = Reader(self._exactly(size - 4))
        return reader.int32(), reader

    def read(self) -> tuple[str, Reader]:
        """The next message: its letter, and its fields; EOFError at the end."""
        head = self._exactly(5)
        size = struct.unpack("!i", head[1:])[0]
        if not 4 <= size <= MOST_MESSAGE:
            raise ProtocolError("a message has no valid length")
        return chr(head[0]), Reader(self._exactly(size - 4))

    def write(self, letter: str, *parts: bytes) -> None:
        """One message."""
        body = b"".join(parts)
        self.target.write(letter.encode() + struct.pack("!i", len(body) + 4) + body)

    def flush(self) -> None:
        self.target.flush()

    def ready(self, status: str = "I") -> None:
        """The server waits for the next query; everything that was written is sent."""
        self.write("Z", status.encode())
        self.flush()

    def report(self, letter: str, severity: str, code: str, message: str) -> None:
        """An error (E) or a notice (N)."""
        fields = (("S", severity), ("V", severity), ("C", code), ("M", message.replace("\0", "")))
        self.write(letter, *(name.encode() + text(value) for name, value in fields), b"\0")

    def _exactly(self, size: int) -> bytes:
        data = self.source.read(size)
        if data is None or len(data) < size:
            raise EOFError
        return data


def text(value: str) -> bytes:
    """A text that ends with a zero byte."""
    return value.encode() + b"\0"


def int16(value: int) -> bytes:
    return struct.pack("!h", value)


def int32(value: int) -> bytes:
    return struct.pack("!i", value)


def sized(value: bytes | None) -> bytes:
    """A value with its length; NULL for None."""
    return int32(-1) if value is None else int32(len(value)) + value


def formats(reader: Reader) -> list[int]:
    """Formats as messages list them: 0 is text, 1 is binary."""
    return [reader.int16() for _ in range(reader.int16())]


def format_at(listed: Sequence[int], place: int) -> int:
    """The format of a value: none listed means text, one means all."""
    if not listed:
        return 0
    return listed[0] if len(listed) == 1 else listed[place] if place < len(listed) else 0
