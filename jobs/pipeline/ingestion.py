"""Ingestion: deliveries detected, recorded in the ledger, read into bronze. Needs no engine."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from jobs.contracts import Registry, assets
from jobs.ingest.land import UNKNOWN, Landed
from jobs.ingest.land import land as land_new
from jobs.lake.lake import Lake
from jobs.model.delivery import Delivery, State

WATCH_S = 240.0
POLL_S = 1.0
LOST_EVENT_S = 60.0
"""An evaluated delivery that waits longer for its tickets has lost its asset event."""


def land(lake: Lake, registry: Registry) -> tuple[Landed, ...]:
    """What is new in the landing zone, recorded in the ledger."""
    return land_new(lake, registry.providers(), datetime.now(UTC))


def watch(lake: Lake, registry: Registry) -> list[tuple[str, str]]:
    """(asset, delivery) to emit: new deliveries that have a contract, as soon as there are any.

    Deliveries that arrived before their contract come first. The scheduler may lose an event that is emitted while a
    run is queued: evaluated deliveries without tickets are emitted again after a while, as `results`; so are, at the
    end of the wait, deliveries that landed and were not loaded.
    """
    deferred = _of_contracts(registry, _formerly_unknown(lake))
    if deferred:
        return deferred
    deadline = time.monotonic() + WATCH_S
    first_seen: dict[str, float] = {}
    while time.monotonic() < deadline:
        landed = [arrival.delivery for arrival in land(lake, registry) if arrival.is_new]
        if landed:
            return _of_contracts(registry, landed)
        lost_events = _lost_events(lake, registry, first_seen)
        if lost_events:
            return lost_events
        time.sleep(POLL_S)
    return _of_contracts(registry, _stalled(lake))


def _of_contracts(registry: Registry, deliveries: Iterable[Delivery]) -> list[tuple[str, str]]:
    """(asset, delivery) of those whose dataset has a contract."""
    datasets = registry.providers()
    return [(assets.LANDING.format(dataset=d.dataset), d.id) for d in deliveries if d.dataset in datasets]


def _lost_events(lake: Lake, registry: Registry, first_seen: dict[str, float]) -> list[tuple[str, str]]:
    """Evaluated deliveries that still have no tickets after LOST_EVENT_S; updates `first_seen`, when each was noticed."""
    waiting = [delivery.id for delivery in lake.ledger.ungoverned() if delivery.dataset in registry.contracts]
    now = time.monotonic()
    since = {delivery_id: first_seen.get(delivery_id, now) for delivery_id in waiting}
    first_seen.clear()
    first_seen.update(since)
    return [(assets.RESULTS, delivery_id) for delivery_id in waiting if now - since[delivery_id] >= LOST_EVENT_S]


def _stalled(lake: Lake) -> list[Delivery]:
    """Deliveries that landed a while ago and were not loaded: the process that recorded them died before its event."""
    before = datetime.now(UTC) - timedelta(seconds=WATCH_S)
    landed = lake.ledger.deliveries(states=(State.LANDED,))
    return [d for d in landed if d.received_at < before]


def _formerly_unknown(lake: Lake, dataset: str | None = None) -> list[Delivery]:
    """Deliveries returned only because their dataset had no contract; loading one replaces that finding."""
    return [d for d in lake.ledger.deliveries(dataset, states=(State.UNREADABLE,)) if is_unread(d)]


def is_unread(delivery: Delivery) -> bool:
    """Whether the delivery was never read by its contract."""
    was_unknown = any(finding.kind == UNKNOWN for finding in delivery.findings)
    return delivery.state is State.LANDED or (delivery.state is State.UNREADABLE and was_unknown)


def pending(lake: Lake, registry: Registry, dataset: str, *requested: str) -> list[str]:
    """Delivery ids to process, in order of arrival: the requested ones, and any of the dataset not evaluated yet."""
    registry.contract(dataset)
    waiting = lake.ledger.deliveries(dataset, states=(State.LANDED, State.LOADED))
    pending_ids = {*requested, *(d.id for d in (*waiting, *_formerly_unknown(lake, dataset)))}
    return [d.id for d in lake.ledger.deliveries(dataset) if d.id in pending_ids]


def load(lake: Lake, registry: Registry, delivery_id: str) -> Delivery:
    """A delivery's rows in bronze, or the delivery returned as unreadable."""
    from jobs.ingest.load import load as load_rows  # pyarrow and the readers, needed by this step alone

    delivery = lake.ledger.get(delivery_id)
    return load_rows(lake, registry.contract(delivery.dataset), delivery)
