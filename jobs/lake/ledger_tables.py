"""The SQL tables of the ledger, as SQLAlchemy models; Alembic creates them (jobs/lake/migrations)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, DateTime, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from jobs.lake.database import utc
from jobs.model.delivery import Delivery, Finding, State

SEQ = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """All tables of the lake's state."""


class DeliveryRow(Base):
    __tablename__ = "delivery"
    __table_args__ = (UniqueConstraint("dataset", "sha256", "occurrence"),)

    seq: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(80), unique=True)
    dataset: Mapped[str] = mapped_column(String(120), index=True)
    provider: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(32), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    occurrence: Mapped[int] = mapped_column(Integer, default=1)
    rows_digest: Mapped[str] = mapped_column(String(64), default="")
    layout_digest: Mapped[str] = mapped_column(String(64), default="")
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

    def entry(self) -> Delivery:
        """The row as a delivery."""
        return Delivery(
            id=self.id,
            seq=self.seq,
            dataset=self.dataset,
            provider=self.provider,
            state=State(self.state),
            sha256=self.sha256,
            size_bytes=self.size_bytes,
            objects=tuple(self.objects),
            received_at=utc(self.received_at),
            etag=self.etag,
            sender=self.sender,
            declared_rows=self.declared_rows,
            counted_rows=self.counted_rows,
            supersedes=self.supersedes,
            sent_on=self.sent_on,
            answers=tuple(self.answers),
            superseded_by=self.superseded_by,
            findings=tuple(Finding(**f) for f in self.findings),
            reason=self.reason,
            layout_digest=self.layout_digest,
        )


class OccurrenceRow(Base):
    """Each time an object was seen in the landing zone with other bytes than before, and their delivery."""

    __tablename__ = "sighting"
    __table_args__ = (UniqueConstraint("object", "etag", "delivery"),)

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
    recipe: Mapped[str] = mapped_column(String(64), default="")
