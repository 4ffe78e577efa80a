"""API keys of the companies whose devices send readings; only a hash of each is stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import DateTime, String, select
from sqlalchemy.orm import Mapped, mapped_column

from jobs.errors import Unknown
from jobs.lake.database import Database, utc
from jobs.lake.ledger_tables import Base

PREFIX = "lake"


class KeyRow(Base):
    """A key: `provider` is the id of contracts; `digest` is SHA-256 of the whole key, which has 256 random bits."""

    __tablename__ = "telemetry_key"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    provider: Mapped[str] = mapped_column(String(120), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


@dataclass(frozen=True)
class Key:
    """A key without its secret; valid until it ends."""

    id: str
    provider: str
    note: str
    created_at: datetime
    ends_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Whether it opens the service."""
        return self.ends_at is None or now < self.ends_at


class Keys:
    """Creates, ends and checks keys."""

    def __init__(self, database: Database) -> None:
        self._session = database.session

    def add(self, provider: str, note: str, now: datetime, ends_at: datetime | None = None) -> tuple[Key, str]:
        """A new key of a provider, and its secret, which is shown this once."""
        name = secrets.token_hex(4)
        secret = f"{PREFIX}_{name}_{secrets.token_urlsafe(32)}"
        row = KeyRow(id=name, provider=provider, digest=_digest(secret), note=note, created_at=now, ends_at=ends_at)
        with self._session() as session:
            session.add(row)
            session.flush()
            return _key(row), secret

    def rotate(self, name: str, now: datetime, old_ends_at: datetime) -> tuple[Key, str]:
        """A new key in place of one that stays valid until a moment, so that devices can be changed one by one."""
        old = self.end(name, old_ends_at)
        return self.add(old.provider, old.note, now)

    def end(self, name: str, at: datetime) -> Key:
        """The key, valid no longer than until the moment; Unknown where there is none."""
        with self._session() as session:
            row = session.get(KeyRow, name)
            if row is None:
                raise Unknown(f"no key '{name}' / 没有编号为 {name} 的密钥")
            row.ends_at = at if row.ends_at is None else min(utc(row.ends_at), at)
            return _key(row)

    def all(self) -> list[Key]:
        """All keys, also those that have ended, by provider."""
        with self._session() as session:
            rows = session.scalars(select(KeyRow).order_by(KeyRow.provider, KeyRow.created_at))
            return [_key(row) for row in rows]

    def owner(self, secret: str, now: datetime) -> Key | None:
        """The valid key with this secret; None where there is none."""
        parts = secret.split("_", 2)
        if len(parts) != 3 or parts[0] != PREFIX:
            return None
        with self._session() as session:
            row = session.get(KeyRow, parts[1])
            if row is None or not secrets.compare_digest(row.digest, _digest(secret)):
                return None
            key = _key(row)
            return key if key.is_valid(now) else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: KeyRow) -> Key:
    ends_at = None if row.ends_at is None else utc(row.ends_at)
    return Key(row.id, row.provider, row.note, utc(row.created_at), ends_at)
