"""The SQL tables of accounts and access, as SQLAlchemy sees them; Alembic creates them (jobs/lake/migrations).

A session's token and a login's state are stored as hashes only: they cannot be used to log in.
"""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from jobs.lake.ledger_tables import SEQ, Base

AT = DateTime(timezone=True)


class AccountRow(Base):
    """Somebody who may log in. `department` is the id that contracts call provider; `subject` is an OIDC identity."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(60), unique=True)
    person: Mapped[str] = mapped_column(String(60))
    role: Mapped[str] = mapped_column(String(40))
    department: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    subject: Mapped[str | None] = mapped_column(String(300), unique=True)
    must_change: Mapped[bool] = mapped_column()
    is_disabled: Mapped[bool] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(AT)
    last_login_at: Mapped[datetime | None] = mapped_column(AT)


class SessionRow(Base):
    """A login that lasts until it is idle too long, too old, or ended."""

    __tablename__ = "portal_session"

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(AT)
    seen_at: Mapped[datetime] = mapped_column(AT)


class FailureRow(Base):
    """A login that failed, for throttling."""

    __tablename__ = "login_failure"

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(60), index=True)
    address: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(AT, index=True)


class OidcRow(Base):
    """A login that was sent to the identity provider and has not returned; used once."""

    __tablename__ = "oidc_login"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(80))
    verifier: Mapped[str] = mapped_column(String(128))
    target: Mapped[str] = mapped_column(String(500))
    started_at: Mapped[datetime] = mapped_column(AT, index=True)


class AccessRow(Base):
    """An access to sensitive data (L3, L4): who, what, when, how and why. Append-only.

    Each is a link of a chain: `seq` has no gap, `hash` is of the row with the hash before in it.
    """

    __tablename__ = "access_log"

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    seq: Mapped[int] = mapped_column(BigInteger, unique=True)
    at: Mapped[datetime] = mapped_column(AT, index=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(40))
    department: Mapped[str] = mapped_column(String(120), index=True)
    action: Mapped[str] = mapped_column(String(20))
    object: Mapped[str] = mapped_column(String(120), index=True)
    dataset: Mapped[str] = mapped_column(String(120))
    grade: Mapped[str] = mapped_column(String(2))
    reason: Mapped[str] = mapped_column(Text)
    prev: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AccessChainRow(Base):
    """The one row that every writer locks first: the end of the access log's chain."""

    __tablename__ = "access_chain"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))


class UploadRow(Base):
    """A file received completely through the portal, and its delivery."""

    __tablename__ = "upload"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    at: Mapped[datetime] = mapped_column(AT)
    name: Mapped[str] = mapped_column(String(120))
    department: Mapped[str] = mapped_column(String(120), index=True)
    dataset: Mapped[str] = mapped_column(String(120))
    delivery: Mapped[str] = mapped_column(String(80), index=True)
    key: Mapped[str] = mapped_column(String(1024))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    answers: Mapped[str] = mapped_column(Text, default="")
    """Ids of the tickets that it answers, with blanks between."""
    first_look: Mapped[str] = mapped_column(Text, default="")
    """What was said of the file at once, in lines."""
