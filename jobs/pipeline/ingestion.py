"""Ingestion: deliveries detected, recorded in the ledger, read into bronze. Needs no engine."""

from datetime import UTC, datetime, timedelta

from jobs.contracts import Contract, Registry, layout_digest
from jobs.ingest.land import UNKNOWN, Landed
from jobs.ingest.land import land as land_new
from jobs.lake.lake import Lake
from jobs.model.delivery import Delivery, State

AWAITED = timedelta(minutes=10)
"""A delivery that has no verdict for longer holds back no product."""


def land(lake: Lake, registry: Registry) -> tuple[Landed, ...]:
    """What is new in the landing zone, recorded in the ledger."""
    return land_new(lake, registry.providers(), datetime.now(UTC))


def formerly_unknown(lake: Lake, dataset: str | None = None) -> list[Delivery]:
    """Deliveries returned only because their dataset had no contract; loading one replaces that finding."""
    return [d for d in lake.ledger.deliveries(dataset, states=(State.UNREADABLE,)) if is_unread(d)]


def is_unread(delivery: Delivery) -> bool:
    """Whether the delivery was never read by its contract."""
    was_unknown = any(finding.kind == UNKNOWN for finding in delivery.findings)
    return delivery.state is State.LANDED or (delivery.state is State.UNREADABLE and was_unknown)


def is_read_otherwise(contract: Contract, delivery: Delivery) -> bool:
    """Whether the delivery's rows were read by another layout than the contract now has."""
    return bool(delivery.layout_digest) and delivery.layout_digest != layout_digest(contract)


def pending(lake: Lake, registry: Registry, dataset: str, *requested: str) -> list[str]:
    """Delivery ids to process, in order of arrival: the requested ones, and any of the dataset not evaluated yet."""
    registry.contract(dataset)
    waiting = lake.ledger.deliveries(dataset, states=(State.LANDED, State.LOADED))
    pending_ids = {*requested, *(d.id for d in (*waiting, *formerly_unknown(lake, dataset)))}
    return [d.id for d in lake.ledger.deliveries(dataset) if d.id in pending_ids]


def load(lake: Lake, registry: Registry, delivery_id: str) -> Delivery:
    """A delivery's rows in bronze, or the delivery returned as unreadable."""
    from jobs.ingest.load import load as load_rows  # pyarrow and the readers, needed by this step alone

    delivery = lake.ledger.get(delivery_id)
    return load_rows(lake, registry.contract(delivery.dataset), delivery)
