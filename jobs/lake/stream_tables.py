"""The SQL tables of streams, as SQLAlchemy models; Alembic creates them (jobs/lake/migrations)."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from jobs.lake.ledger_tables import Base


class HourRow(Base):
    """An hour of a dataset's readings; each sealing of late readings is a revision, and a delivery of its own."""

    __tablename__ = "stream_hour"

    dataset: Mapped[str] = mapped_column(String(120), primary_key=True)
    hour: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    delivery: Mapped[str] = mapped_column(String(80), unique=True)
    last_received: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sealed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), index=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class StateRow(Base):
    """The last batch of a dataset's stream: who wrote it, its number, and figures of it."""

    __tablename__ = "stream_state"

    dataset: Mapped[str] = mapped_column(String(120), primary_key=True)
    writer: Mapped[str] = mapped_column(String(80))
    batch: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class OwnerRow(Base):
    """Who runs the query, when it was last seen to live, and its checkpoint."""

    __tablename__ = "stream_owner"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    checkpoint: Mapped[str] = mapped_column(String(80))
