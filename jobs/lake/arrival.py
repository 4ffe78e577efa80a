"""What stands in the landing zone → a delivery of the ledger: a new one, or the one that brought the same bytes before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from jobs.lake.ledger_tables import DeliveryRow, OccurrenceRow
from jobs.model.delivery import Delivery, State

NAME_LENGTH = 60
"""Characters of a dataset's name that an id carries; a contract's id is shorter, a mistaken folder may not be."""


@dataclass(frozen=True)
class Arrival:
    """What stands in the landing zone and may become a delivery."""

    dataset: str
    provider: str
    sha256: str
    size_bytes: int
    objects: tuple[str, ...]
    seen: tuple[tuple[str, str], ...]
    sender: str = ""
    declared_rows: int | None = None
    supersedes: str | None = None
    sent_on: date | None = None
    answers: tuple[str, ...] = ()

    def content_id(self) -> str:
        """What these bytes are called in this dataset, and the id of the delivery that first brings them."""
        return f"{self.dataset[:NAME_LENGTH]}-{self.sha256[:12]}"

    def delivery_id(self, occurrence: int) -> str:
        """The id of the delivery that brings them for the n-th time after something newer."""
        return self.content_id() if occurrence == 1 else f"{self.content_id()}-{occurrence}"


def recorded(session: Session, arrival: Arrival, now: datetime) -> tuple[Delivery, bool]:
    """The delivery of what arrived, and whether it is new, in one transaction. Objects that stand as they were last seen are of the delivery known for them."""
    known = _last_of_content(session, arrival)
    is_new = known is None or not _is_repeat(session, known, arrival)
    # asked last: whatever another worker did before the answers above, its sightings are seen now
    last = [last_sighting(session, key) for key, _ in arrival.seen]
    unchanged = _as_last_seen(last, arrival)
    if unchanged is not None:
        return _entry(session, unchanged.delivery), False
    row = _added(session, arrival, known.occurrence + 1 if known else 1, now) if known is None or is_new else known
    for before, (key, etag) in zip(last, arrival.seen, strict=True):
        if before is None or (before.etag, before.delivery) != (etag, row.id):
            _see(session, OccurrenceRow(delivery=row.id, object=key, etag=etag, seen_at=now, is_repeat=not is_new))
    return row.entry(), is_new


def _added(session: Session, arrival: Arrival, occurrence: int, now: datetime) -> DeliveryRow:
    row = _row(arrival, occurrence, now)
    session.add(row)
    session.flush()
    return row


def _as_last_seen(last: Sequence[OccurrenceRow | None], arrival: Arrival) -> OccurrenceRow | None:
    """The newest of the last sightings where each object stands as it was last seen; else None."""
    known = [sighting for sighting in last if sighting is not None]
    if not known or [sighting.etag for sighting in known] != [etag for _, etag in arrival.seen]:
        return None
    return max(known, key=lambda sighting: sighting.id)


def _is_repeat(session: Session, known: DeliveryRow, arrival: Arrival) -> bool:
    """Whether the same bytes say nothing that was not said: nothing newer came, and the letter names nothing more."""
    newer = select(DeliveryRow.seq).where(DeliveryRow.dataset == arrival.dataset, DeliveryRow.seq > known.seq).limit(1)
    is_last = session.scalar(newer) is None
    replaces_no_other = arrival.supersedes in (None, known.supersedes, known.id)
    return is_last and replaces_no_other and set(arrival.answers) <= set(known.answers)


def _last_of_content(session: Session, arrival: Arrival) -> DeliveryRow | None:
    same = (DeliveryRow.dataset == arrival.dataset, DeliveryRow.sha256 == arrival.sha256)
    return session.scalar(select(DeliveryRow).where(*same).order_by(DeliveryRow.occurrence.desc()).limit(1))


def last_sighting(session: Session, object_key: str) -> OccurrenceRow | None:
    mine = select(OccurrenceRow).where(OccurrenceRow.object == object_key)
    return session.scalar(mine.order_by(OccurrenceRow.id.desc()).limit(1))


def _see(session: Session, sighting: OccurrenceRow) -> None:
    """Note a sighting as the object's last; one of the same delivery, from before the object changed, gives way to it."""
    same = (OccurrenceRow.object == sighting.object, OccurrenceRow.etag == sighting.etag)
    session.execute(delete(OccurrenceRow).where(*same, OccurrenceRow.delivery == sighting.delivery))
    session.add(sighting)


def _row(arrival: Arrival, occurrence: int, now: datetime) -> DeliveryRow:
    return DeliveryRow(
        id=arrival.delivery_id(occurrence),
        dataset=arrival.dataset,
        provider=arrival.provider,
        state=State.LANDED,
        sha256=arrival.sha256,
        occurrence=occurrence,
        size_bytes=arrival.size_bytes,
        objects=list(arrival.objects),
        received_at=now,
        etag=arrival.seen[0][1] if arrival.seen else "",
        sender=arrival.sender,
        declared_rows=arrival.declared_rows,
        supersedes=arrival.supersedes,
        sent_on=arrival.sent_on,
        answers=list(arrival.answers),
        findings=[],
        reason="",
        conform_started=False,
    )


def _entry(session: Session, delivery_id: str) -> Delivery:
    return session.scalars(select(DeliveryRow).where(DeliveryRow.id == delivery_id)).one().entry()
