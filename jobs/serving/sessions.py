"""Logins: a random token for the browser, its hash in the database; idle and old ones expire."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update

from jobs.lake.database import Database, utc
from jobs.serving.account_tables import AccountRow, SessionRow
from jobs.serving.accounts import Account, account_of

TOUCHED_AFTER = timedelta(minutes=1)
"""A request within this time of the last recorded one costs no write."""


@dataclass(frozen=True)
class Sessions:
    """Starts, finds and ends logins."""

    database: Database
    idle: timedelta
    longest: timedelta

    def start(self, account: Account, at: datetime) -> str:
        """The token of a new login; an existing token is never reused."""
        token = secrets.token_urlsafe(32)
        with self.database.session() as session:
            old = or_(SessionRow.seen_at < at - self.idle, SessionRow.started_at < at - self.longest)
            session.execute(delete(SessionRow).where(old))
            session.add(SessionRow(token_hash=digest(token), account=account.id, started_at=utc(at), seen_at=utc(at)))
        return token

    def find(self, token: str, at: datetime, is_use: bool = True) -> Account | None:
        """The account of a login; None where there is none or it has expired. `is_use`: that it is used keeps it from expiring."""
        query = select(SessionRow, AccountRow).join(AccountRow, AccountRow.id == SessionRow.account)
        with self.database.session() as session:
            login = session.execute(query.where(SessionRow.token_hash == digest(token))).first()
            if login is None:
                return None
            row, owner = login
            if at - utc(row.seen_at) > self.idle or at - utc(row.started_at) > self.longest or owner.is_disabled:
                session.delete(row)
                return None
            if is_use and at - utc(row.seen_at) > TOUCHED_AFTER:
                session.execute(update(SessionRow).where(SessionRow.id == row.id).values(seen_at=utc(at)))
            return account_of(owner)

    def end(self, token: str) -> None:
        """End a login; harmless where there is none."""
        with self.database.session() as session:
            session.execute(delete(SessionRow).where(SessionRow.token_hash == digest(token)))


def digest(token: str) -> str:
    """The hash of a token that the database stores."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """The CSRF token of a login's forms; it does not reveal the session token."""
    return hmac.digest(token.encode(), b"csrf", hashlib.sha256).hex()


def is_csrf(csrf: str, token: str) -> bool:
    """Whether a form's CSRF token is the login's; compared in constant time."""
    return hmac.compare_digest(csrf.encode(), csrf_of(token).encode())
