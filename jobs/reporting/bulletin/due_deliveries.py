"""Deliveries that were due in a period, by what contracts agree on, and whether they came in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.contracts import Contract
from jobs.contracts.sla import length
from jobs.lake.lake import Lake
from jobs.model.delivery import Delivery


@dataclass(frozen=True)
class DueDelivery:
    """One delivery that was due: `id` is dataset and moment, `delivery` what came in time, empty where nothing did."""

    id: str
    provider: str
    delivery: str


def dues(lake: Lake, contract: Contract, since: datetime, until: datetime) -> list[DueDelivery]:
    """What was due of a dataset in [since, until), reckoned from each arrival to the next; corrections and answers are no arrivals."""
    every, grace = length(contract.sla.get("frequency", "")), length(contract.sla.get("latency", "")) or timedelta()
    if not every:
        return []
    first = since - every - grace
    came = [d for d in lake.ledger.received(first, until, contract.id) if d.is_regular()]
    last = lake.ledger.last_before(contract.id, first)
    return _reckoned(contract, [last, *came] if last else came, every, grace, (since, until))


def _reckoned(
    contract: Contract, came: Sequence[Delivery], every: timedelta, grace: timedelta, span: tuple[datetime, datetime]
) -> list[DueDelivery]:
    found = []
    for this, following in zip(came, (*came[1:], None), strict=False):
        at, end = this.received_at + every + grace, following.received_at if following else span[1]
        if following and end <= at:
            found.append((at, following.id))
            continue
        while at < min(end, span[1]):
            found.append((at, ""))
            at += every
    since, until = span
    return [
        DueDelivery(f"{contract.id}@{at:%Y-%m-%dT%H:%M:%SZ}", contract.provider, delivery)
        for at, delivery in found
        if since <= at < until
    ]
