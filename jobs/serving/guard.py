"""What holds for every answer and request: security headers, and no large body but an upload's."""

from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1 << 20
UPLOADS = ("/uploads", "/answer")
"""Ends of the addresses that take a file; they watch its size themselves."""

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""For reports, whose styles stand inside them; scripts do not run in either."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, is_secure: bool) -> None:
        self._app, self._is_secure = app, is_secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), path)
            await send(message)

        if refusal := _unstorable(path, scope["query_string"]) or _too_large(scope["headers"], scope["method"], path):
            await refusal(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)

    def _add(self, headers: MutableHeaders, path: str) -> None:
        for name, value in HEADERS.items():
            headers[name] = value
        headers.setdefault("Content-Security-Policy", POLICY)
        headers.setdefault("Cache-Control", "max-age=3600" if path.startswith("/static/") else "no-store")
        if self._is_secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"


def _unstorable(path: str, query: bytes) -> PlainTextResponse | None:
    """The refusal of an address with a NUL, which no database keeps."""
    return PlainTextResponse("地址不对", 400) if "\x00" in path or b"%00" in query else None


def _too_large(headers: Iterable[tuple[bytes, bytes]], method: str, path: str) -> PlainTextResponse | None:
    """The refusal of a body that is too long, or does not say how long it is."""
    if method in ("GET", "HEAD", "OPTIONS") or path.endswith(UPLOADS):
        return None
    named = dict(headers)
    if b"transfer-encoding" in named:
        return PlainTextResponse("请求须注明长度", 411)
    length = named.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > MOST_BYTES:
        return PlainTextResponse("提交的内容过长", 413)
    return None
