"""Tokens with which people and programs open the SQL service; what is stored verifies a token and cannot be used as one."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobs.errors import Unknown, UserError
from jobs.lake.database import Database, utc
from jobs.serving.account_tables import AccountRow
from jobs.serving.accounts import Account, account_of
from jobs.serving.sql.query_tables import TokenRow

PREFIX = "lakesql"
PRECISE = timedelta(minutes=1)
ITERATIONS = 4096
"""Of SCRAM-SHA-256; a token has 256 random bits, so that more would add nothing."""


@dataclass(frozen=True)
class Token:
    """A token without its secret; it opens the service as its account until it ends."""

    id: str
    account: str
    note: str
    created_at: datetime
    ends_at: datetime
    used_at: datetime | None


@dataclass(frozen=True)
class Verifier:
    """What verifies a token by SCRAM-SHA-256 (RFC 5802), and the account that it opens."""

    id: str
    account: Account
    stored_key: bytes
    server_key: bytes


class Tokens:
    """Creates, ends and checks tokens."""

    def __init__(self, database: Database) -> None:
        self._session = database.session

    def add(self, account: str, note: str, now: datetime, ends_at: datetime) -> tuple[Token, str]:
        """A new token of an account, and its secret, which is shown this once."""
        id_ = secrets.token_hex(4)
        secret = f"{PREFIX}_{id_}_{secrets.token_urlsafe(32)}"
        stored_key, server_key = keys_of(secret, salt_of(account))
        with self._session() as session:
            owner = _account(session, account)
            if owner is None or owner.is_disabled:
                raise UserError(f"no account '{account}'; `lake accounts list` lists them / 没有账号 {account}")
            row = TokenRow(
                id=id_,
                account=owner.id,
                stored_key=stored_key.hex(),
                server_key=server_key.hex(),
                note=note,
                created_at=utc(now),
                ends_at=utc(ends_at),
            )
            session.add(row)
            session.flush()
            return _token(row, account), secret

    def end(self, id_: str, at: datetime, account: str = "") -> Token:
        """The token, which opens nothing after the moment; Unknown where there is none, or it is not the account's."""
        with self._session() as session:
            row = session.get(TokenRow, id_)
            owner = None if row is None else session.get(AccountRow, row.account)
            if row is None or owner is None or account not in ("", owner.name):
                raise Unknown(f"no token '{id_}' / 没有编号为 {id_} 的令牌")
            row.ends_at = min(utc(row.ends_at), utc(at))
            return _token(row, owner.name)

    def all(self, account: str = "") -> tuple[Token, ...]:
        """All tokens, or those of an account, also those that have ended; by account."""
        query = select(TokenRow, AccountRow.name).join(AccountRow, AccountRow.id == TokenRow.account)
        if account:
            query = query.where(AccountRow.name == account)
        with self._session() as session:
            rows = session.execute(query.order_by(AccountRow.name, TokenRow.created_at))
            return tuple(_token(row, name) for row, name in rows)

    def verifiers(self, account: str, now: datetime) -> tuple[Verifier, ...]:
        """Verifiers of the account's valid tokens; none for an account that does not exist or is disabled."""
        with self._session() as session:
            owner = _account(session, account)
            if owner is None or owner.is_disabled:
                return ()
            rows = session.scalars(select(TokenRow).where(TokenRow.account == owner.id))
            return tuple(
                Verifier(row.id, account_of(owner), bytes.fromhex(row.stored_key), bytes.fromhex(row.server_key))
                for row in rows
                if utc(now) < utc(row.ends_at)
            )

    def owner(self, account: str, secret: str, now: datetime) -> Account | None:
        """The account whose valid token this is; None where it is another's, or none."""
        stored_key, _ = keys_of(secret, salt_of(account))
        for verifier in self.verifiers(account, now):
            if hmac.compare_digest(verifier.stored_key, stored_key):
                self.used(verifier.id, now)
                return verifier.account
        return None

    def bearer(self, secret: str, now: datetime) -> Account | None:
        """The account of a valid token where no account is named; None where there is none."""
        parts = secret.split("_", 2)
        if len(parts) < 3:
            return None
        with self._session() as session:
            query = select(AccountRow.name).join(TokenRow, TokenRow.account == AccountRow.id)
            name = session.scalar(query.where(TokenRow.id == parts[1]))
        return self.owner(name, secret, now) if name else None

    def used(self, id_: str, now: datetime) -> None:
        """Record that a token opened the service, to the minute."""
        with self._session() as session:
            row = session.get(TokenRow, id_)
            if row is not None and (row.used_at is None or utc(row.used_at) < utc(now) - PRECISE):
                row.used_at = utc(now)


def salt_of(account: str) -> bytes:
    """The salt of an account's tokens: it is the same for accounts that do not exist, so that it reveals none."""
    return hashlib.sha256(f"{PREFIX}:{account}".encode()).digest()[:16]


def keys_of(secret: str, salt: bytes) -> tuple[bytes, bytes]:
    """StoredKey and ServerKey of a secret."""
    salted = hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hashlib.sha256(client_key).digest(), hmac.digest(salted, b"Server Key", "sha256")


def encoded(data: bytes) -> str:
    """Base64 as SCRAM writes it."""
    return base64.b64encode(data).decode()


def _account(session: Session, name: str) -> AccountRow | None:
    return session.scalar(select(AccountRow).where(AccountRow.name == name))


def _token(row: TokenRow, account: str) -> Token:
    used = utc(row.used_at) if row.used_at else None
    return Token(row.id, account, row.note, utc(row.created_at), utc(row.ends_at), used)
