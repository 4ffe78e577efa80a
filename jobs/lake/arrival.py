"""Files in the landing zone → a delivery in the ledger: a new one, or the one with the same bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from jobs.lake.ledger_tables import DeliveryRow, OccurrenceRow
from jobs.model.delivery import Delivery, State

NAME_LENGTH = 60
"""Characters of a dataset's name in an id; contract ids are shorter, a mistaken folder may be longer."""


@dataclass(frozen=True)
class Arrival:
    """Files in the landing zone that may become a delivery."""

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
        """The name of these bytes in this dataset; the id of the first delivery with them."""
        return f"{self.dataset[:NAME_LENGTH]}-{self.sha256[:12]}"

    def delivery_id(self, occurrence: int) -> str:
        """The id of the n-th delivery with these bytes; newer ones came in between."""
        return self.content_id() if occurrence == 1 else f"{self.content_id()}-{occurrence}"


def recorded(session: Session, arrival: Arrival, now: datetime) -> tuple[Delivery, bool]:
    """The delivery of the arrival, and whether it is new, in one transaction. Unchanged objects belong to their known delivery."""
    earlier = _last_of_content(session, arrival)
    is_new = earlier is None or not _is_repeat(session, earlier, arrival)
    # read last, so that sightings by another worker during the queries above are seen
    last_sightings = [last_sighting(session, key) for key, _ in arrival.seen]
    unchanged = _as_last_seen(last_sightings, arrival)
    if unchanged is not None:
        return _entry(session, unchanged.delivery), False
    row = (
        _added(session, arrival, earlier.occurrence + 1 if earlier else 1, now)
        if earlier is None or is_new
        else earlier
    )
    for sighting, (key, etag) in zip(last_sightings, arrival.seen, strict=True):
        if sighting is None or (sighting.etag, sighting.delivery) != (etag, row.id):
            _note_sighting(
                session, OccurrenceRow(delivery=row.id, object=key, etag=etag, seen_at=now, is_repeat=not is_new)
            )
    return row.entry(), is_new


def _added(session: Session, arrival: Arrival, occurrence: int, now: datetime) -> DeliveryRow:
    row = _row(arrival, occurrence, now)
    session.add(row)
    session.flush()
    return row


def _as_last_seen(last_sightings: Sequence[OccurrenceRow | None], arrival: Arrival) -> OccurrenceRow | None:
    """The newest of the last sightings where no object has changed; else None."""
    known_sightings = [sighting for sighting in last_sightings if sighting is not None]
    if not known_sightings or [sighting.etag for sighting in known_sightings] != [etag for _, etag in arrival.seen]:
        return None
    return max(known_sightings, key=lambda sighting: sighting.id)


def _is_repeat(session: Session, earlier: DeliveryRow, arrival: Arrival) -> bool:
    """Whether the same bytes add nothing: no newer delivery, and nothing new in the covering letter."""
    newer = (
        select(DeliveryRow.seq).where(DeliveryRow.dataset == arrival.dataset, DeliveryRow.seq > earlier.seq).limit(1)
    )
    is_last = session.scalar(newer) is None
    replaces_no_other = arrival.supersedes in (None, earlier.supersedes, earlier.id)
    return is_last and replaces_no_other and set(arrival.answers) <= set(earlier.answers)


def _last_of_content(session: Session, arrival: Arrival) -> DeliveryRow | None:
    same = (DeliveryRow.dataset == arrival.dataset, DeliveryRow.sha256 == arrival.sha256)
    return session.scalar(select(DeliveryRow).where(*same).order_by(DeliveryRow.occurrence.desc()).limit(1))


def last_sighting(session: Session, object_key: str) -> OccurrenceRow | None:
    sightings = select(OccurrenceRow).where(OccurrenceRow.object == object_key)
    return session.scalar(sightings.order_by(OccurrenceRow.id.desc()).limit(1))


def last_etags(session: Session, object_keys: Sequence[str]) -> dict[str, str]:
    """The etag of the last sighting of each object, by key."""
    last = (
        select(func.max(OccurrenceRow.id)).where(OccurrenceRow.object.in_(object_keys)).group_by(OccurrenceRow.object)
    )
    rows = session.execute(select(OccurrenceRow.object, OccurrenceRow.etag).where(OccurrenceRow.id.in_(last)))
    return {key: etag for key, etag in rows}


def _note_sighting(session: Session, sighting: OccurrenceRow) -> None:
    """Record a sighting as the object's last; it replaces an earlier one of the same delivery and etag."""
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
