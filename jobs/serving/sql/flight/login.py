"""Who calls: a bearer token of the service, or one that was given for a password; each call is checked."""

import hashlib
import secrets
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import Any

from pyarrow import flight

from jobs.model.actor import Actor
from jobs.serving.accounts import LoginRefused
from jobs.serving.sql.flight.errors import reported
from jobs.serving.sql.logins import REFUSED, Logins, Session, is_token

IDLE_S = 3600.0
MOST_KNOWN, MOST_CALLS, MOST_WORDS = 10_000, 200, 4096
PLACE = "flight"
"""Where failed passwords are counted: Flight does not say from which address a handshake comes, so that they all count together."""
LARGE = "lake-large"
"""The header that allows a query which reads very much."""
Owner = tuple[int, Actor]


@dataclass(frozen=True)
class Caller:
    """Who calls, with what they allow for this call."""

    session: Session
    token: str
    is_large: bool

    @property
    def owner(self) -> Owner:
        """Whose tickets and statements these are: an account that has another role since has them no more."""
        return self.session.account.id, self.actor

    @property
    def actor(self) -> Actor:
        return self.session.account.actor()


class Sessions:
    """Logins by the tokens that calls have. `takes_passwords`: only over TLS, as in PostgreSQL's protocol."""

    def __init__(self, logins: Logins, takes_passwords: bool, clock: Callable[[], float] = monotonic) -> None:
        self._logins, self._takes_passwords, self._clock = logins, takes_passwords, clock
        self._known: OrderedDict[bytes, tuple[Session, float]] = OrderedDict()
        self._lock = Lock()

    def opened(self, user: str, words: str) -> str:
        """The token for further calls, after a login by a token of the service, or by a password."""
        if not is_token(words) and not self._takes_passwords:
            raise LoginRefused(REFUSED)
        session = self._logins.by_words(user.strip().lower(), words, PLACE)
        token = words if is_token(words) else secrets.token_urlsafe(32)
        self._keep(token, session)
        return token

    def of(self, token: str) -> Session:
        """The login of a token that is still valid; LoginRefused."""
        with self._lock:
            session, used_at = self._known.get(_digest(token), (None, 0.0))
        if session is None or (not session.token and self._clock() > used_at + IDLE_S):
            if not is_token(token):
                raise LoginRefused("the login has ended; log in again / 登录已过期，请重新登录")
            session = self._logins.by_token(token)
        self._logins.check(session)
        self._keep(token, session)
        return session

    def end(self, token: str) -> None:
        """The token of a login by password opens nothing any more."""
        with self._lock:
            self._known.pop(_digest(token), None)

    def _keep(self, token: str, session: Session) -> None:
        with self._lock:
            self._known[_digest(token)] = session, self._clock()
            self._known.move_to_end(_digest(token))
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)


class CallMiddleware(flight.ServerMiddleware):
    """One call of a known account; a login is answered with the token. `at_end` runs when the call is over."""

    def __init__(self, caller: Caller, is_login: bool, places: BoundedSemaphore) -> None:
        self.caller = caller
        self.at_end: Callable[[], None] = _nothing
        self._is_login, self._places = is_login, places

    def sending_headers(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.caller.token}"} if self._is_login else {}

    def call_completed(self, exception: Exception | None) -> None:
        self._places.release()
        self.at_end()


class CallMiddlewareFactory(flight.ServerMiddlewareFactory):
    """Lets a call in whose header names a login; all others are refused, of every kind."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions, self._places = sessions, BoundedSemaphore(MOST_CALLS)

    def start_call(self, info: Any, headers: Mapping[str, Sequence[str | bytes]]) -> CallMiddleware:
        if not self._places.acquire(blocking=False):
            raise flight.FlightUnavailableError("too many calls at a time; try again / 并发过多，请稍后再试")
        try:
            with reported():
                return self._call(info.method == flight.FlightMethod.HANDSHAKE, headers)
        except BaseException:
            self._places.release()
            raise

    def _call(self, is_login: bool, headers: Mapping[str, Sequence[str | bytes]]) -> CallMiddleware:
        scheme, _, words = _header(headers, "authorization").partition(" ")
        if scheme.lower() not in (("basic", "bearer") if is_login else ("bearer",)):
            raise LoginRefused("log in with a user and a password or token / 请用账号和密码或令牌登录")
        token = self._sessions.opened(*_basic(words)) if scheme.lower() == "basic" else words.strip()
        is_large = _header(headers, LARGE).lower() in ("on", "true", "1")
        return CallMiddleware(Caller(self._sessions.of(token), token, is_large), is_login, self._places)


class Handshake(flight.ServerAuthHandler):
    """Nothing more to do: the middleware has checked the header by then."""

    def authenticate(self, outgoing: Any, incoming: Any) -> None:
        """Called in a handshake."""

    def is_valid(self, token: bytes) -> bytes:
        """Called in every other call."""
        return b""


def _header(headers: Mapping[str, Sequence[str | bytes]], name: str) -> str:
    value = (headers.get(name) or [""])[0]
    words = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return words if len(words) <= MOST_WORDS else ""


def _basic(words: str) -> tuple[str, str]:
    """User and password; Go's clients leave out the padding."""
    try:
        user, colon, password = b64decode(words + "=" * (-len(words) % 4), validate=True).decode().partition(":")
    except ValueError:
        raise LoginRefused(REFUSED) from None
    if not colon:
        raise LoginRefused(REFUSED)
    return user, password


def _nothing() -> None:
    """For a call that leaves nothing behind."""


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
