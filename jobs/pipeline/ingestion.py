"""Ingestion: deliveries detected, recorded in the ledger, read into bronze. Needs no engine."""

import logging
from datetime import UTC, datetime, timedelta

from jobs.contracts import Contract, Registry, layout_digest, suite_hash
from jobs.ingest.land import UNKNOWN, Landed
from jobs.ingest.land import land as land_new
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.model.delivery import Delivery, State

logger = logging.getLogger(__name__)
AWAITED = timedelta(minutes=10)
"""A delivery that has no verdict for longer holds back no product."""


def land(lake: Lake, registry: Registry) -> tuple[Landed, ...]:
    """What is new in the landing zone, recorded in the ledger."""
    landed = land_new(lake, registry.providers(), datetime.now(UTC))
    return tuple(waiting_again(lake, registry, found) for found in landed)


def waiting_again(lake: Lake, registry: Registry, found: Landed) -> Landed:
    """Repeated content waits for a verdict again where it was returned or refused, and its contract has changed since."""
    delivery, contract = found.delivery, registry.contracts.get(found.delivery.dataset)
    if found.is_new or contract is None or not _is_evaluated_otherwise(lake, registry, contract, delivery):
        return found
    logger.info("delivery %s arrived again after its contract changed: it is evaluated again", delivery.id)
    return Landed(lake.ledger.move(delivery.id, State.LANDED, reason=""), is_new=False, waits_again=True)


def _is_evaluated_otherwise(lake: Lake, registry: Registry, contract: Contract, delivery: Delivery) -> bool:
    if delivery.state not in (State.UNREADABLE, State.REFUSED):
        return False
    if delivery.layout_digest != layout_digest(contract):
        return True
    if delivery.state is State.UNREADABLE:  # its rows were never evaluated: other rules would change nothing
        return False
    from jobs.pipeline.evaluation import runnable_rules
    from jobs.pipeline.versions import latest_versions

    verdict = Results(lake.delta, lake.settings.s3_bucket).verdict(delivery.id)
    rules = runnable_rules(lake, registry.rules[contract.id], latest_versions(lake))
    return verdict is not None and verdict.suite_hash != suite_hash(rules)


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
