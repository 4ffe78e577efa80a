"""The SQL tables of the SQL service, as SQLAlchemy sees them; Alembic creates them (jobs/lake/migrations)."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from jobs.lake.ledger_tables import SEQ, Base
from jobs.serving.account_tables import AT


class QueryRow(Base):
    """A query that was asked: who, when, what, and what came of it."""

    __tablename__ = "sql_query"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    at: Mapped[datetime] = mapped_column(AT, index=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(40))
    department: Mapped[str] = mapped_column(String(120), index=True)
    way: Mapped[str] = mapped_column(String(20))
    sql: Mapped[str] = mapped_column(Text)
    tables: Mapped[list[str]] = mapped_column(JSON)
    """Each with its version, as silver.divisions@3."""
    grade: Mapped[str] = mapped_column(String(2))
    is_sensitive: Mapped[bool] = mapped_column()
    rows: Mapped[int] = mapped_column(BigInteger)
    duration_ms: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)


class TokenRow(Base):
    """A token of an account for the SQL service; only what verifies it is stored, as SCRAM-SHA-256 needs it (RFC 5802)."""

    __tablename__ = "sql_token"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    account: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    stored_key: Mapped[str] = mapped_column(String(64))
    server_key: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(AT)
    ends_at: Mapped[datetime] = mapped_column(AT)
    used_at: Mapped[datetime | None] = mapped_column(AT)


class SavedRow(Base):
    """A query that a user keeps, perhaps for all who may query."""

    __tablename__ = "sql_saved"

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    owner: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    sql: Mapped[str] = mapped_column(Text)
    is_shared: Mapped[bool] = mapped_column()
    changed_at: Mapped[datetime] = mapped_column(AT)


class LimitRow(Base):
    """How far the queries of an account may go, where that differs from the settings."""

    __tablename__ = "sql_limit"

    account: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    seconds: Mapped[int | None] = mapped_column(Integer)
    rows: Mapped[int | None] = mapped_column(BigInteger)
    memory: Mapped[str | None] = mapped_column(String(20))
    queries: Mapped[int | None] = mapped_column(Integer)
