"""Checks on every request: host, origin, client, body size; security headers on every response."""

from collections.abc import Mapping

from fastapi import FastAPI
from fastapi.requests import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from jobs.serving.addresses import client_address, is_host, is_host_of
from jobs.serving.portal import error_handlers
from jobs.serving.portal.authentication import account_of
from jobs.serving.portal.bodies import LOGIN, BoundedBody, NoBody, limit_of, refused_length
from jobs.serving.portal.context import Portal

BODILESS = ("GET", "HEAD", "OPTIONS")
"""Methods whose bodies nobody reads."""

HEALTH = "/healthz"
"""Probed by the machine itself, under any host name."""

OWN_SITE = ("same-origin", "none", "")

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""For reports, whose styles are inline; scripts do not run in either."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityMiddleware:
    """An ASGI application around the portal's."""

    def __init__(self, app: FastAPI, portal: Portal) -> None:
        self._app, self._portal, self._settings = app, portal, portal.settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _texts(scope)
        peer = scope["client"][0] if scope.get("client") else ""
        forwarded = headers.get("x-forwarded-for", "").split(",")
        scope["client"] = (client_address(peer, forwarded, self._settings.portal_trusted_proxies), 0)
        limit = limit_of(scope["path"], self._settings.portal_upload_mib)
        body = NoBody() if scope["method"] in BODILESS else BoundedBody(receive, limit)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), scope["path"], body.is_broken)
            await send(message)

        refusal = self._refused(scope, headers, limit) or await self._refused_stranger(scope)
        await (refusal or self._app)(scope, body.receive, send_guarded)

    def _refused(self, scope: Scope, headers: Mapping[str, str], limit: int) -> Response | None:
        """The refusal of a request that is invalid for any sender."""
        path, host, url = scope["path"], headers.get("host", ""), self._settings.portal_public_url
        if "\x00" in path or b"%00" in scope["query_string"]:  # no database can store it
            return PlainTextResponse("地址不对", 400)
        if host and not is_host(host):
            return PlainTextResponse("主机名不对", 400)
        if url and path != HEALTH and not is_host_of(host, url):
            return PlainTextResponse(f"请从 {url} 访问", 421)
        if scope["method"] in BODILESS:
            return None
        if headers.get("sec-fetch-site", "") not in OWN_SITE:
            return PlainTextResponse("不接受其他网站提交的内容", 403)
        return refused_length(scope["headers"], path, limit)

    async def _refused_stranger(self, scope: Scope) -> Response | None:
        """The refusal of a request with a body but without a login, before the body is read."""
        if scope["method"] in BODILESS or scope["path"] == LOGIN:
            return None
        request = Request({**scope, "app": self._app})
        try:
            await run_in_threadpool(account_of, self._portal, request)
        except Exception as error:
            return await run_in_threadpool(error_handlers.answer_to, request, error)
        return None

    def _add(self, headers: MutableHeaders, path: str, is_last: bool) -> None:
        for name, value in HEADERS.items():
            headers[name] = value
        headers.setdefault("Content-Security-Policy", POLICY)
        headers.setdefault("Cache-Control", "max-age=3600" if path.startswith("/static/") else "no-store")
        if self._settings.portal_secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if is_last:
            headers["Connection"] = "close"


def _texts(scope: Scope) -> dict[str, str]:
    """Headers as texts; those of one name in their order, joined by commas."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers
