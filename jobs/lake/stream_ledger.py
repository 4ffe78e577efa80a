"""What the lake knows of its streams: the hours that become deliveries, the last batch of each dataset, the query's owner."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobs.lake.arrival import NAME_LENGTH
from jobs.lake.database import Database, utc
from jobs.lake.ledger_tables import DeliveryRow
from jobs.lake.stream_tables import HourRow, OwnerRow, StateRow
from jobs.model.delivery import Delivery, State

QUERY = "readings"
"""Name of the query that reads all topics."""
ABSENT_AFTER = timedelta(seconds=60)
"""An owner that was not seen for so long has gone."""


@dataclass(frozen=True)
class Hour:
    """An hour of a dataset's readings, UTC, as one delivery; open until it is sealed."""

    dataset: str
    hour: datetime
    revision: int
    delivery: str
    last_received: datetime
    sealed_at: datetime | None
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class SealedFile:
    """The file of a sealed hour in the object store."""

    key: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class StreamState:
    """The last batch of a dataset's stream. `facts`: rows, rejected, seconds, lag (messages), last_event, last_received."""

    dataset: str
    writer: str
    batch: int
    at: datetime
    facts: Mapping[str, Any]


class StreamLedger:
    """Reads and writes the state of streams; every method is one transaction."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self._session = self.database.session

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def open_hour(self, dataset: str, provider: str, hour: datetime, received: datetime) -> Delivery:
        """The delivery that takes readings of the hour: the open one, else a new one that replaces the sealed one."""
        with self._session() as session:
            last = _last_revision(session, dataset, hour)
            if last is None or last.sealed_at is not None:
                revision = 1 if last is None else last.revision + 1
                name = f"{dataset[:NAME_LENGTH]}-{hour.astimezone(UTC):%Y%m%dT%HZ}" + (f"-{revision}" if last else "")
                session.add(_open_delivery(name, dataset, provider, received, None if last is None else last.delivery))
                last = HourRow(dataset=dataset, hour=hour, revision=revision, delivery=name, last_received=received)
                session.add(last)
                session.flush()
            last.last_received = max(utc(last.last_received), received)
            return session.scalars(select(DeliveryRow).where(DeliveryRow.id == last.delivery)).one().entry()

    def hours(self, dataset: str | None = None, is_open: bool | None = None) -> list[Hour]:
        """Hours in order of time; all, or the open or the sealed ones."""
        query = select(HourRow).order_by(HourRow.hour, HourRow.revision)
        if dataset is not None:
            query = query.where(HourRow.dataset == dataset)
        if is_open is not None:
            query = query.where(HourRow.sealed_at.is_(None) if is_open else HourRow.sealed_at.is_not(None))
        with self._session() as session:
            return [_hour(row) for row in session.scalars(query)]

    def unevaluated(self) -> list[Hour]:
        """Sealed hours whose deliveries have no verdict yet, in order of time."""
        waiting = DeliveryRow.state.in_([str(State.LANDED), str(State.LOADED)])
        query = select(HourRow).join(DeliveryRow, DeliveryRow.id == HourRow.delivery).where(waiting)
        with self._session() as session:
            return [_hour(row) for row in session.scalars(query.order_by(HourRow.hour, HourRow.revision))]

    def last_hours(self, dataset: str, most: int) -> list[Hour]:
        """The newest sealed hours of a dataset, newest first."""
        sealed = select(HourRow).where(HourRow.dataset == dataset, HourRow.sealed_at.is_not(None))
        query = sealed.order_by(HourRow.hour.desc(), HourRow.revision.desc()).limit(most)
        with self._session() as session:
            return [_hour(row) for row in session.scalars(query)]

    def hour_of(self, delivery: str) -> Hour | None:
        """The hour that a delivery has; None for what came as a file."""
        with self._session() as session:
            row = session.scalars(select(HourRow).where(HourRow.delivery == delivery)).first()
            return None if row is None else _hour(row)

    def seal(self, hour: Hour, now: datetime, file: SealedFile, facts: Mapping[str, Any]) -> None:
        """Record that the hour is complete and stored as one file: its delivery has landed."""
        with self._session() as session:
            row = session.get_one(HourRow, (hour.dataset, hour.hour, hour.revision))
            row.sealed_at, row.facts = now, dict(facts)
            delivery = session.scalars(select(DeliveryRow).where(DeliveryRow.id == hour.delivery)).one()
            delivery.occurrence = _occurrences(session, hour.dataset, file.sha256, delivery.id) + 1
            delivery.state, delivery.objects, delivery.size_bytes = State.LANDED, [file.key], file.size_bytes
            delivery.sha256, delivery.declared_rows = file.sha256, facts["rows"]

    def note(self, state: StreamState) -> None:
        """Record a dataset's last batch."""
        with self._session() as session:
            session.merge(StateRow(**{**state.__dict__, "facts": dict(state.facts)}))

    def states(self) -> list[StreamState]:
        """The last batch of each dataset, by name."""
        with self._session() as session:
            rows = session.scalars(select(StateRow).order_by(StateRow.dataset))
            return [StreamState(r.dataset, r.writer, r.batch, utc(r.at), r.facts) for r in rows]

    def own(self, owner: str, now: datetime) -> str | None:
        """The checkpoint's name where this owner has the query, None where another one lives; to be called as long as it runs."""
        with self._session() as session:
            row = session.get(OwnerRow, QUERY, with_for_update=True)
            if row is None:
                row = OwnerRow(name=QUERY, owner=owner, seen_at=now, checkpoint=uuid4().hex)
                session.add(row)
            if row.owner not in ("", owner) and now - utc(row.seen_at) < ABSENT_AFTER:
                return None
            row.owner, row.seen_at = owner, now
            return row.checkpoint

    def owner(self) -> tuple[str, datetime] | None:
        """Who runs the query, and when it was last seen; None where nobody does."""
        with self._session() as session:
            row = session.get(OwnerRow, QUERY)
            return None if row is None or not row.owner else (row.owner, utc(row.seen_at))

    def leave(self, owner: str) -> None:
        """Record that the owner has ended."""
        with self._session() as session:
            row = session.get(OwnerRow, QUERY)
            if row is not None and row.owner == owner:
                row.owner = ""

    def reset(self) -> None:
        """Forget the checkpoint: the next query goes on after the last message in the lake."""
        with self._session() as session:
            row = session.get(OwnerRow, QUERY)
            if row is not None:
                row.checkpoint = uuid4().hex


def _last_revision(session: Session, dataset: str, hour: datetime) -> HourRow | None:
    query = select(HourRow).where(HourRow.dataset == dataset, HourRow.hour == hour)
    return session.scalars(query.order_by(HourRow.revision.desc()).limit(1)).first()


def _occurrences(session: Session, dataset: str, sha256: str, delivery: str) -> int:
    """How often other deliveries have the same bytes: what comes again after sealing, under its first number, adds none."""
    same = (DeliveryRow.dataset == dataset, DeliveryRow.sha256 == sha256, DeliveryRow.id != delivery)
    return session.scalar(select(func.max(DeliveryRow.occurrence)).where(*same)) or 0


def _open_delivery(name: str, dataset: str, provider: str, received: datetime, replaced: str | None) -> DeliveryRow:
    return DeliveryRow(
        id=name,
        dataset=dataset,
        provider=provider,
        state=State.OPEN,
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        size_bytes=0,
        objects=[],
        received_at=received,
        supersedes=replaced,
        conform_started=True,  # silver has its rows before it is sealed
    )


def _hour(row: HourRow) -> Hour:
    sealed_at = None if row.sealed_at is None else utc(row.sealed_at)
    return Hour(row.dataset, utc(row.hour), row.revision, row.delivery, utc(row.last_received), sealed_at, row.facts)
