"""The SQL tables of the ledger, as SQLAlchemy sees them; Alembic makes them (jobs/lake/migrations)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, DateTime, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SEQ = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """All tables of the lake's state."""


class DeliveryRow(Base):
    __tablename__ = "delivery"
    __table_args__ = (UniqueConstraint("dataset", "sha256"),)

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(80), unique=True)
    dataset: Mapped[str] = mapped_column(String(120), index=True)
    provider: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(32), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    objects: Mapped[list[str]] = mapped_column(JSON)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    etag: Mapped[str] = mapped_column(String(200), default="")
    sender: Mapped[str] = mapped_column(String(200), default="")
    declared_rows: Mapped[int | None] = mapped_column(BigInteger)
    counted_rows: Mapped[int | None] = mapped_column(BigInteger)
    supersedes: Mapped[str | None] = mapped_column(String(80))
    sent_on: Mapped[date | None] = mapped_column(Date)
    answers: Mapped[list[str]] = mapped_column(JSON, default=list)
    governed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    superseded_by: Mapped[str | None] = mapped_column(String(80))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    reason: Mapped[str] = mapped_column(Text, default="")
    conform_started: Mapped[bool] = mapped_column(default=False)


class SightingRow(Base):
    """Each time bytes were seen in the landing zone, once per object and etag."""

    __tablename__ = "sighting"
    __table_args__ = (UniqueConstraint("object", "etag"),)

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    delivery: Mapped[str] = mapped_column(ForeignKey("delivery.id"), index=True)
    object: Mapped[str] = mapped_column(String(1024))
    etag: Mapped[str] = mapped_column(String(200))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    is_repeat: Mapped[bool] = mapped_column(default=False)


class BuildRow(Base):
    """The last build of each gold product, and the input versions that it saw."""

    __tablename__ = "build"

    product: Mapped[str] = mapped_column(String(120), primary_key=True)
    inputs: Mapped[dict[str, int]] = mapped_column(JSON)
    table_version: Mapped[int] = mapped_column(Integer)
    rows: Mapped[int] = mapped_column(BigInteger)
    built_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
