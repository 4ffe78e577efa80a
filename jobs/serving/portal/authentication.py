"""Who asks: the login behind a request, and the word that proves that a form is ours."""

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
FREE_OF_CHANGE = ("/password", "/logout")


class LoginNeeded(LakeError):
    """Nobody is logged in; `target` is where to go on afterwards."""

    def __init__(self, target: str) -> None:
        super().__init__("请先登录")
        self.target = target


class ChangeNeeded(LakeError):
    """The password was given out by an operator and has to be changed first."""


class ForgedRequest(LakeError):
    """A form does not carry the word of the login that it came with."""


class InvalidForm(LakeError):
    """What was filled in is incomplete or cannot be; the message says in Chinese what to mend."""


@dataclass(frozen=True)
class CurrentUser:
    """A logged-in person; `csrf` is the word that forms carry."""

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
    """The address that is asked for; a URL made from the request would depend on the host that it names."""
    return str(request.scope["path"])


def cookie_name(portal: Portal, name: str) -> str:
    """The cookie's name; over TLS one that browsers take from this very host alone, not from its neighbours."""
    return f"__Host-{name}" if portal.settings.portal_secure else name


def cookie_of(portal: Portal, request: Request, name: str) -> str:
    """The value of one of our cookies; empty where the request carries none."""
    return request.cookies.get(cookie_name(portal, name), "")


def account_of(portal: Portal, request: Request) -> tuple[Account, str]:
    """Whose login the request carries, and its token; LoginNeeded where it carries none that holds."""
    token = cookie_of(portal, request, COOKIE)
    account = portal.sessions.find(token, portal.now()) if token else None
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
    """Fields of a form; files are not for here."""
    try:
        async with request.form(max_files=0, max_fields=100) as form:
            texts = {name: value for name, value in form.items() if not isinstance(value, UploadFile)}
    except UnicodeError as error:  # in an encoding that the form says it has
        raise InvalidForm(UNREADABLE) from error
    found = {name: value.replace("\x00", "") for name, value in texts.items()}
    if not all(map(is_storable, found.values())):
        raise InvalidForm(UNREADABLE)
    return found


async def posted(request: Request, user: LoggedIn) -> Mapping[str, str]:
    """Fields of a form that carries the login's word; Forged where it does not."""
    fields = await form_of(request)
    check_csrf(fields.pop(FIELD, ""), user.token)
    return fields


def sent(user: LoggedIn, x_csrf_token: Annotated[str, Header(max_length=200)] = "") -> CurrentUser:
    """Who sends a request to /api that changes something; Forged without the login's word in X-CSRF-Token."""
    check_csrf(x_csrf_token, user.token)
    return user


def check_csrf(said: str, token: str) -> None:
    """Forged where the word is not the login's."""
    if not is_csrf(said, token):
        raise ForgedRequest(STALE)


def new_token() -> str:
    """A token for the login form, before there is a login."""
    return secrets.token_urlsafe(32)


Posted = Annotated[Mapping[str, str], Depends(posted)]
Sent = Annotated[CurrentUser, Depends(sent)]
