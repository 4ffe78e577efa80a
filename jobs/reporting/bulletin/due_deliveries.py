"""Deliveries that were due in a period, by the contracts' agreements, and whether they arrived in time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.contracts import Contract
from jobs.contracts.sla import length
from jobs.lake.lake import Lake
from jobs.model.delivery import Delivery


@dataclass(frozen=True)
class DueDelivery:
    """One delivery that was due: `id` is dataset and moment, `delivery` what arrived in time, empty if nothing."""

    id: str
    provider: str
    delivery: str


def dues(lake: Lake, contract: Contract, since: datetime, until: datetime) -> list[DueDelivery]:
    """What was due of a dataset in [since, until), counted from each arrival; corrections and answers do not count."""
    every, grace = length(contract.sla.get("frequency", "")), length(contract.sla.get("latency", "")) or timedelta()
    if not every:
        return []
    first = since - every - grace
    arrivals = [d for d in lake.ledger.received(first, until, contract.id) if d.is_regular()]
    last = lake.ledger.last_before(contract.id, first)
    return _due_after_arrivals(contract, [last, *arrivals] if last else arrivals, every, grace, (since, until))


def _due_after_arrivals(
    contract: Contract,
    arrivals: Sequence[Delivery],
    every: timedelta,
    grace: timedelta,
    span: tuple[datetime, datetime],
) -> list[DueDelivery]:
    due_moments = []
    for arrival, following in zip(arrivals, (*arrivals[1:], None), strict=False):
        at, end = arrival.received_at + every + grace, following.received_at if following else span[1]
        if following and end <= at:
            due_moments.append((at, following.id))
            continue
        while at < min(end, span[1]):
            due_moments.append((at, ""))
            at += every
    since, until = span
    return [
        DueDelivery(f"{contract.id}@{at:%Y-%m-%dT%H:%M:%SZ}", contract.provider, delivery)
        for at, delivery in due_moments
        if since <= at < until
    ]
