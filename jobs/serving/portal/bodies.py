"""Request bodies: limits of size by path, and of time."""

import asyncio
import re
from collections.abc import Iterable

from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive

from jobs.errors import LakeError
from jobs.serving.portal import uploads
from jobs.serving.portal.multipart import TooLarge

MOST_BYTES = 1 << 20
LOGIN, LOGIN_BYTES = "/login", 16 << 10
"""Without a login, only this path accepts a body, of at most this size."""

UPLOAD, FILES = "/uploads", re.compile(r"/tickets/[^/]+/answer|/catalogue|/catalogue/exchange")
"""Paths of forms with a file: a delivery, and smaller files."""
SILENCE_S = 30.0
"""Longest pause of a sender."""

GRACE_S, LEAST_BYTES_S = 60.0, 8 << 10
"""Time for a whole body, plus a second for each so many bytes received."""


class TooSlow(LakeError):
    """A body arrives too slowly."""


class NoBody:
    """The body of a request whose method has none: empty, regardless of what is sent."""

    is_broken = False

    def __init__(self) -> None:
        self._is_sent = False

    async def receive(self) -> Message:
        """An empty body; later calls wait."""
        if self._is_sent:
            await asyncio.get_running_loop().create_future()
        self._is_sent = True
        return {"type": "http.request", "body": b"", "more_body": False}


class BoundedBody:
    """The body of one request, which replaces the server's: raises TooLarge or TooSlow."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive, self._limit = receive, limit
        self._read, self._waited_s, self._is_whole = 0, 0.0, False
        self.is_broken = False
        """The rest is not read, so the connection cannot be reused."""

    async def receive(self) -> Message:
        """The server's next message."""
        if self._is_whole:
            return await self._receive()
        message = await self._next()
        self._read += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._read > self._limit:
            self.is_broken = True
            raise TooLarge(f"提交的内容超过 {self._limit >> 20:,} MiB；请拆分后再提交")
        return message

    async def _next(self) -> Message:
        loop = asyncio.get_running_loop()
        began = loop.time()
        left_s = GRACE_S + self._read / LEAST_BYTES_S - self._waited_s
        try:
            async with asyncio.timeout(min(SILENCE_S, left_s)):
                message = await self._receive()
        except TimeoutError as error:
            self.is_broken = True
            raise TooSlow("提交超时：网络过慢或已中断；请检查网络后重新提交") from error
        self._waited_s += loop.time() - began
        return message


def limit_of(path: str, upload_mib: int) -> int:
    """Largest body in bytes at a path."""
    if path == UPLOAD:
        return (upload_mib << 20) + uploads.AROUND
    if FILES.fullmatch(path):
        return uploads.ANSWER_BYTES + uploads.AROUND
    return LOGIN_BYTES if path == LOGIN else MOST_BYTES


def refused_length(headers: Iterable[tuple[bytes, bytes]], path: str, limit: int) -> PlainTextResponse | None:
    """The refusal of a body whose declared length is too large, or missing where no file is uploaded."""
    named = dict(headers)
    takes_file = path == UPLOAD or FILES.fullmatch(path)
    if takes_file:
        return None  # their own answer, in the form, says what to do
    if b"transfer-encoding" in named:
        return PlainTextResponse("请求须注明长度", 411)
    length = named.get(b"content-length", b"0")
    if not length.isdigit() or len(length) > 18 or int(length) > limit:
        return PlainTextResponse("提交的内容过长", 413)
    return None
