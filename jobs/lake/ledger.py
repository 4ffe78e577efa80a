"""The delivery ledger: who sent what, when, and its state. Repeated content is one entry until a newer delivery arrives."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from jobs.errors import UserError
from jobs.lake.arrival import NAME_LENGTH, Arrival, last_etags, last_sighting, recorded
from jobs.lake.database import Database, utc
from jobs.lake.ledger_tables import BuildRow, DeliveryRow, OccurrenceRow
from jobs.model.delivery import JUDGED, Delivery, State

__all__ = ["NAME_LENGTH", "Arrival", "Build", "Ledger", "content_sha256"]
TRIES = 5


@dataclass(frozen=True)
class Build:
    """The last build of a product; `inputs` are the silver versions that it saw, `recipe` how it was made."""

    product: str
    inputs: Mapping[str, int]
    table_version: int
    rows: int
    built_at: datetime
    recipe: str = ""


class Ledger:
    """Reads and writes the ledger; every method is one transaction."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._session = self._database.session

    def migrate(self) -> None:
        """Upgrade the database to the newest schema; idempotent."""
        self._database.migrate()

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def etags(self, object_keys: Sequence[str]) -> dict[str, str]:
        """The etag with which each of these objects was last recorded, by key; those that were never seen are absent."""
        with self._session() as session:
            return last_etags(session, object_keys)

    def delivery_of(self, object_key: str) -> str | None:
        """Id of the delivery that the object was last recorded with; None where it was never seen."""
        with self._session() as session:
            last = last_sighting(session, object_key)
            return None if last is None else last.delivery

    def record(self, arrival: Arrival, now: datetime) -> tuple[Delivery, bool]:
        """The delivery of these bytes, and whether it is new; the same bytes are a repeat until a newer delivery arrives.

        Retried where another worker records something at the same moment.
        """
        for _ in range(TRIES - 1):
            with suppress(IntegrityError), self._session() as session:
                return recorded(session, arrival, now)
        with self._session() as session:
            return recorded(session, arrival, now)

    def answer(self, delivery_id: str, ticket: str) -> None:
        """Record that the delivery answers a ticket; idempotent."""
        with self._session() as session:
            row = session.scalar(select(DeliveryRow).where(DeliveryRow.id == delivery_id))
            if row is not None and ticket not in row.answers:
                row.answers = [*row.answers, ticket]

    def evaluated(self, delivery_id: str) -> None:
        """Record that the delivery has a new verdict, whose tickets and proofs are still to be done."""
        with self._session() as session:
            session.execute(update(DeliveryRow).where(DeliveryRow.id == delivery_id).values(governed_at=None))

    def governed(self, delivery_id: str, now: datetime) -> None:
        """Record that the delivery's tickets and proofs are done."""
        with self._session() as session:
            session.execute(update(DeliveryRow).where(DeliveryRow.id == delivery_id).values(governed_at=now))

    def ungoverned(self) -> list[Delivery]:
        """Evaluated deliveries whose tickets are not done yet, in order of arrival."""
        conditions = (DeliveryRow.governed_at.is_(None), DeliveryRow.state.in_([str(s) for s in JUDGED]))
        with self._session() as session:
            return [
                row.entry() for row in session.scalars(select(DeliveryRow).where(*conditions).order_by(DeliveryRow.seq))
            ]

    def get(self, delivery_id: str) -> Delivery:
        """The entry; UserError where there is none."""
        with self._session() as session:
            row = session.scalar(select(DeliveryRow).where(DeliveryRow.id == delivery_id))
            if row is None:
                raise UserError(f"no delivery '{delivery_id}' in the ledger; `lake deliveries` lists them")
            return row.entry()

    def received_date(self, delivery_id: str) -> date | None:
        """The UTC day on which a delivery was received; None where there is none."""
        with self._session() as session:
            received_at = session.scalar(select(DeliveryRow.received_at).where(DeliveryRow.id == delivery_id))
            return None if received_at is None else utc(received_at).date()

    def deliveries(
        self, dataset: str | None = None, provider: str | None = None, states: Sequence[State] = ()
    ) -> tuple[Delivery, ...]:
        """Entries in order of arrival."""
        query = select(DeliveryRow).order_by(DeliveryRow.seq)
        if dataset:
            query = query.where(DeliveryRow.dataset == dataset)
        if provider:
            query = query.where(DeliveryRow.provider == provider)
        if states:
            query = query.where(DeliveryRow.state.in_([str(s) for s in states]))
        with self._session() as session:
            return tuple(row.entry() for row in session.scalars(query))

    def received(self, since: datetime, until: datetime, dataset: str | None = None) -> tuple[Delivery, ...]:
        """Entries received in [since, until), in order of arrival."""
        within = (DeliveryRow.received_at >= utc(since), DeliveryRow.received_at < utc(until))
        query = select(DeliveryRow).where(*within).order_by(DeliveryRow.seq)
        if dataset:
            query = query.where(DeliveryRow.dataset == dataset)
        with self._session() as session:
            return tuple(row.entry() for row in session.scalars(query))

    def last_before(self, dataset: str, moment: datetime) -> Delivery | None:
        """The dataset's last delivery of its own round that was received before the moment; None where there is none."""
        conditions = (
            DeliveryRow.dataset == dataset,
            DeliveryRow.received_at < utc(moment),
            DeliveryRow.supersedes.is_(None),
        )
        with self._session() as session:
            rows = session.scalars(select(DeliveryRow).where(*conditions).order_by(DeliveryRow.seq.desc()))
            return next((row.entry() for row in rows.yield_per(50) if not row.answers), None)

    def with_rows(self, dataset: str, digest: str) -> tuple[Delivery, ...]:
        """The dataset's deliveries that have exactly these rows, in order of arrival."""
        conditions = (DeliveryRow.dataset == dataset, DeliveryRow.rows_digest == digest)
        with self._session() as session:
            rows = session.scalars(select(DeliveryRow).where(*conditions).order_by(DeliveryRow.seq))
            return tuple(row.entry() for row in rows)

    def repeats(self, delivery_id: str) -> int:
        """How often the same bytes were delivered again."""
        query = select(OccurrenceRow.id).where(OccurrenceRow.delivery == delivery_id, OccurrenceRow.is_repeat)
        with self._session() as session:
            return len(session.scalars(query).all())

    def move(self, delivery_id: str, state: State, **changes: object) -> Delivery:
        """Set the state, and with it any of counted_rows, digests, supersedes, findings, reason."""
        if "findings" in changes:
            findings = changes["findings"]
            changes["findings"] = [asdict(f) for f in findings]  # type: ignore[attr-defined]
        with self._session() as session:
            change = update(DeliveryRow).where(DeliveryRow.id == delivery_id).values(state=str(state), **changes)
            session.execute(change)
        return self.get(delivery_id)

    def supersede(self, older: Sequence[str], newer: str) -> None:
        """Record that an accepted delivery replaces others."""
        with self._session() as session:
            change = update(DeliveryRow).where(DeliveryRow.id.in_(list(older))).values(superseded_by=newer)
            session.execute(change)

    def reinstate(self, newer: str, before: Mapping[str, str]) -> None:
        """Record that a delivery replaces nothing: it is refused, though an earlier attempt accepted it.

        `before`: replaced delivery → the one that replaced it before, if any.
        """
        with self._session() as session:
            for row in session.scalars(select(DeliveryRow).where(DeliveryRow.superseded_by == newer)):
                row.superseded_by = before.get(row.id)

    def start_conform(self, delivery_id: str) -> bool:
        """Record that conform starts; True where it started before, so that silver may have its rows already."""
        with self._session() as session:
            row = session.scalar(select(DeliveryRow).where(DeliveryRow.id == delivery_id))
            before = bool(row and row.conform_started)
            if row:
                row.conform_started = True
            return before

    def delete_conform_rows(self, delivery_id: str) -> None:
        """Record that silver has no row of a delivery, after its tables were removed."""
        with self._session() as session:
            change = update(DeliveryRow).where(DeliveryRow.id == delivery_id).values(conform_started=False)
            session.execute(change)

    def build(self, product: str) -> Build | None:
        """The last build of a product; None before the first."""
        with self._session() as session:
            row = session.get(BuildRow, product)
            if row is None:
                return None
            return Build(row.product, row.inputs, row.table_version, row.rows, utc(row.built_at), row.recipe)

    def record_build(self, build: Build) -> None:
        """Record a build in place of the one before."""
        with self._session() as session:
            session.merge(BuildRow(**{**asdict(build), "inputs": dict(build.inputs)}))


def content_sha256(parts: Sequence[tuple[str, str]]) -> str:
    """One hash for a delivery of several files, from (name, sha256) pairs; that of the file where it is single."""
    if len(parts) == 1:
        return parts[0][1]
    lines = "\n".join(f"{sha} {name}" for name, sha in sorted(parts))
    return hashlib.sha256(lines.encode()).hexdigest()
