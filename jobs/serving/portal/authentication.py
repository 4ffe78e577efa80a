"""Authentication: the login of a request, and the CSRF token of its forms."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Header, Request
from starlette.datastructures import UploadFile

from jobs.errors import LakeError
from jobs.model.actor import Actor
from jobs.serving.accounts import Account
from jobs.serving.inputs import is_storable
from jobs.serving.portal.context import Portal
from jobs.serving.sessions import csrf_of, is_csrf

COOKIE = "lake_session"
LOGIN_COOKIE = "lake_login"
FIELD = "csrf"
STALE = "表单已失效：可能是登录已过期，或页面打开过久。请返回上一页，刷新后再提交"
UNREADABLE = "表单中有不能识别的字符；请刷新页面后重新填写"
BY_ITSELF = re.compile(r"/feeds/events|/feeds/[^/]+/curve")
"""Addresses that an open page asks again and again: nobody need be sitting there."""
FREE_OF_CHANGE = ("/password", "/logout")


class LoginNeeded(LakeError):
    """Nobody is logged in; `target` is the page to open afterwards."""

    def __init__(self, target: str) -> None:
        super().__init__("请先登录")
        self.target = target


class ChangeNeeded(LakeError):
    """The password was set by an operator and has to be changed first."""


class ForgedRequest(LakeError):
    """A form without the CSRF token of its login."""


class InvalidForm(LakeError):
    """A form is incomplete or invalid; the message says in Chinese what to correct."""


@dataclass(frozen=True)
class CurrentUser:
    """A logged-in person; `csrf` is the CSRF token of forms."""

    account: Account
    actor: Actor
    token: str

    @property
    def csrf(self) -> str:
        return csrf_of(self.token)


def portal_of(request: Request) -> Portal:
    """The portal that the application was made for."""
    return cast(Portal, request.app.state.portal)


def path_of(request: Request) -> str:
    """The requested path; a URL built from the request would depend on its Host header."""
    return str(request.scope["path"])


def cookie_name(portal: Portal, name: str) -> str:
    """The cookie's name; over TLS with the prefix that binds it to this host."""
    return f"__Host-{name}" if portal.settings.portal_secure else name


def cookie_of(portal: Portal, request: Request, name: str) -> str:
    """The value of one of our cookies; empty where the request carries none."""
    return request.cookies.get(cookie_name(portal, name), "")


def account_of(portal: Portal, request: Request) -> tuple[Account, str]:
    """The account and token of a request's login; LoginNeeded where it has none that is valid."""
    token = cookie_of(portal, request, COOKIE)
    is_use = not BY_ITSELF.fullmatch(path_of(request))
    account = portal.sessions.find(token, portal.now(), is_use) if token else None
    if account is None:
        query = request.scope["query_string"].decode("latin-1")
        target = f"{path_of(request)}?{query}" if query else path_of(request)
        raise LoginNeeded(target if request.method == "GET" else "/")
    return account, token


def current_user(request: Request) -> CurrentUser:
    """Who is logged in; LoginNeeded where nobody is, ChangeNeeded before a first password is changed."""
    account, token = account_of(portal_of(request), request)
    if account.must_change and path_of(request) not in FREE_OF_CHANGE:
        raise ChangeNeeded("请先修改初始密码")
    return CurrentUser(account, account.actor(), token)


AnyPortal = Annotated[Portal, Depends(portal_of)]
LoggedIn = Annotated[CurrentUser, Depends(current_user)]


async def form_of(request: Request) -> dict[str, str]:
    """Fields of a form without files."""
    try:
        async with request.form(max_files=0, max_fields=100) as form:
            texts = {name: value for name, value in form.items() if not isinstance(value, UploadFile)}
    except UnicodeError as error:  # in an encoding that the form says it has
        raise InvalidForm(UNREADABLE) from error
    fields = {name: value.replace("\x00", "") for name, value in texts.items()}
    if not all(map(is_storable, fields.values())):
        raise InvalidForm(UNREADABLE)
    return fields


async def posted(request: Request, user: LoggedIn) -> Mapping[str, str]:
    """Fields of a form with the login's CSRF token; ForgedRequest without it."""
    fields = await form_of(request)
    check_csrf(fields.pop(FIELD, ""), user.token)
    return fields


def sent(user: LoggedIn, x_csrf_token: Annotated[str, Header(max_length=200)] = "") -> CurrentUser:
    """The user of a modifying request to /api; ForgedRequest without the CSRF token in X-CSRF-Token."""
    check_csrf(x_csrf_token, user.token)
    return user


def check_csrf(csrf: str, token: str) -> None:
    """ForgedRequest where the CSRF token is not the login's."""
    if not is_csrf(csrf, token):
        raise ForgedRequest(STALE)


def new_token() -> str:
    """A token for the login form, before there is a login."""
    return secrets.token_urlsafe(32)


Posted = Annotated[Mapping[str, str], Depends(posted)]
Sent = Annotated[CurrentUser, Depends(sent)]
