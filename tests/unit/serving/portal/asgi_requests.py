"""Requests as a server hands them to the portal, one message at a time: what is read of them can be counted."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp


@dataclass
class Asked:
    """One request with its answer. `body` gives the chunks; after the last one the sender is silent."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()
    query: str = ""
    client: str = "127.0.0.1"
    read: int = 0
    asked: int = 0
    status: int = 0
    answer: bytes = b""
    sent: dict[str, str] = field(default_factory=dict)

    def scope(self) -> dict[str, Any]:
        named = {"host": "portal.test", **self.headers}
        return {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "root_path": "",
            "method": self.method, "path": self.path, "raw_path": self.path.encode(), "query_string": self.query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in named.items()],
            "client": (self.client, 1), "server": ("portal.test", 80),
        }  # fmt: skip

    async def run(self, app: ASGIApp, silence: Any = None) -> "Asked":
        """The same with the application's answer; `silence` is awaited where the body ends without its end."""
        chunks = iter(self.body)

        async def receive() -> Any:
            self.asked += 1
            chunk = next(chunks, None)
            if chunk is None:
                if silence is None:
                    return {"type": "http.request", "body": b"", "more_body": False}
                await silence()
            self.read += len(chunk or b"")
            return {"type": "http.request", "body": chunk, "more_body": True}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.sent = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
            self.answer += message.get("body", b"")

        await app(self.scope(), receive, send)
        return self


def routes(app: Any) -> Iterator[Any]:
    """Routes, also of routers that were included."""
    waiting = list(app.routes)
    while waiting:
        one = waiting.pop()
        inner = getattr(one, "original_router", None)
        if inner is not None:
            waiting.extend(inner.routes)
        if getattr(one, "path", None):
            yield one


def addresses(app: FastAPI) -> set[tuple[str, str]]:
    """Every method and address of the application, with something in each placeholder."""
    return {
        (method, re.sub(r"\{\w+(:\w+)?\}", "1", one.path))
        for one in routes(app)
        for method in getattr(one, "methods", None) or ()
    }
