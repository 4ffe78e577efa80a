"""In and out: login, logout, another password."""

import hmac
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from jobs.errors import LakeError, UserError
from jobs.serving.accounts import Account, LoginRefused
from jobs.serving.addresses import place_of
from jobs.serving.portal.authentication import (
    COOKIE,
    FIELD,
    LOGIN_COOKIE,
    STALE,
    AnyPortal,
    ForgedRequest,
    LoggedIn,
    Posted,
    cookie_name,
    cookie_of,
    current_user,
    form_of,
    new_token,
)
from jobs.serving.portal.context import Portal
from jobs.serving.portal.rendering import page
from jobs.serving.sessions import csrf_of
from jobs.serving.throttle import TooManyTries

router = APIRouter(include_in_schema=False)
LOGIN_LASTS_S = 3600


@router.get("/")
def home() -> RedirectResponse:
    """Where everybody begins."""
    return RedirectResponse("/tasks", 303)


@router.get("/login")
def login_page(request: Request, portal: AnyPortal, next: str = "") -> Response:
    """The form; it carries a token that only this browser has."""
    if _is_logged_in(request):
        return RedirectResponse(local(next), 303)
    return _form(portal, next, "", 200)


@router.post("/login")
def login(request: Request, portal: AnyPortal, fields: Annotated[Mapping[str, str], Depends(form_of)]) -> Response:
    """A new login under a new token; the browser's previous token becomes invalid."""
    word = cookie_of(portal, request, LOGIN_COOKIE)
    if not word or not hmac.compare_digest(fields.get(FIELD, "").encode(), csrf_of(word).encode()):
        raise ForgedRequest(STALE)
    try:
        account = portal.accounts.checked(
            fields.get("name", ""), fields.get("password", ""), _place(request), portal.now()
        )
    except (LoginRefused, TooManyTries) as error:
        return _form(portal, fields.get("next", ""), str(error), 401 if isinstance(error, LoginRefused) else 429)
    return welcome(request, portal, account, fields.get("next", ""))


def welcome(request: Request, portal: Portal, account: Account, target: str) -> Response:
    """The redirect and cookies after a successful login."""
    portal.sessions.end(cookie_of(portal, request, COOKIE))
    answer = RedirectResponse(local(target), 303)
    set_cookie(answer, portal, COOKIE, portal.sessions.start(account, portal.now()))
    end_cookie(answer, portal, LOGIN_COOKIE)
    return answer


@router.post("/logout")
def logout(portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Nobody is logged in with this browser any more."""
    portal.sessions.end(user.token)
    answer = RedirectResponse("/login", 303)
    end_cookie(answer, portal, COOKIE)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@router.get("/password")
def password_page(portal: AnyPortal, user: LoggedIn) -> Response:
    """The form for another password."""
    return page("password.html", portal, user, message="")


@router.post("/password")
def password(request: Request, portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Another password; other logins of the account end, this one continues under a new token."""
    old, new = fields.get("old", ""), fields.get("new", "")
    if new != fields.get("again", ""):
        return page("password.html", portal, user, 422, message="两次输入的新密码不同")
    try:
        portal.accounts.changed(user.account, old, new, _place(request), portal.now())
    except (UserError, TooManyTries) as error:
        status = 429 if isinstance(error, TooManyTries) else 422
        return page("password.html", portal, user, status, message=str(error))
    return welcome(request, portal, user.account, "")


def set_cookie(answer: Response, portal: Portal, name: str, value: str, lasts_s: int | None = None) -> None:
    """A cookie that scripts cannot read and other sites' forms do not send."""
    secure = portal.settings.portal_secure
    answer.set_cookie(
        cookie_name(portal, name), value, max_age=lasts_s, path="/", httponly=True, samesite="lax", secure=secure
    )


def end_cookie(answer: Response, portal: Portal, name: str) -> None:
    """The browser forgets the cookie."""
    secure = portal.settings.portal_secure
    answer.delete_cookie(cookie_name(portal, name), path="/", httponly=True, samesite="lax", secure=secure)


def local(target: str) -> str:
    """The address to go on to, if it is ours; the beginning else."""
    is_ours = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_ours and "\\" not in target else "/tasks"


def _form(portal: Portal, target: str, message: str, status: int) -> Response:
    word, issuer = new_token(), portal.settings.oidc_issuer
    view = {"csrf": csrf_of(word), "target": target, "message": message, "has_oidc": bool(issuer)}
    answer = page("login.html", portal, None, status, **view)
    set_cookie(answer, portal, LOGIN_COOKIE, word, LOGIN_LASTS_S)
    return answer


def _place(request: Request) -> str:
    """The client address for throttling."""
    return place_of(request.client.host if request.client else "")


def _is_logged_in(request: Request) -> bool:
    try:
        current_user(request)
    except LakeError:
        return False
    return True
