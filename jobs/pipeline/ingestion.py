"""Deliveries on their way in: noticed, recorded, read into bronze. No engine is needed here."""

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
UNTOLD_S = 60.0
"""A judged delivery that waits longer for its tickets has lost its event."""


def land(lake: Lake, registry: Registry) -> tuple[Landed, ...]:
    """What is new in the landing zone, recorded in the ledger."""
    return land_new(lake, registry.providers(), datetime.now(UTC))


def watch(lake: Lake, registry: Registry) -> list[tuple[str, str]]:
    """(asset, delivery) that is to be told: new deliveries that have a contract, as soon as there are any.

    First come those that were here before their contract was. The scheduler may lose an event that comes while a run
    waits for its turn: judged deliveries that nobody took up for a while are told again, as `results`; after a quiet
    while, so are those that landed and went no further.
    """
    known_now = _of_contracts(registry, _once_unknown(lake))
    if known_now:
        return known_now
    deadline = time.monotonic() + WATCH_S
    seen: dict[str, float] = {}
    while time.monotonic() < deadline:
        landed = [one.delivery for one in land(lake, registry) if one.is_new]
        if landed:
            return _of_contracts(registry, landed)
        untold = _untold(lake, registry, seen)
        if untold:
            return untold
        time.sleep(POLL_S)
    return _of_contracts(registry, _left(lake))


def _of_contracts(registry: Registry, deliveries: Iterable[Delivery]) -> list[tuple[str, str]]:
    """(asset, delivery) of those whose dataset has a contract."""
    datasets = registry.providers()
    return [(assets.LANDING.format(dataset=d.dataset), d.id) for d in deliveries if d.dataset in datasets]


def _untold(lake: Lake, registry: Registry, seen: dict[str, float]) -> list[tuple[str, str]]:
    """Judged deliveries without tickets and report for a while; `seen` keeps since when, and is brought up to date."""
    waiting = [one.id for one in lake.ledger.ungoverned() if one.dataset in registry.contracts]
    now = time.monotonic()
    since = {one: seen.get(one, now) for one in waiting}
    seen.clear()
    seen.update(since)
    return [(assets.RESULTS, one) for one in waiting if now - since[one] >= UNTOLD_S]


def _left(lake: Lake) -> list[Delivery]:
    """Deliveries that landed some while ago and went no further: whoever recorded them died before saying so."""
    before = datetime.now(UTC) - timedelta(seconds=WATCH_S)
    landed = lake.ledger.deliveries(states=(State.LANDED,))
    return [d for d in landed if d.received_at < before]


def _once_unknown(lake: Lake, dataset: str | None = None) -> list[Delivery]:
    """Deliveries that were sent back only because their dataset had no contract; reading one replaces that finding."""
    return [d for d in lake.ledger.deliveries(dataset, states=(State.UNREADABLE,)) if is_unread(d)]


def is_unread(delivery: Delivery) -> bool:
    """Whether nobody has tried to read the delivery by its contract yet."""
    was_unknown = any(finding.kind == UNKNOWN for finding in delivery.findings)
    return delivery.state is State.LANDED or (delivery.state is State.UNREADABLE and was_unknown)


def pending(lake: Lake, registry: Registry, dataset: str, *asked: str) -> list[str]:
    """Ids to work on, in order of arrival: those asked for, and any of the dataset that are not judged yet."""
    registry.contract(dataset)
    waiting = lake.ledger.deliveries(dataset, states=(State.LANDED, State.LOADED))
    wanted = {*asked, *(d.id for d in (*waiting, *_once_unknown(lake, dataset)))}
    return [d.id for d in lake.ledger.deliveries(dataset) if d.id in wanted]


def load(lake: Lake, registry: Registry, delivery_id: str) -> Delivery:
    """A delivery's rows in bronze, or the delivery returned as unreadable."""
    from jobs.ingest.load import load as load_rows  # pyarrow and the readers, wanted by this step alone

    delivery = lake.ledger.get(delivery_id)
    return load_rows(lake, registry.contract(delivery.dataset), delivery)
