"""Logins: a random token for the browser, its hash in the database; idle and old ones end by themselves."""

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
"""A request within this time of the last one that was noted costs no write."""


@dataclass(frozen=True)
class Sessions:
    """Starts, finds and ends logins."""

    database: Database
    idle: timedelta
    longest: timedelta

    def start(self, account: Account, at: datetime) -> str:
        """The token of a new login; a token that was there before is never taken on."""
        token = secrets.token_urlsafe(32)
        with self.database.session() as session:
            old = or_(SessionRow.seen_at < at - self.idle, SessionRow.started_at < at - self.longest)
            session.execute(delete(SessionRow).where(old))
            session.add(SessionRow(token_hash=digest(token), account=account.id, started_at=utc(at), seen_at=utc(at)))
        return token

    def find(self, token: str, at: datetime) -> Account | None:
        """Whose login it is; None where there is none, or none that still holds."""
        query = select(SessionRow, AccountRow).join(AccountRow, AccountRow.id == SessionRow.account)
        with self.database.session() as session:
            found = session.execute(query.where(SessionRow.token_hash == digest(token))).first()
            if found is None:
                return None
            row, owner = found
            if at - utc(row.seen_at) > self.idle or at - utc(row.started_at) > self.longest or owner.is_disabled:
                session.delete(row)
                return None
            if at - utc(row.seen_at) > TOUCHED_AFTER:
                session.execute(update(SessionRow).where(SessionRow.id == row.id).values(seen_at=utc(at)))
            return account_of(owner)

    def end(self, token: str) -> None:
        """End a login; harmless where there is none."""
        with self.database.session() as session:
            session.execute(delete(SessionRow).where(SessionRow.token_hash == digest(token)))


def digest(token: str) -> str:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """The word that forms of this login carry; it tells nothing of the token."""
    return hmac.digest(token.encode(), b"csrf", hashlib.sha256).hex()


def is_csrf(said: str, token: str) -> bool:
    """Whether a form carries the login's word; compared in constant time."""
    return hmac.compare_digest(said.encode(), csrf_of(token).encode())
