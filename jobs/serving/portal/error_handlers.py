"""Errors → answers: a page for people, JSON for programs, each with a message that says what to do."""

import logging
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from jobs.errors import (
    InvalidTransition,
    LakeError,
    NotAllowed,
    Overtaken,
    PolicyRefusal,
    ServiceUnavailable,
    Unknown,
    UserError,
)
from jobs.lake.session import is_unavailable
from jobs.serving.accounts import LoginRefused
from jobs.serving.portal.authentication import (
    ChangeNeeded,
    CurrentUser,
    ForgedRequest,
    InvalidForm,
    LoginNeeded,
    current_user,
    path_of,
    portal_of,
)
from jobs.serving.portal.bodies import TooSlow
from jobs.serving.portal.multipart import TooLarge, WrongKind
from jobs.serving.portal.rendering import address, page
from jobs.serving.throttle import TooManyTries

logger = logging.getLogger(__name__)
STATUS: tuple[tuple[type[LakeError], int], ...] = (
    (LoginNeeded, 401),
    (LoginRefused, 401),
    (ChangeNeeded, 403),
    (ForgedRequest, 403),
    (TooManyTries, 429),
    (InvalidForm, 422),
    (TooSlow, 408),
    (TooLarge, 413),
    (WrongKind, 415),
    (Unknown, 404),
    (NotAllowed, 403),
    (InvalidTransition, 409),
    (Overtaken, 409),
    (PolicyRefusal, 422),
    (ServiceUnavailable, 503),
    (UserError, 400),
)
TITLES = {
    400: "请求不能办理",
    401: "请先登录",
    403: "无权办理",
    404: "没有找到",
    405: "不支持的操作",
    408: "提交超时",
    409: "现在不能这样办理",
    413: "文件过大",
    415: "不支持的文件",
    422: "填写有误",
    429: "请稍后再试",
    500: "系统出错",
    503: "服务暂时无响应",
}
ON_THE_FORM = (400, 409, 413, 415, 422)
"""Statuses that the user can correct in the form."""

LOGGED = 200
AWAY = "有一项服务暂时无响应，数据没有受影响，请稍后再试"
BROKEN = "系统出错，已记录日志；请稍后再试，仍不行请联系平台运维"


def add_to(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(LakeError, _on_lake_error)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_any)


def status_of(error: LakeError) -> int:
    """The HTTP status of an error."""
    return next((code for kind, code in STATUS if isinstance(error, kind)), 500)


def form_status(error: LakeError) -> int:
    """The status of a form that is shown again with the error's message; raises errors that cannot be corrected there."""
    status = status_of(error)
    if status not in ON_THE_FORM:
        raise error
    return status


def logged_path(request: Request) -> str:
    """The address for the log, escaped to a single line."""
    return quote(path_of(request), errors="replace")[:LOGGED]


def wants_json(request: Request) -> bool:
    """Whether the client is a program."""
    return path_of(request).startswith("/api/") or path_of(request).endswith("/state")


def answer_to(request: Request, error: Exception) -> Response:
    """The answer to an error outside of any route."""
    return _on_lake_error(request, error) if isinstance(error, LakeError) else _on_any(request, error)


def _on_lake_error(request: Request, error: Exception) -> Response:
    if not wants_json(request):
        if isinstance(error, LoginNeeded):
            return RedirectResponse(address("/login", {"next": "" if error.target == "/" else error.target}), 303)
        if isinstance(error, ChangeNeeded):
            return RedirectResponse("/password", 303)
    status = status_of(error) if isinstance(error, LakeError) else 500
    if status >= 500:
        logger.warning("%s: %s", logged_path(request), error)
    return _answer(request, status, AWAY if status == 503 else BROKEN if status >= 500 else str(error))


def _on_disconnect(request: Request, error: Exception) -> Response:
    """Nobody reads the answer; a client that disconnects is no error."""
    logger.info("%s: the client disconnected", logged_path(request))
    return _answer(request, 400, TITLES[400])


def _on_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _answer(request, status, TITLES.get(status, "请求不能办理"))


def _on_validation(request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    if wants_json(request):
        details = [{name: fault[name] for name in ("loc", "msg", "type")} for fault in faults]
        return JSONResponse({"detail": jsonable_encoder(details)}, 422)
    names = "、".join(str(fault["loc"][-1]) for fault in faults)
    return _answer(request, 422, f"填写的内容不对：{names}")


def _on_any(request: Request, error: Exception) -> Response:
    if is_unavailable(error):
        logger.warning("%s: %s", logged_path(request), str(error).split("\n")[0][:200])
        return _answer(request, 503, AWAY)
    logger.error("%s %s failed", request.method, logged_path(request), exc_info=error)
    return _answer(request, 500, BROKEN)


def _answer(request: Request, status: int, message: str) -> Response:
    if wants_json(request):
        return JSONResponse({"detail": message}, status)
    title = TITLES.get(status, TITLES[400])
    return page("error.html", portal_of(request), _user(request, status), status, title=title, message=message)


def _user(request: Request, status: int) -> CurrentUser | None:
    """Who is logged in, so that the page has its navigation; nobody where that cannot be asked just now."""
    if status >= 500:
        return None
    try:
        return current_user(request)
    except (LakeError, SQLAlchemyError):
        return None
